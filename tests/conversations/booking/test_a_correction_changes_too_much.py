"""A change of mind corrects what it names, and that alone."""

import pytest

from bot.engine import Engine
from tests.conversations.booking.conftest import OTHER_PHONE, PHONE, Guest, local, visits

ALL = "book a consultation friday at 3pm, Anna Smith 212 555 0101"


async def test_actually_another_day_keeps_the_time(web: Guest, engine: Engine) -> None:
    said = await web(ALL, "actually thursday")
    assert "Thursday, March 5, 3 PM" in said
    assert [local(hold) for hold in web.holds] == ["Thu 05 Mar 15:00"]
    await web("yes")
    assert [(v.name, v.phone, local(v)) for v in visits(engine)] == [("Anna Smith", PHONE, "Thu 05 Mar 15:00")]


async def test_another_time_keeps_the_day(web: Guest) -> None:
    assert "Friday, March 6, 10:30 AM" in await web(ALL, "can we make it 10:30 instead")


async def test_a_name_spelled_again_keeps_the_rest(web: Guest) -> None:
    said = await web(ALL, "my name is spelled Smythe")
    assert "Anna Smythe" in said
    assert "Friday, March 6, 3 PM" in said


async def test_another_number_keeps_the_rest(web: Guest, engine: Engine) -> None:
    await web(ALL, "sorry, my number is 212 555 0102", "yes")
    assert [(v.name, v.phone) for v in visits(engine)] == [("Anna Smith", OTHER_PHONE)]


async def test_another_service_keeps_the_time_if_it_fits(web: Guest, engine: Engine) -> None:
    said = await web(ALL, "oh, I meant face and neck")
    assert "Microneedling, face and neck" in said
    assert "Friday, March 6, 3 PM" in said
    await web("yes")
    assert [v.service for v in visits(engine)] == ["microneedling_face_neck"]


async def test_no_asks_what_to_change(web: Guest, engine: Engine) -> None:
    said = await web(ALL, "no")
    assert "What shall I change" in said
    assert "Friday" not in said
    assert "Friday, March 6, 4 PM" in await web("4pm")
    assert visits(engine) == []


async def test_a_yes_with_a_change_is_read_back_again(web: Guest, engine: Engine) -> None:
    assert "4 PM" in await web(ALL, "yes but at 4pm")
    assert visits(engine) == []


async def test_a_correction_before_the_end(web: Guest, engine: Engine) -> None:
    await web("book a consultation friday at 3pm", "actually make it thursday at 3pm")
    assert [local(hold) for hold in web.holds] == ["Thu 05 Mar 15:00"]


async def test_the_last_name_is_added_to_the_first(web: Guest) -> None:
    await web("book a consultation tomorrow at 2pm", "Siobhan", "212 555 0101")
    assert "Siobhan Murphy," in await web("the last name is Murphy")


@pytest.mark.parametrize(
    ("wrong", "asked", "right", "then"),
    [
        ("the time", "What day and time", "3pm", "Tuesday, March 3, 3 PM"),
        ("the phone number", "mobile number", "212 555 0102", "(212) 555-0102"),
        ("my name", "full name", "Anne Smith", "Anne Smith"),
    ],
)
async def test_what_is_named_as_wrong_is_asked_again(web: Guest, wrong: str, asked: str, right: str, then: str) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "no")
    assert asked in await web(wrong)
    said = await web(right)
    assert said.startswith("Please check this")
    assert then in said


async def test_a_time_alone_where_the_name_is_asked_is_a_time(web: Guest) -> None:
    await web("book a consultation on saturday at 1pm", "10")
    assert [local(hold) for hold in web.holds] == ["Sat 07 Mar 10:00"]
