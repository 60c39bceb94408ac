"""The three zones: answer, offer the best two or three, or say honestly that it is not known."""

import pytest

from bot.nlu.zones import CLARIFY, FALLBACK, OUT_OF_SCOPE, Zones, offered, prediction, select

ZONES = Zones(answer=0.6, beside=0.5, clarify=0.2)
# Nothing here is likely to be out of scope.
RANKING = [
    ("faq/pain", 0.5),
    ("faq/numbing", 0.3),
    ("book_appointment", 0.1),
    ("faq/cost", 0.05),
    ("greet", 0.03),
    ("deny", 0.02),
]


@pytest.mark.parametrize(
    ("confidence", "intent"), [(1.0, "faq"), (0.6, "faq"), (0.59, CLARIFY), (0.2, CLARIFY), (0.19, FALLBACK), (0.0, FALLBACK)]
)
def test_zone_by_confidence(confidence: float, intent: str) -> None:
    found = prediction("hurt", RANKING, confidence, ZONES)
    assert found["intent"]["name"] == intent
    assert bool(found["choices"]) == (intent == CLARIFY)


def test_best_three_are_offered() -> None:
    assert prediction("hurt", RANKING, 0.4, ZONES)["choices"] == ["faq/pain", "faq/numbing", "book_appointment"]


def test_never_fewer_than_two_are_offered() -> None:
    assert offered([("faq/pain", 0.98), ("greet", 0.01), ("faq/numbing", 0.005), ("faq/cost", 0.005)]) == [
        "faq/pain",
        "faq/numbing",
    ]


def test_small_talk_is_no_choice() -> None:
    choices = offered([("faq/pain", 0.4), ("greet", 0.3), ("emergency", 0.2), ("faq/numbing", 0.1)])
    assert choices == ["faq/pain", "faq/numbing"]


@pytest.mark.parametrize("top", [OUT_OF_SCOPE, "greet", "thank"])
def test_nothing_is_offered_when_it_is_likeliest_no_question(top: str) -> None:
    assert offered([(top, 0.5), ("faq/pain", 0.3), ("faq/cost", 0.2)]) == []
    assert prediction("x", [(top, 0.5), ("faq/pain", 0.5)], 0.3, ZONES)["intent"]["name"] == FALLBACK


def test_topics_are_offered_when_it_may_or_may_not_be_out_of_scope() -> None:
    assert offered([(OUT_OF_SCOPE, 0.39), ("faq/pain", 0.35), ("faq/cost", 0.2)]) == ["faq/pain", "faq/cost"]


def test_prediction_says_what_rasa_wants_to_know() -> None:
    found = prediction("hurt", RANKING, 0.9, ZONES)
    assert found["intent"] == {"name": "faq", "confidence": 0.9}
    assert found["response_selector"]["faq"]["response"] == {
        "utter_action": "utter_faq/pain",
        "intent_response_key": "faq/pain",
    }
    assert found["intent_ranking"][0] == {"name": "faq/pain", "confidence": 0.5}
    assert len(found["intent_ranking"]) == 5
    assert found["entities"] == []


def test_intent_without_answers_of_its_own_selects_none() -> None:
    assert select("greet") == ("greet", {})
