"""What a short message asks after an answer: learned from a handful of precedents, kept, and read again."""

from pathlib import Path

import numpy as np
import pytest

from bot.nlu import follow_ups
from bot.nlu.classifier import Calibration, TopicModel
from bot.nlu.follow_ups import UP_TO, FollowUpModel, Precedent
from clinic.yaml import BadFile
from tests.nlu.test_classifier import EXAMPLES, encode

SURE = Calibration(slope=1, likeness=0, offset=0)
DANGERS = {"emergency": ["help i cannot breathe", "cannot breathe"]}
PRECEDENTS = [
    Precedent("does it hurt", "even a lot", "pain"),
    Precedent("is it painful", "and for long", "downtime"),
    Precedent("will it hurt me", "for long", "downtime"),
    Precedent("how much is it", "and for long", "cost"),
    Precedent("what does it cost", "for long", "cost"),
    Precedent("price please", "even a lot", "cost"),
    Precedent("how long is recovery", "and the price", "cost"),
    Precedent("recovery time", "hi there", "greet"),
    Precedent("hi", "and for long", "pain"),
    Precedent("does it hurt", "and the tea", "forgotten"),
]


@pytest.fixture(scope="module")
def topics() -> TopicModel:
    pairs = [(text, label) for label, texts in (EXAMPLES | DANGERS).items() for text in texts]
    return TopicModel.train([text for text, _ in pairs], [label for _, label in pairs], encode)


@pytest.fixture(scope="module")
def model(topics: TopicModel) -> FollowUpModel:
    return FollowUpModel.train(PRECEDENTS, topics, SURE, encode)


def asked(model: FollowUpModel, text: str, before: str, topic: str) -> str:
    guess = model.read(text, before, topic)
    assert guess is not None
    return guess.label


@pytest.mark.parametrize(
    ("text", "before", "topic", "meant"),
    [
        ("for long", "does it hurt a lot", "faq/pain", "faq/downtime"),
        ("for long", "how much does it cost", "faq/cost", "faq/cost"),
        ("what is the price", "does it hurt", "faq/pain", "faq/cost"),
    ],
)
def test_same_words_mean_another_thing_after_another_answer(
    model: FollowUpModel, text: str, before: str, topic: str, meant: str
) -> None:
    assert asked(model, text, before, topic) == meant


def test_probabilities_add_up_and_fall(model: FollowUpModel) -> None:
    guess = model.read("for long", "does it hurt", "faq/pain")
    assert guess is not None
    chances = [p for _, p in guess.scores.ranking]
    assert sum(chances) == pytest.approx(1)
    assert chances == sorted(chances, reverse=True)
    assert guess.confidence == chances[0]


def test_danger_is_left_to_the_safety_gate(model: FollowUpModel) -> None:
    guess = model.read("cannot breathe", "does it hurt", "faq/pain")
    assert guess is not None
    assert dict(guess.scores.ranking)["emergency"] == 0


@pytest.mark.parametrize("text", ["", " ".join(["long"] * (UP_TO + 1))])
def test_a_text_of_no_words_or_many_speaks_for_itself(model: FollowUpModel, text: str) -> None:
    assert model.read(text, "does it hurt", "faq/pain") is None


def test_without_precedents_each_message_speaks_for_itself(topics: TopicModel, tmp_path: Path) -> None:
    FollowUpModel.train([Precedent("hi", "and for long", "pain")], topics, SURE, encode).save(tmp_path)
    assert FollowUpModel.load(tmp_path, topics, SURE, encode).read("for long", "does it hurt", "faq/pain") is None


def test_clear_small_talk_speaks_for_itself(topics: TopicModel) -> None:
    model = FollowUpModel.train(PRECEDENTS, topics, Calibration(slope=0, likeness=0, offset=9), encode)
    assert model.read("hello there", "does it hurt", "faq/pain") is None
    assert model.read("even a lot", "does it hurt", "faq/pain") is not None


def test_a_topic_of_an_older_model_is_no_context(model: FollowUpModel) -> None:
    assert model.read("for long", "does it hurt", "faq/forgotten") is None


def test_kept_model_reads_the_same(model: FollowUpModel, topics: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    kept = FollowUpModel.load(tmp_path, topics, SURE, encode)
    for text in ("for long", "even a lot", "hi there"):
        assert kept.read(text, "does it hurt", "faq/pain") == model.read(text, "does it hurt", "faq/pain")


def test_missing_model_is_an_error(topics: TopicModel, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FollowUpModel.load(tmp_path, topics, SURE, encode)


def test_training_is_the_same_each_time(model: FollowUpModel, topics: TopicModel) -> None:
    again = FollowUpModel.train(PRECEDENTS, topics, SURE, encode)
    one, other = model.read("for long", "does it hurt", "faq/pain"), again.read("for long", "does it hurt", "faq/pain")
    assert one is not None
    assert other is not None
    assert np.allclose(one.confidence, other.confidence)


def test_files_are_read_by_topic(tmp_path: Path) -> None:
    (tmp_path / "pain.yml").write_text("- {after: what is it, says: and sore}\n")
    (tmp_path / "cost.yml").write_text("- {after: what is it, says: and pricey}\n")
    assert follow_ups.read(tmp_path) == [
        Precedent("what is it", "and pricey", "cost"),
        Precedent("what is it", "and sore", "pain"),
    ]


def test_wrong_file_is_named_with_line(tmp_path: Path) -> None:
    (tmp_path / "pain.yml").write_text("- {after: what is it, says: and sore}\n- {after: what is it}\n")
    with pytest.raises(BadFile) as caught:
        follow_ups.read(tmp_path)
    assert caught.value.problems[0].startswith(f"{tmp_path / 'pain.yml'}:2: 1.says")
