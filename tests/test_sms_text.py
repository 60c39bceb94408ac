"""How text messages are folded, encoded and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sms_text import GSM_7, GSM_7_EXTENSION, encoding, fold, length, segments, strangers

SMILE = "\N{SLIGHTLY SMILING FACE}"


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("it’s ‘fine’", "it's 'fine'"),
        ("“quoted” «too»", '"quoted" "too"'),
        ("3–6 visits — or 4‑5", "3-6 visits - or 4-5"),
        ("well…", "well..."),
        ("9\u202fAM\u00a0to\u20095 PM", "9 AM to 5 PM"),
        ("one\ttwo", "one two"),
        ("zero\u200bwidth\ufeff, soft\u00adhyphen", "zerowidth, softhyphen"),
        ("Cafe\u0301", "Café"),
        ("plain\nlines", "plain\nlines"),
        (f"smile {SMILE}", f"smile {SMILE}"),
    ],
)
def test_typography_is_made_plain_and_nothing_else(typed: str, plain: str) -> None:
    """3.8b"""
    assert fold(typed) == plain


def test_the_alphabet_has_the_size_that_the_standard_gives_it() -> None:
    # 128 places, one of which is the escape to the extension table
    assert (len(GSM_7), len(GSM_7_EXTENSION)) == (127, 10)
    assert not GSM_7 & GSM_7_EXTENSION


@pytest.mark.parametrize("text", ["", "plain", "£5 @ 9 Å ñ à é", "^{}\\[~]|€", "line\nline", "ΔΦΓΛΩΠΨΣΘΞ"])
def test_texts_of_the_gsm_alphabet(text: str) -> None:
    """3.8a"""
    assert encoding(text) == "GSM-7"


@pytest.mark.parametrize("text", ["it’s", "ç", "á", "`", "a\tb", "Ω Я", SMILE])
def test_one_other_character_makes_a_text_ucs_2(text: str) -> None:
    """3.8a"""
    assert encoding(f"plain {text}") == "UCS-2"


def test_strangers_are_named_once_in_order() -> None:
    assert strangers("ç á ç ok") == ["ç", "á"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        # 152 and a half: the escape and its character stay together
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 151 + "€" + "a" * 153, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        (SMILE * 35, 1),
        (SMILE * 36, 2),
        # 66 of 67 in each part: an emoji is not cut in half
        (SMILE * 66, 2),
        (SMILE * 67, 3),
    ],
)
def test_parts(text: str, parts: int) -> None:
    """3.8a"""
    assert segments(text) == parts


def test_length_counts_what_is_sent() -> None:
    """3.8c"""
    assert length("a€") == 3
    assert length(f"á€{SMILE}") == 4


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=sorted(GSM_7 | GSM_7_EXTENSION)))
def test_folding_leaves_the_gsm_alphabet_alone(text: str) -> None:
    assert fold(text) == text


@given(st.text(max_size=600))
def test_parts_hold_the_text_and_hardly_more(text: str) -> None:
    alone, each = (160, 153) if encoding(text) == "GSM-7" else (70, 67)
    if length(text) > alone:
        # a part is at most one short of full
        assert length(text) / each <= segments(text) <= length(text) / (each - 1) + 1
    else:
        assert segments(text) == (1 if text else 0)
