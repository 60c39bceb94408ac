"""Which topic is a text about, and how sure is that? Three views of the text, averaged, with a calibrated confidence.

The views: logistic regression on the sentence's embedding (meaning), logistic regression on the embedding together with
word and character n-grams (wording), and the nearest training examples (precedent). Their probabilities are averaged as
logarithms. Training uses scikit-learn; using the model needs only numpy.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bot.nlu.encoder import DIMENSIONS, Vector
from bot.nlu.text import words

Encode = Callable[[str], Vector]
Floats = npt.NDArray[np.float32]

# Weights of the views (meaning, wording, precedent); how they were found: docs/decisions/0005-understanding.md
WEIGHTS = (0.2, 0.7, 0.1)
MEANING_C, WORDING_C = 10.0, 20.0
WORD_NGRAMS, CHARACTER_NGRAMS = (1, 2), (2, 5)
# An n-gram of a single example is a slip of the pen more often than a sign of its topic.
RAREST_NGRAM = 2
NEIGHBOURS, NEIGHBOUR_TEMPERATURE = 3, 0.05
# The precedents of the likeliest topics alone are looked up, and so many of each: all would take longer than all the rest.
LOOKED_UP, PRECEDENTS = 3, 400
FLOOR = 1e-9


@dataclass(frozen=True)
class Calibration:
    """Turns the top probability and the likeness to the nearest example into the chance of being right.

    confidence = sigmoid(slope * logit(probability) + likeness * cosine + offset), after Platt (1999) with the cosine
    as a second evidence: a confident guess about a text unlike any example is not to be trusted.
    """

    slope: float
    likeness: float
    offset: float

    def __call__(self, probability: float, cosine: float) -> float:
        p = min(max(probability, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-(self.slope * math.log(p / (1 - p)) + self.likeness * cosine + self.offset)))


@dataclass(frozen=True)
class Scores:
    """The topics of a text, the likeliest first, each with its probability; and the cosine to the nearest example."""

    ranking: list[tuple[str, float]]
    nearest: float


class Ngrams:
    """Words and pairs of words, and runs of two to five characters within words, weighted by TF-IDF."""

    def __init__(self, vocabulary: dict[str, int], idf: Floats) -> None:
        self.vocabulary, self.idf = vocabulary, idf
        self._within = lru_cache(maxsize=10_000)(self._known_within)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Learns the n-grams that stand in at least two texts, and how rare each is."""
        counts = Counter(gram for text in texts for gram in {*_of_words(text), *chain(*map(_of_letters, text.split()))})
        kept = sorted(gram for gram, count in counts.items() if count >= RAREST_NGRAM)
        idf = np.array([math.log((1 + len(texts)) / (1 + counts[g])) + 1 for g in kept], dtype=np.float32)
        return cls({gram: i for i, gram in enumerate(kept)}, idf)

    def row(self, text: str) -> tuple[npt.NDArray[np.int64], Floats]:
        """A text as (columns, values); words and characters each make up a part of unit length."""
        of_words = [self.vocabulary[gram] for gram in _of_words(text) if gram in self.vocabulary]
        of_letters = [column for word in text.split() for column in self._within(word)]
        parts = [self._weighed(columns) for columns in (of_words, of_letters)]
        return np.concatenate([columns for columns, _ in parts]), np.concatenate([values for _, values in parts])

    def _weighed(self, columns: list[int]) -> tuple[npt.NDArray[np.int64], Floats]:
        """Each column once, with values that make up a vector of unit length."""
        counts = Counter(columns)
        found = np.fromiter(counts, np.int64, len(counts))
        values = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[found]
        return found, values / (np.linalg.norm(values) or 1)

    def _known_within(self, word: str) -> list[int]:
        return [self.vocabulary[gram] for gram in _of_letters(word) if gram in self.vocabulary]


def _of_words(text: str) -> Iterator[str]:
    tokens = words(text)
    for size in range(WORD_NGRAMS[0], WORD_NGRAMS[1] + 1):
        for i in range(len(tokens) - size + 1):
            yield "w " + " ".join(tokens[i : i + size])


def _of_letters(word: str) -> Iterator[str]:
    padded = f" {word} "
    for size in range(CHARACTER_NGRAMS[0], CHARACTER_NGRAMS[1] + 1):
        for i in range(max(1, len(padded) - size + 1)):
            yield "c" + padded[i : i + size]


