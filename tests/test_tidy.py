"""What is done to a text before anything reads it; and which texts need no reading."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tidy import MAX_LENGTH, TroubleSpotter, tidy

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def spotter() -> TroubleSpotter:
    return TroubleSpotter(ROOT / "data" / "languages.yml")


@pytest.mark.parametrize(
    ("raw", "tidied"),
    [
        ("  does \t it\n\nhurt?  ", "does it hurt?"),
        ("does\x00 it\x07 hurt\x1b[31m?", "does it hurt [31m?"),
        ("do\u200bes it hurt\ufeff", "do es it hurt"),
        ("\u202egniht", "gniht"),
        ("cafe\u0301", "caf\u00e9"),
        ("/greet", "greet"),
        ('/intent{"slot": "x"}', 'intent{"slot": "x"}'),
        ("\u200b / / //restart", "restart"),
        ("and/or", "and/or"),
        ("\ud800 lone surrogate", "lone surrogate"),
        ("", ""),
    ],
)
def test_text_is_tidied(raw: str, tidied: str) -> None:
    assert tidy(raw) == tidied


@given(st.text())
def test_tidied_text_is_never_a_command_and_stays_as_it_is(raw: str) -> None:
    tidied = tidy(raw)
    assert not tidied.startswith(("/", " "))
    assert tidy(tidied) == tidied
    tidied.encode()


@pytest.mark.parametrize("text", ["", "\U0001f642", "\U0001f642 \u2764\ufe0f !!!", "...", "-", "\u2022 \u2022"])
def test_text_without_words(spotter: TroubleSpotter, text: str) -> None:
    assert spotter.trouble(tidy(text)) == "no_words"


@pytest.mark.parametrize("text", ["?", "2", "$?", "\u00a3", "24/7", "999"])
def test_sign_that_may_mean_something_is_read(spotter: TroubleSpotter, text: str) -> None:
    assert spotter.trouble(tidy(text)) is None


def test_longest_text_that_is_read(spotter: TroubleSpotter) -> None:
    longest = ("does it hurt? " * 100)[:MAX_LENGTH].strip()
    assert spotter.trouble(longest.ljust(MAX_LENGTH, "?")) is None
    assert spotter.trouble(longest.ljust(MAX_LENGTH + 1, "?")) == "too_long"


@pytest.mark.parametrize(
    "text",
    [
        "\u00bfCu\u00e1nto cuesta y duele mucho?",
        "combien \u00e7a co\u00fbte et est-ce que \u00e7a fait mal",
        "wie viel kostet eine Behandlung",
        "hoeveel kost een behandeling",
        "Quanto custa o tratamento para o rosto?",
        "ile kosztuje zabieg na twarz",
        "\u0431\u043e\u043b\u044c\u043d\u043e \u043b\u0438 \u044d\u0442\u043e?",
        "\u75bc\u5417",
        "\u0647\u0644 \u064a\u0624\u0644\u0645\u061f",
    ],
)
def test_other_language_is_spotted(spotter: TroubleSpotter, text: str) -> None:
    assert spotter.trouble(tidy(text)) == "other_language"


@pytest.mark.parametrize(
    "text",
    [
        "does it hurt?",
        "can you do my d\u00e9collet\u00e9 and caf\u00e9-au-lait spots",
        "how many days after",
        "is Jos\u00e9 in on monday",
        "wot abt my bum \U0001f642\U0001f642\U0001f642",
        "mi skin is so dry",
        "i am po faced",
        "does vitamin A mal me peel",
        "tut das weh? does it hurt a lot",
    ],
)
def test_english_is_not_taken_for_another_language(spotter: TroubleSpotter, text: str) -> None:
    assert spotter.trouble(tidy(text)) is None


def test_huge_text_costs_little(spotter: TroubleSpotter) -> None:
    started = time.process_time()
    assert spotter.trouble(tidy("a\u0301/ \x00" * 100_000)) == "too_long"
    assert time.process_time() - started < 5
