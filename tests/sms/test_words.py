"""The words that mean something of their own, and those that only look like it."""

from pathlib import Path

import pytest

from bot.sms.words import Meaning, Words
from clinic.yaml import BadFile


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("STOP", Meaning("stop")),
        ("“Stop!”", Meaning("stop")),
        ("ok stop now", Meaning("stop")),
        ("I'd like to opt out", Meaning("stop")),
        ("take my number off your list", Meaning("stop")),
        ("can you please stop texting me", Meaning("stop", whole=False)),
        ("do not contact me again", Meaning("stop")),
        ("cancel my texts", Meaning("stop")),
        ("what if I stop texting you?", Meaning("help", whole=False)),
        ("unless you stop texting me I'll sue", None),
        ("CANCEL", Meaning("cancel")),
        ("please cancel", None),
        ("help me", None),
        ("HELP", Meaning("help")),
        ("Yes.", Meaning("yes")),
        ("remove me from the Friday slot", None),
        ("no", None),
        ("", None),
        ("👍", None),
    ],
)
def test_keywords(words: Words, text: str, meaning: Meaning | None) -> None:
    assert words.keyword(text) == meaning


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("2.", 2),
        ("(3)", 3),
        ("#4", 4),
        ("option 2", 2),
        ("two", 2),
        ("12", 12),
        ("1 pm", None),
        ("123", None),
        ("²", None),
        ("", None),
    ],
)
def test_numbers(words: Words, text: str, number: int | None) -> None:
    assert words.number(text) == number


def test_end_and_quit_are_no_words_of_a_menu(words: Words) -> None:
    """3.5f"""
    for word in ("END", "QUIT", "CANCEL", "STOP"):
        assert words.code(word) is None


def test_the_letters_of_a_menu_stop_no_texts(words: Words) -> None:
    """3.5c"""
    for word in ("C", "R", "X", "MORE", "AGENT", "1"):
        assert words.keyword(word) is None
        assert not words.is_twilios(word)


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.yml"
    path.write_text("stop: {words: []}\n")
    with pytest.raises(BadFile, match=r"words\.yml:1"):
        Words.load(path)
