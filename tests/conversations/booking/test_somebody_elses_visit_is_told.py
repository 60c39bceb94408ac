"""Who asks about a visit on the website names its reference and phone; by text the number is enough."""

from bot.engine import Engine
from clinic.lookup import TRIES_BY_HOLDER
from clinic.visits import Visit
from tests.conversations.booking.conftest import OTHER_PHONE, Guest, book, requests


async def test_reference_and_phone_find_it(web: Guest, booked: Visit) -> None:
    said = await web("when is my appointment?", booked.reference, "212 555 0101")
    assert "Wednesday, March 4, 10 AM" in said


async def test_both_in_one_message(web: Guest, booked: Visit) -> None:
    assert "Wednesday, March 4, 10 AM" in await web(
        "check my appointment", f"ref {booked.reference.lower()}, phone (212) 555-0101"
    )


async def test_the_reply_does_not_tell_whether_a_reference_exists(web: Guest, booked: Visit) -> None:
    wrong_phone = await web("check my appointment", booked.reference, "212 555 0199")
    wrong_reference = await web("K7M2PQ", "212 555 0101")
    assert wrong_phone == wrong_reference
    assert "cannot find" in wrong_phone


async def test_tries_are_few(web: Guest, booked: Visit, engine: Engine) -> None:
    await web("check my appointment")
    for _ in range(TRIES_BY_HOLDER):
        await web("K7M2PQ 212 555 0199")
    said = await web(f"{booked.reference} 212 555 0101")
    assert "March 4" not in said
    assert len(requests(engine)) == 1


async def test_by_text_the_number_is_enough(sms: Guest, booked: Visit) -> None:
    assert "Wednesday, March 4, 10 AM" in await sms("when is my appointment?")


async def test_by_text_nobody_elses_is_told(sms: Guest, engine: Engine) -> None:
    book(engine, "2026-03-04 10:00", phone=OTHER_PHONE)
    said = await sms("when is my appointment?")
    assert "cannot find" in said
    assert "March 4" not in said


async def test_of_several_the_visitor_chooses(sms: Guest, booked: Visit, engine: Engine) -> None:
    book(engine, "2026-03-12 12:00")
    await sms("when is my appointment?")
    assert list(sms.choices) == ["Wed, Mar 4, 10 AM", "Thu, Mar 12, 12 PM"]
    assert "Thursday, March 12, 12 PM" in await sms("2")


async def test_a_number_typed_on_the_website_is_not_enough(web: Guest, booked: Visit) -> None:
    said = await web("check my appointment, my number is 212 555 0101")
    assert "March 4" not in said
    assert "reference" in said