class TopicModel:
    """The trained views."""

    def __init__(self, labels: list[str], ngrams: Ngrams, arrays: dict[str, npt.NDArray[Any]], encode: Encode) -> None:
        self.labels, self._ngrams, self._encode = labels, ngrams, encode
        self._arrays = arrays
        # Examples stand in the order of their labels.
        self._bounds = np.searchsorted(arrays["example_labels"], np.arange(len(labels) + 1))
        # Within a turn, several ask about the same text.
        self.score = lru_cache(maxsize=32)(self._score)

    @classmethod
    def train(cls, texts: Sequence[str], topics: Sequence[str], encode: Encode) -> Self:
        """Learns from normalised texts and the topic of each."""
        from scipy.sparse import csr_matrix, hstack
        from sklearn.linear_model import LogisticRegression

        order = sorted(range(len(texts)), key=lambda i: (topics[i], texts[i]))
        texts, topics = [texts[i] for i in order], [topics[i] for i in order]
        labels = sorted(set(topics))
        y = np.array([labels.index(topic) for topic in topics])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            vectors = np.stack(list(pool.map(encode, texts))).astype(np.float32)
        meaning = LogisticRegression(C=MEANING_C, max_iter=1000).fit(vectors, y)
        ngrams = Ngrams.of(texts)
        rows = [ngrams.row(text) for text in texts]
        pointers = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        shape = (len(texts), len(ngrams.vocabulary))
        matrix = csr_matrix((np.concatenate([v for _, v in rows]), np.concatenate([c for c, _ in rows]), pointers), shape)
        # One against the rest: ten times faster to train than all at once, and as good.
        wording = LogisticRegression(C=WORDING_C, solver="liblinear", dual=True, tol=0.1, random_state=0)
        wording.fit(hstack([csr_matrix(vectors), matrix]).tocsr(), y)
        precedents = np.concatenate([_some(np.flatnonzero(y == i)) for i in range(len(labels))])
        arrays = {
            "meaning_weights": meaning.coef_.astype(np.float32),
            "meaning_offsets": meaning.intercept_.astype(np.float32),
            "wording_weights": np.ascontiguousarray(wording.coef_.T.astype(np.float32)),
            "wording_offsets": wording.intercept_.astype(np.float32),
            "examples": vectors[precedents],
            "example_labels": y[precedents],
        }
        return cls(labels, ngrams, arrays, encode)

    def _score(self, text: str) -> Scores:
        """Scores a normalised text."""
        a = self._arrays
        vector = self._encode(text)
        meaning = softmax(a["meaning_weights"] @ vector + a["meaning_offsets"])
        columns, values = self._ngrams.row(text)
        of_vector, of_ngrams = a["wording_weights"][:DIMENSIONS], a["wording_weights"][DIMENSIONS:]
        wording = 1 / (1 + np.exp(-(vector @ of_vector + values @ of_ngrams[columns] + a["wording_offsets"])))
        joined = WEIGHTS[0] * np.log(meaning + FLOOR) + WEIGHTS[1] * np.log(wording / wording.sum() + FLOOR)
        likeness, nearest = self._likeness(vector, np.argsort(-joined)[:LOOKED_UP])
        joined = softmax(joined + WEIGHTS[2] * np.log(softmax(likeness / NEIGHBOUR_TEMPERATURE) + FLOOR))
        order = np.argsort(-joined)
        return Scores([(self.labels[i], float(joined[i])) for i in order], nearest)

    def _likeness(self, vector: Vector, of: npt.NDArray[np.int64]) -> tuple[Floats, float]:
        """How like the nearest examples of each label are, shape [labels]; and how like the nearest of all is."""
        found, nearest = {}, -1.0
        for label in of:
            cosines = self._arrays["examples"][self._bounds[label] : self._bounds[label + 1]] @ vector
            cosines.sort()
            found[label], nearest = cosines[-NEIGHBOURS:].mean(), max(nearest, float(cosines[-1]))
        likeness = np.full(len(self.labels), min(found.values()), np.float32)
        likeness[list(found)] = list(found.values())
        return likeness, nearest

    def save(self, folder: Path) -> None:
        """Writes the model into a folder."""
        np.savez(folder / "topics.npz", idf=self._ngrams.idf, **self._arrays)
        (folder / "topics.json").write_text(json.dumps({"labels": self.labels, "ngrams": list(self._ngrams.vocabulary)}))

    @classmethod
    def load(cls, folder: Path, encode: Encode) -> Self:
        """Reads a model that `save` wrote.

        Raises:
            OSError, ValueError, KeyError: a file is missing or damaged; there is no untrained stand-in.
        """
        names = json.loads((folder / "topics.json").read_text())
        with (folder / "topics.npz").open("rb") as content, np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        ngrams = Ngrams({gram: i for i, gram in enumerate(names["ngrams"])}, arrays.pop("idf"))
        return cls(names["labels"], ngrams, arrays, encode)


def _some(places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """So many of the places as are kept as precedents, evenly."""
    return places[np.linspace(0, len(places) - 1, min(len(places), PRECEDENTS)).astype(np.int64)]


def softmax(scores: Any) -> Any:
    """Scores as shares that add up to one, along the last axis."""
    powers = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
