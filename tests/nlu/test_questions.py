"""Where one message may hold several questions, and whether it does."""

from collections.abc import Callable

import pytest

from bot.nlu.classifier import Scores
from bot.nlu.questions import MOST_PIECES, MOST_QUESTIONS, Guess, Piece, Reader, asks, evidence, pieces

# What a text is about, by the first of these words in it.
KNOWN = {"hurt": "faq/pain", "cost": "faq/cost", "long": "faq/downtime", "safe": "faq/safety", "tan": "faq/sun", "ok": "affirm"}


def score(text: str) -> Scores:
    """Surely about what it names first; a text that names nothing is about nothing in particular."""
    named = sorted((text.find(word), label) for word, label in KNOWN.items() if word in text)
    top, p = (named[0][1], 0.9) if named else ("faq/none", 0.05)
    return Scores([(top, p), *((label, 0.01) for label in KNOWN.values() if label != top)], p)


def reader(offset: float) -> Reader:
    """One that takes every part for a question (offset above 0), or none."""
    guess = Guess("x", score("hurt"), 0.9)
    weights = [0.0] * len(evidence(guess, [(guess, Piece("x", strong=True))], 0))
    return Reader(score, lambda probability, _: probability, whole, lean, weights, offset)


def whole(text: str) -> list[str]:
    """Cuts nowhere."""
    return [text]


def lean(text: str, before: str, topic: str) -> Guess | None:
    """After pain, "a lot" is about pain as well."""
    return Guess(text, Scores([(topic, 0.8)], 0.8), 0.8) if "a lot" in text and topic == "faq/pain" else None


@pytest.fixture
def read() -> Callable[[str], list[str]]:
    """The topics of a message, when every boundary counts."""
    return lambda text: [guess.label for guess in reader(1.0).read(text)]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("does it hurt?", ["does it hurt"]),
        ("does it hurt? how long", ["does it hurt", "how long"]),
        ("does it hurt and how much", ["does it hurt", "how much"]),
        ("does it hurt, also cost", ["does it hurt", "cost"]),
        ("hurt n cost", ["hurt", "cost"]),
        ("hurt & cost + time", ["hurt", "cost", "time"]),
        ("does it hurt... and what does it cost!!", ["does it hurt", "what does it cost"]),
        ("sand and android", ["sand", "android"]),
        ("android", ["android"]),
        ("hurt - what does it cost", ["hurt", "what does it cost"]),
        ("is 1.5mm deep", ["is 1.5mm deep"]),
        ("1) hurt 2) cost", ["1) hurt", "cost"]),
        ("???", []),
        ("", []),
    ],
)
def test_message_is_cut_where_another_question_may_begin(text: str, cut: list[str]) -> None:
    assert [piece.text for piece in pieces(text, whole)] == cut


def test_part_without_a_mark_in_it_is_cut_by_the_model_of_boundaries() -> None:
    cut = pieces("i am 40. hurt cost? time", str.split)
    assert [piece.text for piece in cut] == ["i", "am", "40", "hurt", "cost", "time"]
    assert [piece.strong for piece in cut] == [True, False, False, True, False, True]
    assert [piece.questioned for piece in cut] == [False, False, False, False, True, False]


def test_boundary_between_sentences_is_stronger_than_a_joining_word() -> None:
    assert [piece.strong for piece in pieces("hurt? cost and time", whole)] == [True, True, False]


def test_question_mark_belongs_to_the_part_before_it() -> None:
    assert [piece.questioned for piece in pieces("i am 40. does it hurt? and cost??", whole)] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "does"), [("how much", True), ("can i", True), ("pls tell", True), ("my skin", False), ("however", False)]
)
def test_beginning_of_a_question(text: str, does: bool) -> None:
    assert asks(text) is does


def test_questions_come_in_the_order_asked(read: Callable[[str], list[str]]) -> None:
    assert read("what does it cost? does it hurt") == ["faq/cost", "faq/pain"]
    assert read("does it hurt and what does it cost") == ["faq/pain", "faq/cost"]


def test_message_stays_whole_when_the_evidence_is_thin() -> None:
    [guess] = reader(-1.0).read("does it hurt and what does it cost")
    assert guess.text == "does it hurt and what does it cost"


def test_two_parts_on_one_topic_are_one_question(read: Callable[[str], list[str]]) -> None:
    assert read("does it hurt? i mean hurt a lot") == ["faq/pain"]
    assert read("does it hurt? cost? will it hurt") == ["faq/pain", "faq/cost"]


def test_at_most_three_questions(read: Callable[[str], list[str]]) -> None:
    assert len(read("hurt? cost? long? safe? tan?")) == MOST_QUESTIONS


def test_long_story_is_read_as_a_whole(read: Callable[[str], list[str]]) -> None:
    story = ". ".join(["does it hurt", "what does it cost"] * MOST_PIECES)
    assert len(read(story)) == 1


def test_context_is_no_question(read: Callable[[str], list[str]]) -> None:
    assert read("i am a nurse. does it hurt") == ["faq/pain"]


def test_aside_is_no_question() -> None:
    [(guess, _)] = reader(1.0).candidates("ok, does it hurt")
    assert guess.label == "faq/pain"


def test_part_that_says_little_by_itself_is_read_in_the_light_of_the_one_before() -> None:
    assert [guess.label for guess, _ in reader(1.0).candidates("does it hurt? a lot? cost?")] == ["faq/pain", "faq/cost"]
    assert [guess.label for guess, _ in reader(1.0).candidates("does it cost? a lot? hurt?")] == ["faq/cost", "faq/pain"]


def test_part_that_speaks_for_itself_is_not() -> None:
    assert [guess.label for guess, _ in reader(1.0).candidates("does it hurt? is it a lot longer?")] == [
        "faq/pain",
        "faq/downtime",
    ]


@pytest.mark.parametrize("text", ["", "?", "and", ", ,", "a" * 1000])
def test_there_is_always_one_question(read: Callable[[str], list[str]], text: str) -> None:
    assert len(read(text)) == 1
