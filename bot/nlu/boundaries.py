"""Where another question begins in a text without a mark or a word to tell: "does it bleed | does it hurt".

Text messages string questions together. Between each two words a logistic regression says, from the words around, how likely it
is that one question ends and another begins. It learns from the training examples, set one behind the other by chance.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Self

import numpy as np

from bot.nlu.zones import TASKS

_WORD = re.compile(r"[a-z0-9']+")
# Where a text of several sentences or clauses ends one of them: such examples are not learned from.
_MARK = re.compile(r"[,;:.!?\n…(-](?=.*[a-z])")
# How many words an example has that others are set beside.
FEWEST, MOST = 2, 14
JOINED, OF_THREE, SEED = 12_000, 0.2, 0
RAREST = 3
# A text is cut from a probability of 0.25 on (as a logit); whether a part asks something is decided afterwards.
LIKELY = math.log(0.25 / 0.75)
# Words on one side of a place are counted up to here.
FAR = 5


class BoundaryModel:
    """Cuts a text where another question may well begin."""

    def __init__(self, weights: dict[str, float], offset: float) -> None:
        """Takes how much each sign of `_signs` speaks for a boundary."""
        self._weights, self._offset = weights, offset

    @classmethod
    def train(cls, texts: Sequence[str], labels: Sequence[str]) -> Self:
        """Learns from normalised texts with their labels, those about topics and tasks; from none, that there is no boundary."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        single = [(words, label) for text, label in zip(texts, labels, strict=True) if (words := _single(text, label))]
        seen = [row for words, ends in _joined(single) for row in _rows(words, ends)]
        seen += [row for words, _ in single for row in _rows(words, set())]
        if not any(begins for _, begins in seen):
            return cls({}, LIKELY)
        counts = Counter(sign for signs, _ in seen for sign in signs)
        columns = {sign: i for i, sign in enumerate(sorted(sign for sign, count in counts.items() if count >= RAREST))}
        found = [[columns[sign] for sign in signs if sign in columns] for signs, _ in seen]
        flat = [column for row in found for column in row]
        pointers = [0, *accumulate(map(len, found))]
        matrix = csr_matrix(([1.0] * len(flat), flat, pointers), (len(seen), len(columns)))
        fitted = LogisticRegression(solver="liblinear", random_state=SEED).fit(matrix, [begins for _, begins in seen])
        weights = {sign: round(float(fitted.coef_[0][i]), 4) for sign, i in columns.items()}
        return cls(weights, float(fitted.intercept_[0]))

    def cut(self, text: str) -> list[str]:
        """The parts of a normalised text, at least one."""
        places = list(_WORD.finditer(text))
        words = [place.group() for place in places]
        begins = [places[i].start() for i in range(1, len(words)) if self._speaks_for(words, i) > LIKELY]
        return [text[start:end].strip() for start, end in pairwise((0, *begins, len(text)))]

    def _speaks_for(self, words: Sequence[str], place: int) -> float:
        return self._offset + sum(self._weights.get(sign, 0.0) for sign in _signs(words, place))

    def save(self, folder: Path) -> None:
        """Writes the model into a folder."""
        (folder / "boundaries.json").write_text(json.dumps({"offset": self._offset, "weights": self._weights}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads a model that `save` wrote.

        Raises:
            OSError, ValueError, KeyError: the file is missing or damaged.
        """
        content = json.loads((folder / "boundaries.json").read_text())
        return cls(content["weights"], content["offset"])


def _single(text: str, label: str) -> list[str]:
    """The words of an example that asks one thing in one go; none of others."""
    words = _WORD.findall(text)
    asks = "/" in label or label in TASKS
    return words if asks and FEWEST <= len(words) <= MOST and not _MARK.search(text) else []


def _joined(single: Sequence[tuple[list[str], str]]) -> Iterator[tuple[list[str], set[int]]]:
    """Examples of different labels one behind the other, each with the places where one begins."""
    chance = np.random.default_rng(SEED)
    for _ in range(JOINED if single else 0):
        parts = [single[i] for i in chance.integers(len(single), size=3 if chance.random() < OF_THREE else 2)]
        if len({label for _, label in parts}) == len(parts):
            ends = accumulate(len(words) for words, _ in parts)
            joined = [word for words, _ in parts for word in words]
            yield joined, set(ends) - {len(joined)}


def _rows(words: Sequence[str], begins: set[int]) -> Iterator[tuple[list[str], bool]]:
    return ((_signs(words, place), place in begins) for place in range(1, len(words)))


def _signs(words: Sequence[str], place: int) -> list[str]:
    """What there is around the place before a word: the words on both sides, alone and in pairs, and how many there are."""
    before, after = words[max(0, place - 2) : place], words[place : place + 2]
    return [
        f"< {before[-1]}",
        f"<< {' '.join(before)}",
        f"> {after[0]}",
        f">> {' '.join(after)}",
        f"<> {before[-1]} {after[0]}",
        f"behind {min(place, FAR)}",
        f"ahead {min(len(words) - place, FAR)}",
    ]
