"""What people write instead of an answer: details without a verb, the same thing twice, a question, a refusal."""

import logging
from collections.abc import Callable

import pytest

from bot.engine import Engine
from clinic import consent
from clinic.visits import Visit
from tests.conversations.booking.conftest import PHONE, Guest, book, local, requests, visits

BEGUN = "book a consultation tomorrow at 2pm"


@pytest.mark.parametrize(
    "text",
    [
        "friday 3pm, Anna Lee 212 555 0101",
        "friday 3pm, anna lee 212 555 0101",
        "Friday at 3 pm Anna Lee (212) 555-0101",
        "Anna Lee, 212-555-0101, fri 3pm",
    ],
)
async def test_day_name_and_number_are_a_wish_to_book(web: Guest, engine: Engine, text: str) -> None:
    assert "What would you like to come in for?" in await web(text)
    await web("consultation", "yes")
    (visit,) = visits(engine)
    assert (visit.name and visit.name.lower(), visit.phone, local(visit)) == ("anna lee", PHONE, "Fri 06 Mar 15:00")


async def test_a_service_and_a_day_are_a_wish_to_book(sms: Guest) -> None:
    assert "is free" in await sms("consultation fri 10am")


async def test_a_reference_and_a_number_are_a_wish_to_look(web: Guest, booked: Visit) -> None:
    assert "Wednesday, March 4, 10 AM" in await web(f"{booked.reference} 212 555 0101")


async def test_a_number_beside_the_reference_does_not_ask_how_to_reach_the_clinic(web: Guest, booked: Visit) -> None:
    said = await web(f"please cancel my appointment {booked.reference}, phone 212 555 0101")
    assert said.startswith("I will cancel your visit")


async def test_what_is_kept_is_said(web: Guest) -> None:
    assert (await web(BEGUN)).startswith("Tuesday, March 3, 2 PM is free, and I am keeping it for you.")


async def test_what_is_known_may_be_said_again(web: Guest) -> None:
    said = await web("book microneedling for my face", "face", "the face please")
    assert "did not get that" not in said
    assert "What day and time" in said


@pytest.mark.parametrize("answers", [("why do you need that?",), ("why?", "what for?", "I don't understand", "help")])
async def test_why_is_explained_and_is_no_bad_answer(web: Guest, engine: Engine, answers: tuple[str, ...]) -> None:
    said = await web(BEGUN, "Anna Smith", *answers)
    assert "reach you about the visit" in said
    assert "What is your mobile number?" in said
    assert requests(engine) == []


async def test_a_question_nobody_approved_is_sent_to_staff(web: Guest) -> None:
    said = await web(BEGUN, "can I bring my pet parrot?")
    assert "no approved answer" in said
    assert said.endswith("What is your full name?")


async def test_a_question_about_services_chooses_none(web: Guest) -> None:
    await web("book", "what's the difference between face and face and neck?")
    assert "Consultation" in web.choices


async def test_a_number_too_short_is_explained_at_once(web: Guest) -> None:
    assert "with the area code" in await web(BEGUN, "Anna Smith", "555 1234")


async def test_a_yes_to_several_times_is_asked_which(web: Guest, engine: Engine) -> None:
    said = await web("book a consultation", "tomorrow", "yes", "ok", "sure", "yes")
    assert "Which one would you like?" in said
    assert requests(engine) == []


async def test_the_last_one_is_a_time(web: Guest, engine: Engine) -> None:
    await web("book a consultation", "tomorrow")
    last = list(web.choices)[-2]
    await web("the last one")
    assert [engine.services.facts.moment(hold.starts_at, short=True) for hold in web.holds] == [last]


async def test_something_later_is_offered_later(web: Guest) -> None:
    await web("book a consultation", "tomorrow morning", "not those, something later in the day")
    assert all(title.endswith("PM") for title in web.choices if title.startswith("Tue, Mar 3"))


async def test_the_holiday_is_named(web: Guest) -> None:
    assert "We are closed that day: Memorial Day." in await web("book a consultation on may 25")


async def test_who_has_lost_the_reference_is_helped(web: Guest, engine: Engine) -> None:
    said = await web("when is my appointment?", "I lost it")
    assert "(212) 555-0142" in said
    await web.choose("Talk to a person")
    assert len(requests(engine)) == 1


async def test_another_time_alone_keeps_the_day_of_the_visit(web: Guest, engine: Engine) -> None:
    await web("book a consultation friday 11am, Anna Lee 212 555 0101", "yes", "can I change it to 11:30?", "yes")
    assert [local(visit) for visit in visits(engine)] == ["Fri 06 Mar 11:30"]


