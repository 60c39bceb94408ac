"""From scores to a prediction in Rasa's form: an answer, an offer of a few topics, or an honest fallback."""

from dataclasses import dataclass
from typing import Any

Ranking = list[tuple[str, float]]

# Intents that the understanding adds to those of the training data.
CLARIFY, FALLBACK = "clarify", "nlu_fallback"
OUT_OF_SCOPE = "out_of_scope"
RUNNERS_UP = 5
OFFERED = 3
# A topic is offered when it has at least this share of the likeliest topic's probability.
WORTH_OFFERING = 0.05


@dataclass(frozen=True)
class Zones:
    """The confidence from which on a topic is answered, and from which on the likeliest topics are offered."""

    answer: float
    clarify: float


def prediction(ranking: Ranking, confidence: float, zones: Zones) -> dict[str, Any]:
    """What Rasa wants to know of a message: `intent`, `intent_ranking`, `response_selector`; and `choices` to offer.

    The labels of the ranking are intents, or `retrieval intent/topic`.
    """
    top = ranking[0][0]
    choices: list[str] = []
    if confidence >= zones.answer:
        label = top
    elif confidence >= zones.clarify and (choices := offered(ranking)):
        label = CLARIFY
    else:
        label = FALLBACK
    intent, selector = select(label)
    return {
        "intent": {"name": intent, "confidence": confidence},
        "intent_ranking": [{"name": name, "confidence": p} for name, p in ranking[:RUNNERS_UP]],
        "response_selector": selector,
        "choices": choices,
    }


def offered(ranking: Ranking) -> list[str]:
    """Two or three topics worth offering; none when the likeliest of all is that the message is out of scope."""
    if ranking[0][0] == OUT_OF_SCOPE:
        return []
    likely = [name for name, p in ranking[: OFFERED + 1] if p >= ranking[0][1] * WORTH_OFFERING and name != OUT_OF_SCOPE]
    if len(likely) < 2:
        likely = [name for name, _ in ranking[: OFFERED + 1] if name != OUT_OF_SCOPE][:2]
    return likely[:OFFERED]


def select(label: str) -> tuple[str, dict[str, Any]]:
    """A label as an intent, and as the selection of a response that Rasa's retrieval intents want."""
    intent, _, topic = label.partition("/")
    if not topic:
        return intent, {}
    response = {"utter_action": f"utter_{label}", "intent_response_key": label}
    return intent, {intent: {"response": response}, "all_retrieval_intents": [intent]}
