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
        ("S T O P", Meaning("stop")),
        ("s.t.o.p.", Meaning("stop")),
        ("stoppp!!", Meaning("stop")),
        ("stop stop", Meaning("stop")),
        ("stpo", Meaning("stop")),
        ("unsuscribe", Meaning("stop")),
        ("\N{OCTAGONAL SIGN}", Meaning("stop")),
        ("I didn't sign up for this", Meaning("stop", whole=False)),
        ("go away", Meaning("stop")),
        ("will the redness go away", None),
        ("i did not agree to this price", None),
        ("shop", None),
        ("Cancell", Meaning("cancel")),
        ("CANCEL", Meaning("cancel")),
        ("please cancel", None),
        ("help me", None),
        ("HELP", Meaning("help")),
        ("Yes.", Meaning("yes")),
        ("remove me from the Friday slot", None),
        ("take me off the list", Meaning("stop")),
        ("I shan't make it on Friday, please take me off the list", None),
        ("I've decided against it. Please take me off the list for the 14th", None),
        ("take me off the list for 2 june", None),
        ("you may take me off your list", Meaning("stop", whole=False)),
        ("take me off your text list, and I'm still coming Friday", Meaning("stop", whole=False)),
        ("no", None),
        ("no more", None),
        ("no more questions, thanks", None),
        ("no texts please", Meaning("stop")),
        ("STOP!! I SAID STOP", Meaning("stop")),
        ("how to unsubscribe", Meaning("help")),
        ("stop harassing me", Meaning("stop")),
        ("stop by at 3?", None),
        ("stop!! my face is burning", None),
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
        ("2\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}", 2),
        ("1 pm", None),
        ("123", None),
        ("²", None),
        ("", None),
    ],
)
def test_numbers(words: Words, text: str, number: int | None) -> None:
    assert words.number(text) == number


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Liked “Call 911 now”", True),
        ('Reacted 👍 to "You are booked: STOP to end texts."', True),
        ("\u200a\u200b👍\u200b to “\u200aSee you.\u200a”\u200a", True),
        ("Laughed at “one\ntwo”", True),
        ("Removed a heart from “x”", True),
        ("Loved an image", True),
        ("Le gustó “hola”", True),
        ("Liked it", False),
        ("I liked “it”", False),
        ("Questioned “Call 911” I cannot breathe", False),
        ("", False),
    ],
)
def test_reactions(words: Words, text: str, is_one: bool) -> None:
    assert words.is_reaction(text) is is_one


@pytest.mark.parametrize(
    ("text", "agrees"), [("Y", True), ("👍🏽", True), ("👌👌", True), ("n", False), ("ok 👍", False), ("", False)]
)
def test_yes_in_a_letter_or_a_sign(words: Words, text: str, agrees: bool) -> None:
    assert words.agrees(text) is agrees


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
