"""A turn's reply as texts: 3.8."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.sms import replies
from bot.sms_text import encoding, segments, split
from tests.sms.conftest import said

MORE = "\nMORE for the rest."
PHONE, LINK = "(212) 555-0142", "https://larkfield-skin.example/after-care"


def test_typographic_characters_do_not_turn_160_into_70() -> None:
    """3.8b"""
    (text,) = replies.write(said("It’s “fine” – see you… • soon"), MORE).texts
    assert encoding(text) == "GSM-7"


def test_the_choices_of_a_question_are_numbered_lines_of_the_same_text() -> None:
    written = replies.write(said("Which?", choices=("A", "B"), zone="clarify"), MORE)
    assert written.texts == ("Which?\n1 A\n2 B",)
    assert written.offered == ("id-A", "id-B")


def test_choices_stay_together_in_a_text_of_their_own_when_they_do_not_fit_beside_the_question() -> None:
    written = replies.write(said("Shall I? " * 15, choices=("Yes, book it", "No, change something"), zone="task"), MORE)
    assert written.texts == (f"1/2 {('Shall I? ' * 15).strip()}", "2/2\n1 Yes, book it\n2 No, change something")
    assert not written.rest


def test_what_an_answer_suggests_costs_no_segment_whatever_it_is() -> None:
    assert replies.write(said("x" * 155, choices=("book_appointment:Book a visit",)), MORE).texts == ("x" * 155,)


def test_what_a_form_asks_keeps_its_choices_beside_an_answer() -> None:
    written = replies.write(said("x" * 150, choices=("pick:yes=:Yes, book it", "pick:no=:No")), MORE)
    assert written.texts[-1] == "2/2\n1 Yes, book it\n2 No"


def test_a_text_that_goes_on_later_breaks_off_at_the_end_of_a_sentence() -> None:
    hours = "We are open " + "Mon-Wed 9 AM-6 PM, " * 20
    written = replies.write(said("A sentence of the answer. " * 5, "Most people need about 3 to 6 treatments.", hours), MORE)
    assert written.texts[1] == f"2/2 Most people need about 3 to 6 treatments.{MORE}"
    assert written.rest.startswith("We are open")


def test_what_is_asked_never_waits_for_more() -> None:
    """3.8f: what is said before it does."""
    answer, decides, asked = ("An answer. " * 20).strip(), ("A clinician decides. " * 6).strip(), "What is your full name?"
    written = replies.write(said(answer, decides, asked), MORE, asks=True)
    assert written.texts == (f"1/2 {'An answer. ' * 12}".strip() + MORE, f"2/2 {decides}\n{asked}")
    assert written.rest == ("An answer. " * 8).strip()
    longer = replies.write(said(answer, f"{decides} Call us, please.", asked), MORE, asks=True)
    assert [segments(text) for text in longer.texts] == [1, 1]
    assert longer.texts[-1].endswith(asked + MORE)
    assert longer.rest == answer
    with_choices = replies.write(said(answer, decides, choices=("Book a visit", "Talk to a person"), safety="clinician"), MORE)
    assert "1 Book a visit\n2 Talk to a person" in with_choices.texts[-1]


def test_topics_that_go_on_from_an_answer_are_named_as_far_as_that_is_free() -> None:
    written = replies.write(said("x" * 150, choices=("faq/a:A", "faq/b:A long title")), MORE)
    assert written.texts == ("x" * 150 + "\n1 A",)
    assert written.offered == ("id-A",)
    assert replies.write(said("x" * 160, choices=("faq/a:A",)), MORE).offered == ()


def test_a_reply_is_two_segments_at_most_and_the_rest_waits() -> None:
    """3.8e"""
    written = replies.write(said("A sentence of the answer. " * 30), MORE)
    assert [segments(text) for text in written.texts] == [1, 1]
    assert written.texts[0].startswith("1/2 ")
    assert written.texts[1].startswith("2/2 ")
    assert written.texts[1].endswith(MORE)
    assert written.rest


def test_what_is_urgent_is_said_in_full() -> None:
    written = replies.write(said("Call 911 now, or go there. " * 30, zone="safety", safety="emergency"), MORE)
    assert len(written.texts) > 2
    assert not written.rest
    assert "MORE" not in "".join(written.texts)


def test_what_a_clinician_decides_keeps_its_choices() -> None:
    written = replies.write(said("A clinician decides.", choices=("Call me",), safety="clinician", zone="task"), MORE)
    assert written.offered == ("id-Call me",)


def test_several_messages_of_a_turn_are_one_text_when_they_fit() -> None:
    assert replies.write(said("One.", "Two."), MORE).texts == ("One.\nTwo.",)


def test_blank_lines_and_buttons_make_no_texts_of_their_own() -> None:
    """3.9c: one text, and nothing of what stands behind a button in it."""
    written = replies.write(said("One.\n\nTwo.", choices=("A",), zone="clarify"), MORE)
    assert written.texts == ("One.\n\nTwo.\n1 A",)


def test_the_page_is_named_as_far_as_that_is_free_and_before_other_topics() -> None:
    """3.8f"""
    short, long = said("x" * 100, choices=("faq/a:A",)), said("x" * 150, choices=("faq/a:A",))
    page = f"\nMore: {LINK}"
    assert replies.write(short, MORE, page).texts == ("x" * 100 + page + "\n1 A",)
    assert replies.write(long, MORE, page).texts == ("x" * 150 + "\n1 A",)


def test_nothing_to_say_is_no_text() -> None:
    assert replies.write(said(), MORE).texts == ()


def test_a_text_is_never_split_inside_a_number_a_time_or_a_link() -> None:
    """3.8d"""
    for pad in range(60, 160):
        text = f"{'word ' * (pad // 5)}{'x' * (pad % 5)} call {PHONE} at 11:30 AM or see {LINK} for more, {'and ' * 20}"
        parts, rest = split(text, 2, MORE)
        for whole in (PHONE, "11:30 AM", LINK):
            assert any(whole in each for each in (*parts, rest)), (pad, whole)


_WORDS = st.lists(
    st.sampled_from(["word", PHONE, LINK, "9 AM", "$290.", "naïve", "ő", "😀", "^{}", "it’s", "\n", "a"]), max_size=120
)


@given(words=_WORDS, most=st.integers(1, 9))
def test_split_loses_nothing_and_each_part_is_one_segment(words: list[str], most: int) -> None:
    """3.8d"""
    text = replies.plain(" ".join(words))
    parts, rest = split(text, most, MORE)
    assert len(parts) <= most
    assert all(segments(part) == 1 for part in parts)
    bare = [part.partition(" ")[2] if len(parts) > 1 else part for part in parts]
    if rest:
        assert bare[-1].endswith(MORE)
        bare[-1] = bare[-1].removesuffix(MORE)
    assert " ".join([*bare, rest]).split() == text.split()


@given(
    messages=st.lists(
        st.lists(st.sampled_from(["word", "sentence.", PHONE, "9 AM", "é", "😀"]), min_size=1, max_size=50), max_size=4
    ),
    titles=st.lists(st.sampled_from(["Yes", "Another longer title", "😀"]), max_size=4),
    zone=st.sampled_from(["task", "clarify", "answer"]),
    asks=st.booleans(),
)
def test_no_reply_is_longer_than_two_segments_and_nothing_of_it_is_lost(
    messages: list[list[str]], titles: list[str], zone: str, asks: bool
) -> None:
    """3.8e"""
    texts = [" ".join(words) for words in messages]
    written = replies.write(said(*texts, choices=tuple(titles if texts else ()), zone=zone), MORE, asks=asks)
    assert len(written.texts) <= 2
    assert all(segments(text) == 1 for text in written.texts)
    kept = Counter(" ".join([*written.texts, written.rest]).split())
    assert not Counter(" ".join(texts).split()) - kept


def test_a_link_longer_than_a_text_stays_whole() -> None:
    link = "https://larkfield-skin.example/" + "x" * 200
    parts, rest = split(f"See {link} for more.", 3)
    assert any(link in part for part in parts)
    assert not rest
