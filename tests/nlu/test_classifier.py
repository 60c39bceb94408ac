"""The topics' model: trained on a handful of texts with a stand-in for the encoder, kept, and read again."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bot.nlu.classifier import Calibration, Ngrams, TopicModel
from bot.nlu.encoder import DIMENSIONS, Vector

EXAMPLES = {
    "faq/pain": ["does it hurt", "is it painful", "will it hurt me", "how painful is it", "does it hurt a lot"],
    "faq/cost": ["how much is it", "what does it cost", "how much does it cost", "what is the price", "price please"],
    "faq/downtime": ["how long to heal", "how long is recovery", "when am i healed", "recovery time", "days to recovery"],
    "greet": ["hi", "hello there"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
TOPICS = [topic for topic, texts in EXAMPLES.items() for _ in texts]
UNSEEN = ["will it hurt", "cost?", "how long until i am healed", "zzz", "", "?!", "hi how much does it hurt"]


def encode(text: str) -> Vector:
    """Texts that share words get near vectors of unit length."""
    vector = np.full(DIMENSIONS, 1e-3, np.float32)
    for word in text.split():
        vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % DIMENSIONS] += 1
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> TopicModel:
    return TopicModel.train(TEXTS, TOPICS, encode)


@pytest.mark.parametrize(
    ("text", "topic"),
    [("will it hurt", "faq/pain"), ("what is the cost", "faq/cost"), ("how long is it to heal", "faq/downtime")],
)
def test_likeliest_topic_comes_first(model: TopicModel, text: str, topic: str) -> None:
    assert model.score(text).ranking[0][0] == topic


@pytest.mark.parametrize("text", UNSEEN)
def test_probabilities_add_up_and_fall(model: TopicModel, text: str) -> None:
    ranking = model.score(text).ranking
    probabilities = [p for _, p in ranking]
    assert {label for label, _ in ranking} == set(EXAMPLES)
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    assert probabilities == sorted(probabilities, reverse=True)
    assert min(probabilities) >= 0


def test_nearest_example_is_itself(model: TopicModel) -> None:
    assert model.score("does it hurt").nearest == pytest.approx(1, abs=1e-5)
    assert model.score("qwertyuiop").nearest < 0.5


def test_training_is_the_same_each_time_and_whatever_the_order(model: TopicModel) -> None:
    again = TopicModel.train(TEXTS[::-1], TOPICS[::-1], encode)
    for text in UNSEEN:
        assert again.score(text) == model.score(text)


def test_kept_model_gives_the_very_same_scores(model: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    kept = TopicModel.load(tmp_path, encode)
    for text in [*TEXTS, *UNSEEN]:
        assert kept.score(text) == model.score(text)


@pytest.mark.parametrize("name", ["topics.npz", "topics.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other"])
def test_damaged_file_is_an_error_and_never_an_untrained_model(model: TopicModel, tmp_path: Path, name: str, damage: str) -> None:
    model.save(tmp_path)
    path = tmp_path / name
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "other": b'{"a": 1}'}[damage])
    with pytest.raises((OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)):
        TopicModel.load(tmp_path, encode)


def test_file_that_would_run_code_is_refused(model: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    np.savez(tmp_path / "topics.npz", idf=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        TopicModel.load(tmp_path, encode)


def test_ngram_of_a_single_text_is_not_learned() -> None:
    grams = Ngrams.of(["red skin", "red face"]).vocabulary
    assert "w red" in grams
    assert "w skin" not in grams
    assert "w red skin" not in grams


def test_words_and_characters_each_make_up_unit_length() -> None:
    ngrams = Ngrams.of(["red skin", "red skin"])
    columns, values = ngrams.row("red skin")
    names = {column: gram for gram, column in ngrams.vocabulary.items()}
    of_words = np.array([names[int(column)].startswith("w") for column in columns])
    assert np.sum(values[of_words] ** 2) == pytest.approx(1, abs=1e-5)
    assert np.sum(values[~of_words] ** 2) == pytest.approx(1, abs=1e-5)


def test_calibration_rises_with_probability_and_likeness_and_stays_a_chance() -> None:
    calibration = Calibration(slope=1.2, likeness=1.7, offset=-0.7)
    assert calibration(0.2, 0.5) < calibration(0.5, 0.5) < calibration(0.9, 0.5)
    assert calibration(0.5, 0.1) < calibration(0.5, 0.9)
    for probability in (0.0, 1.0):
        assert 0 < calibration(probability, 1.0) < 1


def test_kept_names_are_plain_json(model: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert json.loads((tmp_path / "topics.json").read_text())["labels"] == sorted(EXAMPLES)