@pytest.mark.parametrize(
    ("begun", "instead", "left"),
    [
        ("can I move my appointment to friday at 3pm", "actually cancel it", []),
        ("cancel my appointment", "can I move it to friday at 3pm instead?", ["Fri 06 Mar 15:00"]),
    ],
)
async def test_moving_becomes_cancelling_and_the_other_way_round(
    sms: Guest, booked: Visit, engine: Engine, begun: str, instead: str, left: list[str]
) -> None:
    said = await sms(begun, instead)
    assert [local(visit) for visit in visits(engine)] == ["Wed 04 Mar 10:00"]
    assert "Friday" in said or "Are you sure?" in said
    await sms("yes")
    assert [local(visit) for visit in visits(engine)] == left


async def test_cancel_is_no_yes_to_a_move(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("can I move my appointment to friday at 3pm", "cancel my appointment")
    assert [local(visit) for visit in visits(engine)] == ["Wed 04 Mar 10:00"]


async def test_the_day_of_the_week_names_a_visit_some_weeks_ahead(sms: Guest, booked: Visit, engine: Engine) -> None:
    book(engine, "2026-03-12 12:00")
    assert "Thursday, March 12" in await sms("cancel my appointment", "the one on thursday")


async def test_a_pending_visit_is_asked_for_not_booked(web: Guest) -> None:
    await web("I'm on accutane, can I book a consultation friday 2pm? Anna Lee 212 555 0101")
    assert list(web.choices) == ["Yes, ask for it", "No, change something"]


async def test_two_visitors_do_not_see_each_others_booking(visitors: Callable[[], Guest]) -> None:
    first, second = visitors(), visitors()
    await first("book a consultation friday 3pm, Anna Lee 212 555 0101")
    said = await second("book an appointment")
    assert "Anna" not in said
    assert "Friday" not in said


async def test_a_name_instead_of_a_time_is_kept(web: Guest, engine: Engine) -> None:
    await web("book a consultation", "Anna Lee", "friday 3pm", "212 555 0101", "yes")
    assert [visit.name for visit in visits(engine)] == ["Anna Lee"]


async def test_a_time_alone_leaves_the_day_open(web: Guest) -> None:
    await web("book a consultation next friday", "3pm")
    assert list(web.choices) == ["Fri, Mar 6", "Fri, Mar 13"]
    await web.choose("Fri, Mar 13")
    assert [local(hold) for hold in web.holds] == ["Fri 13 Mar 15:00"]


async def test_number_and_address_beside_the_wish_are_no_question(web: Guest) -> None:
    said = await web("I want to book a consultation friday 3pm. My phone is 212-555-0101. My email is anna@lee.example")
    assert "You can call us" not in said


@pytest.mark.parametrize("words", ["bye", "gotta go"])
async def test_who_says_goodbye_is_let_go(web: Guest, engine: Engine, words: str) -> None:
    assert "nothing was booked" in await web(BEGUN, words)
    assert web.holds == []


async def test_what_was_read_back_is_said_again(web: Guest) -> None:
    said = await web(f"{BEGUN}, Anna Lee 212 555 0101", "wait, what day was that?")
    assert "Tuesday, March 3, 2 PM" in said
    assert "approved" not in said


async def test_who_wants_no_texts_gets_none(web: Guest, engine: Engine) -> None:
    await web(BEGUN, "Anna Lee", "212 555 0101 but please don't text me", "yes")
    assert len(visits(engine)) == 1
    assert not engine.services.consents.given(PHONE, consent.TEXTS)


async def test_nothing_personal_is_logged(web: Guest, sms: Guest, booked: Visit, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "bot"), caplog.at_level(logging.DEBUG, "clinic"):
        await web("book a consultation friday 3pm, Quentin Quibble 212 555 0188, quentin@quibble.example", "yes")
        await web("I need to speak to a person", "my number is 212 555 0187", "move my appointment to friday 4pm", "yes")
        await web("check my appointment", "forget it", "my throat is swelling and I cannot breathe")
        await sms("when is my appointment?", "cancel my appointment", "yes")
    assert caplog.messages
    text = caplog.text.lower()
    for personal in ("quentin", "quibble", "0188", "0187", "0101", "throat", booked.reference.lower()):
        assert personal not in text


async def test_a_day_and_time_to_book_are_a_wish_to_book(web: Guest) -> None:
    assert "What would you like to come in for?" in await web("book for tomorrow at 2pm")


@pytest.mark.parametrize("wish", ["consultation tomorrow at 2pm", "hi, a consultation tomorrow at 2pm please"])
async def test_what_for_and_when_alone_are_a_wish_to_book(web: Guest, wish: str) -> None:
    assert "is free, and I am keeping it" in await web(wish)


@pytest.mark.parametrize("words", ["did that go through?", "am I booked in?", "did it work"])
async def test_did_that_go_through_is_told(web: Guest, words: str) -> None:
    said = await web("book a consultation friday 3pm, Anna Lee 212 555 0101", "yes", words)
    assert said.startswith("You are booked: Friday, March 6, 3 PM")
    assert "Friday, March 6, 3 PM" in await web("thanks!", words)


async def test_did_that_go_through_before_the_yes_is_not_yet(web: Guest, engine: Engine) -> None:
    said = await web("book a consultation friday 3pm, Anna Lee 212 555 0101", "did that go through?")
    assert said.startswith("Please check this before I book it")
    assert visits(engine) == []


async def test_was_that_cancelled_is_told(sms: Guest, booked: Visit) -> None:
    assert "is cancelled" in await sms("cancel my appointment", "yes", "was that cancelled?")


async def test_the_number_of_before_may_be_the_same(web: Guest, engine: Engine) -> None:
    await web("book a consultation friday 3pm, Anna Lee 212 555 0101", "yes")
    await web("book another consultation for my sister, saturday 11am", "Beth Lee", "same number", "yes")
    assert [(visit.name, visit.phone) for visit in visits(engine)] == [("Anna Lee", PHONE), ("Beth Lee", PHONE)]


async def test_same_number_without_one_before_is_asked_again(web: Guest) -> None:
    assert "What is your mobile number?" in await web(BEGUN, "Anna Lee", "same number as before")


async def test_who_has_lost_the_reference_may_say_so_at_once(web: Guest) -> None:
    assert "Without the reference" in await web("I need to cancel but I lost my reference")


async def test_reference_and_number_after_a_question_back_find_the_visit(web: Guest, booked: Visit) -> None:
    await web("I can't make it on wednesday")
    assert "Wednesday, March 4, 10 AM" in await web(f"{booked.reference} 212 555 0101")


async def test_call_me_by_my_name_asks_for_nobody(web: Guest, engine: Engine) -> None:
    assert "mobile number" in await web(BEGUN, "call me Max")
    assert requests(engine) == []


async def test_call_me_back_asks_for_somebody(web: Guest, engine: Engine) -> None:
    await web(BEGUN, "call me back please")
    assert len(requests(engine)) == 1


async def test_a_time_instead_of_a_name_is_a_time(web: Guest) -> None:
    await web("book a consultation tomorrow at 2pm", "around lunchtime")
    assert next(iter(web.choices)) == "Tue, Mar 3, 12 PM"


@pytest.mark.parametrize("words", ["yes thx", "yep", "yes, thank you!", "ok thanks"])
async def test_a_yes_with_thanks_is_a_yes(web: Guest, engine: Engine, words: str) -> None:
    await web("book a consultation friday 3pm, Anna Lee 212 555 0101", words)
    assert len(visits(engine)) == 1


async def test_a_yes_to_a_time_that_is_kept_is_no_bad_answer(web: Guest) -> None:
    said = await web("is friday 3pm available for a consultation?", "yes please")
    assert said == "What is your full name?"


async def test_who_tells_a_clinicians_matter_may_go_on_to_book(web: Guest) -> None:
    await web("i want an appointment but i'm on roaccutane")
    assert list(web.choices) == ["Book a visit", "Talk to a person"]
    await web.choose("Book a visit")
    said = await web("consultation friday 2pm, Anna Lee 212 555 0101")
    assert "a clinician must confirm it first" in said


@pytest.mark.parametrize("question", ["wrinkles in 2 weeks?", "is the face red tomorrow?", "face next day redness"])
async def test_a_concern_and_a_span_are_no_wish_to_book(web: Guest, question: str) -> None:
    await web(question)
    assert web.reply
    assert "book_appointment" not in web.reply.topics


async def test_a_question_that_names_days_and_a_part_of_the_body_books_nothing(web: Guest, engine: Engine) -> None:
    await web("wil my face be redd for my sisters communion on sat if i com thurs")
    tracker = engine.store.open(web.id)
    assert tracker is not None
    assert tracker.active_loop_name is None
