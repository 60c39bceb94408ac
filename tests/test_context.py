"""What a short message means after the one before, and which choice it picks."""

from pathlib import Path

import pytest

from bot.context import PHRASES, Phrases, numbered, offered, titled
from bot.reply import Choice, Message, Reply
from clinic.yaml import BadFile

ROOT = Path(__file__).parents[1]
CHOICES = [
    Choice("a", "How long is the recovery?", "faq/downtime"),
    Choice("b", "How long does a visit take?", "faq/session_length"),
    Choice("c", "Something else", "something_else"),
]


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    return Phrases.load(ROOT / PHRASES)


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("1", "a"),
        ("2", "b"),
        ("2.", "b"),
        ("number 2", "b"),
        ("no. 2", "b"),
        ("option two", "b"),
        ("the second one", "b"),
        ("ok, the first", "a"),
        ("3rd", None),
        ("three", "c"),
        ("last one", "c"),
        ("4", None),
        ("0", None),
        ("99", None),
        ("2 weeks", None),
        ("how long", None),
        ("", None),
    ],
)
def test_choice_by_number(text: str, picked: str | None) -> None:
    choice = numbered(text, CHOICES)
    assert (choice.id if choice else None) == picked


def test_number_picks_nothing_where_nothing_was_offered() -> None:
    assert numbered("1", []) is None
    assert numbered("last", []) is None


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("how long is the recovery", "a"),
        ("How long is the recovry?", "a"),
        ("ok, something else", "c"),
        ("how long", None),
        ("does it hurt", None),
        ("", None),
    ],
)
def test_choice_by_title(text: str, picked: str | None) -> None:
    choice = titled(text, CHOICES)
    assert (choice.id if choice else None) == picked


def test_title_picks_nothing_where_nothing_was_offered() -> None:
    assert titled("something else", []) is None


def test_choices_of_all_messages_are_offered_in_order() -> None:
    reply = Reply("answer", None, ["x"], 1.0, [], [Message("m", "", CHOICES[:1]), Message("n", "", CHOICES[1:])])
    assert offered(reply) == CHOICES


@pytest.mark.parametrize(
    ("text", "after", "meaning"),
    [
        ("tell me more", "pain", "tell_more"),
        ("Ok, tell me more!", "cost", "tell_more"),
        ("did it go through?", "book_appointment", "repeat"),
        ("did it go through?", "pain", "check_appointment"),
        ("and after?", "pain", "aftercare"),
        ("and after?", "makeup_after", "makeup_after"),
        ("and how long?", "numbing", None),
        ("", "pain", None),
    ],
)
def test_set_phrase_depends_on_the_last_topic(phrases: Phrases, text: str, after: str, meaning: str | None) -> None:
    assert phrases.meaning(text, after) == meaning


def test_wrong_file_is_named_with_line(tmp_path: Path) -> None:
    wrong = tmp_path / "phrases.yml"
    wrong.write_text("- says: [how long]\n  else: session_length\n- says: []\n")
    with pytest.raises(BadFile) as caught:
        Phrases.load(wrong)
    assert caught.value.problems[0].startswith(f"{wrong}:3: 1.says")
