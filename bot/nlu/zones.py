"""From scores to a prediction in Rasa's form: an answer, an offer of a few topics, or an honest fallback."""

from dataclasses import dataclass
from typing import Any

Ranking = list[tuple[str, float]]

# Intents that the understanding adds to those of the training data.
CLARIFY, FALLBACK = "clarify", "nlu_fallback"
OUT_OF_SCOPE = "out_of_scope"
# Things to get done.
TASKS = frozenset(("book_appointment", "check_appointment", "reschedule_appointment", "cancel_appointment", "talk_to_human"))
RUNNERS_UP = 5
OFFERED = 3
# A topic is offered when it has at least this share of the likeliest topic's probability.
WORTH_OFFERING = 0.05


@dataclass(frozen=True)
class Zones:
    """The confidence from which on a topic is answered, and from which on the likeliest topics are offered."""

    answer: float
    clarify: float


def prediction(text: str, ranking: Ranking, confidence: float, zones: Zones) -> dict[str, Any]:
    """What Rasa wants to know of a text: `intent`, `intent_ranking`, `response_selector`; and `choices` to offer.

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
        "text": text,
        "intent": {"name": intent, "confidence": confidence},
        "entities": [],
        "intent_ranking": [{"name": name, "confidence": p} for name, p in ranking[:RUNNERS_UP]],
        "response_selector": selector,
        "choices": choices,
    }


def offered(ranking: Ranking) -> list[str]:
    """Two or three topics worth offering; none when it is likeliest that the message is out of scope, or small talk."""
    if not _can_be_offered(ranking[0][0]):
        return []
    able = [(name, p) for name, p in ranking if _can_be_offered(name)]
    likely = [name for name, p in able[:OFFERED] if p >= ranking[0][1] * WORTH_OFFERING]
    return likely if len(likely) > 1 else [name for name, _ in able[:2]]


def _can_be_offered(label: str) -> bool:
    return "/" in label or label in TASKS


def select(label: str) -> tuple[str, dict[str, Any]]:
    """A label as an intent, and as the selection of a response that Rasa's retrieval intents want."""
    intent, _, topic = label.partition("/")
    if not topic:
        return intent, {}
    response = {"utter_action": f"utter_{label}", "intent_response_key": label}
    return intent, {intent: {"response": response}, "all_retrieval_intents": [intent]}
