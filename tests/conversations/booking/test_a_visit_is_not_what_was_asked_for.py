"""From the wish to the booking: everything that was said counts, in any order, and nothing is asked twice."""

import pytest

from bot.engine import Engine
from clinic import consent
from tests.conversations.booking.conftest import OTHER_PHONE, PHONE, Clock, Guest, book, local, outbox, visits


async def test_step_by_step(web: Guest, engine: Engine) -> None:
    await web("I'd like to book an appointment")
    assert set(web.choices) == {service.name for service in engine.services.practice.services}
    await web.choose("Consultation")
    await web("tomorrow at 2pm")
    assert [local(hold) for hold in web.holds] == ["Tue 03 Mar 14:00"]
    await web("Anna Smith")
    said = await web("212 555 0101")
    assert "Tuesday, March 3, 2 PM, Eastern Standard Time" in said
    assert "Consultation" in said
    assert visits(engine) == []
    said = await web("yes")
    (visit,) = visits(engine)
    assert (visit.status, visit.name, visit.phone, local(visit)) == ("booked", "Anna Smith", PHONE, "Tue 03 Mar 14:00")
    assert visit.reference in said
    assert web.holds == []


async def test_everything_in_one_message(web: Guest, engine: Engine) -> None:
    said = await web("book me friday 3pm for face, Anna Smith 212 555 0101")
    assert "Friday, March 6, 3 PM" in said
    assert "Anna Smith" in said
    await web.choose("Yes, book it")
    (visit,) = visits(engine)
    assert (visit.service, local(visit)) == ("microneedling_face", "Fri 06 Mar 15:00")


async def test_in_reverse_order(web: Guest, engine: Engine) -> None:
    await web(
        "I want to book. my number is 212 555 0101 and my name is Maria de la Cruz", "face and neck", "thursday at noon", "yes"
    )
    (visit,) = visits(engine)
    assert (visit.name, visit.service, local(visit)) == ("Maria de la Cruz", "microneedling_face_neck", "Thu 05 Mar 12:00")


async def test_the_last_thing_first(web: Guest, engine: Engine) -> None:
    await web("book an appointment", "any time on friday afternoon, consultation please")
    offered = [title for title in web.choices if title.startswith("Fri, Mar 6")]
    assert len(offered) == 3
    await web("2", "Jo Ray, 212-555-0101", "yes please")
    (visit,) = visits(engine)
    assert 12 <= visit.starts_at.hour < 18


