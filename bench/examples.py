"""What the benches that fit and tune have in common: the training examples, and which of them the encoder was tuned on."""

import hashlib
from pathlib import Path

from bot import topics
from bot.nlu.classifier import Encode
from bot.nlu.encoder import Vector

NLU = Path("data/nlu")
# What stands between two matters in one message.
JOINTS = (". ", ", ", " and ", " ")


def labelled() -> list[tuple[str, str]]:
    """The training examples as they were written, each with its label (`emergency`, `faq/pain`)."""
    files = [*topics.files(NLU), *sorted(NLU.glob("*.yml"))]
    return [(e.text, label) for path in files for label, found in topics.read_examples(path) for e in found]


def tuned_on(text: str) -> bool:
    """Whether bench/tune_encoder.py learns from a normalised example, or it is left for what is fitted afterwards."""
    return hashlib.sha256(text.encode()).digest()[0] % 3 != 0


def remembering(encode: Encode) -> Encode:
    """An encoder that keeps each vector it has made."""
    known: dict[str, Vector] = {}

    def remembered(text: str) -> Vector:
        if text not in known:
            known[text] = encode(text)
        return known[text]

    return remembered
