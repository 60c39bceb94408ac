"""How a message looks to the understanding components."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.text import normalise, words


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("  Does IT\n hurt?  ", "does it hurt?"),
        ("sooooo sore", "soo sore"),
        ("helloooo!!!!", "helloo!!!!"),
        ("1000 people", "1000 people"),
        ("What\u2019s \u201cmicro\u2013needling\u201d", 'what\'s "micro-needling"'),
        ("\uff44\uff4f\uff45\uff53 it", "does it"),
        ("", ""),
    ],
)
def test_text_is_normalised(raw: str, normalised: str) -> None:
    assert normalise(raw) == normalised


@given(st.text())
def test_white_space_is_single(raw: str) -> None:
    assert normalise(raw).split() == [word for word in normalise(raw).split(" ") if word]


def test_apostrophe_inside_a_word_belongs_to_it() -> None:
    assert words("what's my skin's 'best' spf50?") == ["what's", "my", "skin's", "best", "spf50"]