async def test_a_name_that_looks_like_another_language(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm", "José de la Peña", "212 555 0101", "yes")
    assert visits(engine)[0].name == "José de la Peña"


@pytest.mark.parametrize("name", ["anna", "O'Brien", "Jean-Luc Picard", "May Chen", "my name is Grace", "It's Siobhan"])
async def test_names_as_people_write_them(web: Guest, engine: Engine, name: str) -> None:
    await web("book a consultation tomorrow at 2pm", name, "212 555 0101", "yes")
    assert visits(engine)[0].name == name.removeprefix("my name is ").removeprefix("It's ")


@pytest.mark.parametrize(
    ("written", "name"),
    [("Dr. Martin Luther", "Dr. Martin Luther"), ("O'Neil, Patrick", "Patrick O'Neil"), ("Anna M. Lee.", "Anna M. Lee")],
)
async def test_titles_initials_and_the_last_name_first(web: Guest, engine: Engine, written: str, name: str) -> None:
    await web("book a consultation tomorrow at 2pm", written, "212 555 0101", "yes")
    assert visits(engine)[0].name == name


async def test_a_number_of_another_country_is_read_back_whole(web: Guest) -> None:
    assert "+44 20 7946 0018" in await web("book a consultation tomorrow at 2pm", "Chloe Low", "+44 20 7946 0018")


@pytest.mark.parametrize(
    "number",
    [
        "2125550101",
        "(212) 555-0101",
        "+1 212 555 0101",
        "212.555.0101",
        "it's 212 555 0101 thanks",
        "two one two five five five oh one oh one",
    ],
)
async def test_numbers_as_people_write_them(web: Guest, engine: Engine, number: str) -> None:
    await web("book a consultation tomorrow at 2pm", "Anna Smith", number, "yes")
    assert visits(engine)[0].phone == PHONE


async def test_an_address_is_kept_and_never_asked_for(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm", "Anna Smith, anna@smith.example, 212 555 0101", "yes")
    assert visits(engine)[0].email == "anna@smith.example"
    assert "visitor.visit_booked" in outbox(engine)


async def test_the_yes_is_said_in_other_words(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "looks good")
    assert len(visits(engine)) == 1


async def test_what_was_agreed_to_is_on_record(web: Guest, engine: Engine, clock: Clock) -> None:
    await web("book a consultation tomorrow at 2pm", "Anna Smith", "212 555 0101", "yes")
    (said,) = engine.services.consents.history(PHONE)
    assert (said.purpose, said.given, said.channel, said.conversation_id) == (consent.TEXTS, True, "web", web.id)
    assert said.wording == "booking-2"
    assert said.at == clock.moment


async def test_who_gives_a_number_unasked_agrees_to_what_is_read_back(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "yes")
    (said,) = engine.services.consents.history(PHONE)
    assert (said.given, said.wording, said.channel) == (True, "read-back-1", "web")


async def test_who_books_by_text_agrees_to_what_is_read_back(sms: Guest, engine: Engine) -> None:
    await sms("book a consultation on friday at 3pm", "Anna Smith", "yes")
    (said,) = engine.services.consents.history(sms.phone)
    assert (said.given, said.wording, said.channel) == (True, "read-back-1", "sms")


async def test_who_opted_out_of_texts_stays_out(web: Guest, engine: Engine) -> None:
    engine.services.consents.record(PHONE, consent.TEXTS, False, wording="stop", channel="sms")
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "yes")
    assert not engine.services.consents.given(PHONE, consent.TEXTS)


async def test_a_second_booking_begins_afresh(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "yes", "book an appointment")
    assert "Consultation" in web.choices
    await web("consultation", "friday at 3pm", "Ben Smith", "212 555 0102", "yes")
    assert [visit.name for visit in visits(engine)] == ["Anna Smith", "Ben Smith"]


async def test_who_is_asked_for_is_who_is_seen(web: Guest, engine: Engine) -> None:
    said = await web("can I get a consultation with Rowan Ashby on thursday at 5pm?", "Al Lee 212 555 0101")
    assert "Consultation (Rowan Ashby)" in said
    assert "Al Lee" in said
    await web("yes")
    assert [visit.practitioner for visit in visits(engine)] == ["rowan"]
    assert "Consultation with Rowan Ashby" in await web("when is my appointment?")


@pytest.mark.parametrize("practitioner", ["Imani", "Rowan"])
async def test_who_is_not_free_is_said_so(web: Guest, engine: Engine, practitioner: str) -> None:
    for _ in engine.services.practice.practitioners("consultation"):
        book(engine, "2026-03-03 14:00")
    said = await web(f"book a consultation with {practitioner} tomorrow at 2pm")
    assert f"{practitioner} " in said
    assert "is not free then" in said
    await web("1", "Al Lee 212 555 0102", "yes")
    (mine,) = [visit for visit in visits(engine) if visit.phone == OTHER_PHONE]
    assert mine.practitioner == practitioner.lower()


async def test_who_does_not_do_the_treatment_is_said_so(web: Guest) -> None:
    assert "Imani Cole does not do that treatment" in await web("book the body treatment with Imani on friday")


@pytest.mark.parametrize("words", ["for 2 people", "for me and my sister"])
async def test_several_people_are_booked_one_by_one(web: Guest, words: str) -> None:
    said = await web(f"book consultations {words} on friday at 3pm")
    assert "one person at a time" in said
    assert said.endswith("What is your full name?")


async def test_the_same_time_twice_is_pointed_out(web: Guest) -> None:
    await web("book a consultation friday 3pm, Al Lee 212 555 0101", "yes")
    said = await web("book a consultation friday 3pm, Al Lee 212 555 0101")
    assert said.startswith("You have a visit at that time already")
