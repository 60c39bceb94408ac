"""Misspelt words are repaired towards what visitors say; all else is left as it is written."""

import pytest

from bot.nlu.spelling import Spelling

OWN = {"microneedling": 9, "dermaroller": 4, "collagen": 3, "appt": 2, "dont": 5, "nambing": 2, "anesthetic": 2}


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling(OWN)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("does microneedeling hurt", "does microneedling hurt"),
        ("micronedling", "microneedling"),
        ("dermarolller", "dermaroller"),
        ("what is colagen?", "what is collagen?"),
        ("anestetic", "anesthetic"),
    ],
)
def test_misspelt_word_is_repaired(spelling: Spelling, text: str, repaired: str) -> None:
    assert spelling.repair(text) == repaired


@pytest.mark.parametrize(
    "text",
    ["u r gr8", "spf 50+", "dont", "weren't it sore", "2moro", "appt", "yes", "caf\u00e9", "qqqqzzzzxx", "numb", "prp", ""],
)
def test_what_may_be_meant_is_left_alone(spelling: Spelling, text: str) -> None:
    assert spelling.repair(text) == text


def test_word_of_visitors_wins_over_one_of_the_dictionary(spelling: Spelling) -> None:
    # Both "nambing" and "numbing" are one slip away.
    assert spelling.repair("nimbing") == "nambing"


def test_word_of_a_single_example_is_not_learned() -> None:
    assert Spelling.of(["microneedling once", "dermaroller", "dermaroller dermaroller"]).own_words == {"dermaroller": 2}
