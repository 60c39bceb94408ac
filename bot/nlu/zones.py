"""From scores to a prediction in Rasa's form: an answer, an offer of a few topics, or an honest fallback."""

from dataclasses import dataclass, replace
from typing import Any, Self

from bot.nlu.safety import Alarm

Ranking = list[tuple[str, float]]

# Intents that the understanding adds to those of the training data.
CLARIFY, FALLBACK = "clarify", "nlu_fallback"
SELF_HARM, CLINICIAN = "self_harm", "clinician_decides"
OUT_OF_SCOPE = "out_of_scope"
# Things to get done.
TASKS = frozenset(("book_appointment", "check_appointment", "reschedule_appointment", "cancel_appointment", "talk_to_human"))
# Whom it suits in general would be taken for a yes by somebody for whom a clinician must decide.
_NOT_BESIDE_A_CLINICIAN = frozenset((CLARIFY, FALLBACK, OUT_OF_SCOPE, "affirm", "deny", "help", "feedback", "faq/good_candidate"))
RUNNERS_UP = 5
OFFERED = 3
# From this probability of being out of scope on, what a clinician would decide is none of this clinic's: "got any jobs? im 16".
ELSEWHERE = 0.9
# Below this probability of being out of scope, a message that is likeliest to be so may be about a topic all the same.
MAYBE_ELSEWHERE = 0.4
# A topic is offered when it has at least this share of the likeliest topic's probability.
WORTH_OFFERING = 0.05


@dataclass(frozen=True)
class Zones:
    """The confidence from which on a topic is answered, alone or beside other questions, and from which on topics are offered."""

    answer: float
    beside: float
    clarify: float

    def of_several(self) -> Self:
        """The zones of a question beside others: what was cut out as a question of its own is one more surely."""
        return replace(self, answer=self.beside)


def prediction(text: str, ranking: Ranking, confidence: float, zones: Zones) -> dict[str, Any]:
    """What Rasa wants to know of a text: `intent`, `intent_ranking`, `response_selector`; and `choices` to offer.

    The labels of the ranking are intents, or `retrieval intent/topic`.
    """
    top = ranking[0][0]
    # A text that may well be out of scope is not answered, however surely one topic is the likeliest of the others.
    confidence *= 1 - dict(ranking).get(OUT_OF_SCOPE, 0) if top != OUT_OF_SCOPE else 1
    choices: list[str] = []
    if confidence >= zones.answer:
        label = top
    elif confidence >= zones.clarify and (choices := offered(ranking)):
        label = CLARIFY
    else:
        label = FALLBACK
    intent, selector = select(label)
    return {
        "text": text,
        "intent": {"name": intent, "confidence": confidence},
        "entities": [],
        "intent_ranking": [{"name": name, "confidence": p} for name, p in ranking[:RUNNERS_UP]],
        "response_selector": selector,
        "choices": choices,
    }


def sure_ones(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of several questions those that can be answered; a part that is unclear beside them was context more often than not."""
    sure = [question for question in questions if question["intent"]["name"] not in (CLARIFY, FALLBACK)]
    return sure or questions[:1]


def certain(text: str, label: str, instead_of: dict[str, Any] | None = None) -> dict[str, Any]:
    """A prediction for what is certain, as a button is; it keeps the ranking of the one that it stands for.

    The label of a form's button is `pick:` and what was picked.
    """
    label, _, picked = label.partition(":")
    intent, selector = select(label)
    ranking = instead_of["intent_ranking"] if instead_of else [{"name": label, "confidence": 1.0}]
    return {
        "text": text,
        "intent": {"name": intent, "confidence": 1.0},
        "entities": [],
        "intent_ranking": ranking,
        "response_selector": selector,
        "choices": [],
        "picked": picked,
    }


def in_safety(questions: list[dict[str, Any]], alarms: list[Alarm]) -> list[dict[str, Any]]:
    """What is left to say to the questions of a message once its alarms are heard, the most urgent alarm first.

    In an emergency, and for a worrying symptom, nothing but what to do. Where a clinician must decide, what the sources
    say on what was asked, or else on the matter itself, then that a clinician decides.
    """
    if not alarms or (alarms[0].level == "clinician" and _elsewhere(questions)):
        return questions
    first = alarms[0]
    heard = {"level": first.level, "rules": [alarm.rule for alarm in alarms], "concern": first.concern}
    if first.level == "clinician":
        known = [question for question in questions if label_of(question) not in _NOT_BESIDE_A_CLINICIAN]
        if first.topic and not known:
            known = [certain(questions[0]["text"], first.topic)]
        kept = [*known, certain(questions[0]["text"], CLINICIAN, questions[0])]
    else:
        label = SELF_HARM if first.kind == SELF_HARM else first.level
        kept = [certain(questions[0]["text"], label, None)]
    return [question | {"alarm": heard} for question in kept]


def offered(ranking: Ranking) -> list[str]:
    """Two or three topics worth offering; none when the message is likeliest small talk, or out of scope beyond doubt."""
    top, probability = ranking[0]
    if not _can_be_offered(top) and not (top == OUT_OF_SCOPE and probability < MAYBE_ELSEWHERE):
        return []
    able = [(name, p) for name, p in ranking if _can_be_offered(name)]
    likely = [name for name, p in able[:OFFERED] if p >= ranking[0][1] * WORTH_OFFERING]
    return likely if len(likely) > 1 else [name for name, _ in able[:2]]


def label_of(question: dict[str, Any]) -> str:
    """What a prediction is about: its intent, or `retrieval intent/topic`."""
    intent: str = question["intent"]["name"]
    selected = question["response_selector"].get(intent)
    return str(selected["response"]["intent_response_key"]) if selected else intent


def _elsewhere(questions: list[dict[str, Any]]) -> bool:
    likeliest = questions[0]["intent_ranking"][0]
    return len(questions) == 1 and likeliest["name"] == OUT_OF_SCOPE and likeliest["confidence"] >= ELSEWHERE


def _can_be_offered(label: str) -> bool:
    return "/" in label or label in TASKS


def select(label: str) -> tuple[str, dict[str, Any]]:
    """A label as an intent, and as the selection of a response that Rasa's retrieval intents want."""
    intent, _, topic = label.partition("/")
    if not topic:
        return intent, {}
    response = {"utter_action": f"utter_{label}", "intent_response_key": label}
    return intent, {intent: {"response": response}, "all_retrieval_intents": [intent]}
