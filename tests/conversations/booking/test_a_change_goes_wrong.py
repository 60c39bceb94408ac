"""Moving and cancelling: read back first, all or nothing, and never by accident."""

import pytest

from bot.engine import Engine
from clinic.visits import Visit
from tests.conversations.booking.conftest import Guest, book, local, visits


async def test_a_visit_is_moved_after_a_yes(web: Guest, booked: Visit, engine: Engine) -> None:
    said = await web("I need to move my appointment", booked.reference, "212 555 0101", "thursday at noon")
    assert "from Wednesday, March 4, 10 AM to Thursday, March 5, 12 PM" in said
    assert [local(v) for v in visits(engine)] == ["Wed 04 Mar 10:00"]
    said = await web("yes")
    assert [local(v) for v in visits(engine)] == ["Thu 05 Mar 12:00"]
    assert booked.reference in said


async def test_the_new_day_in_the_first_message(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("can I move my appointment to friday at 3pm", "yes")
    assert [local(v) for v in visits(engine)] == ["Fri 06 Mar 15:00"]


async def test_the_old_day_is_not_taken_for_the_new_one(sms: Guest, booked: Visit) -> None:
    assert "What day and time" in await sms("I need to reschedule my wednesday appointment")


async def test_another_time_is_chosen_from_what_is_free(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("move my appointment to friday", "2", "yes")
    assert visits(engine)[0].starts_at.day == 6


async def test_no_leaves_it_where_it_is(sms: Guest, booked: Visit, engine: Engine) -> None:
    said = await sms("move my appointment to friday at 3pm", "no")
    assert "stays as it is" in said
    assert [local(v) for v in visits(engine)] == ["Wed 04 Mar 10:00"]


async def test_the_new_time_goes_while_the_visitor_thinks(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("move my appointment to friday at 3pm")
    for _ in engine.services.practice.practitioners("consultation"):
        book(engine, "2026-03-06 15:00", phone="+12125550109")
    said = await sms("yes")
    assert "gone to somebody else" in said
    assert local(visits(engine)[0]) == "Wed 04 Mar 10:00"
    assert sms.choices


async def test_cancelling_takes_a_yes(web: Guest, booked: Visit, engine: Engine) -> None:
    said = await web("cancel my appointment", booked.reference, "212 555 0101")
    assert "Are you sure" in said
    assert len(visits(engine)) == 1
    await web("yes")
    assert visits(engine) == []
    assert engine.services.booking.get(booked.id).status == "cancelled"


async def test_a_no_keeps_it(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("cancel my appointment", "no")
    assert len(visits(engine)) == 1


async def test_what_was_just_booked_can_be_changed_without_its_reference(web: Guest, engine: Engine) -> None:
    await web("book a consultation friday at 3pm, Anna Smith 212 555 0101", "yes", "cancel my appointment", "yes")
    assert visits(engine) == []


async def test_leaving_in_the_middle_changes_nothing(web: Guest, booked: Visit, engine: Engine) -> None:
    said = await web("cancel my appointment", "never mind")
    assert "nothing was booked or changed" in said
    assert len(visits(engine)) == 1


async def test_a_question_in_the_middle(sms: Guest, booked: Visit, engine: Engine) -> None:
    said = await sms("cancel my appointment", "does it hurt?")
    assert said.endswith("Are you sure?")
    await sms("yes")
    assert visits(engine) == []


async def test_what_staff_changed_meanwhile_is_left_alone(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("cancel my appointment")
    engine.services.booking.cancel(booked.id, version=booked.version, actor="staff")
    await sms("yes")
    assert engine.services.booking.get(booked.id).status == "cancelled"


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("can we push it back a week?", "Wed 11 Mar 10:00"),
        ("can I move my appointment an hour later?", "Wed 04 Mar 11:00"),
        ("can I move my appointment to friday, same time", "Fri 06 Mar 10:00"),
    ],
)
async def test_how_far_it_is_moved_is_enough(sms: Guest, booked: Visit, engine: Engine, words: str, when: str) -> None:
    await sms(words, "yes")
    assert [local(visit) for visit in visits(engine)] == [when]


async def test_a_no_with_another_time_is_no_no(sms: Guest, booked: Visit, engine: Engine) -> None:
    said = await sms("reschedule", "friday at 3", "no sorry 4")
    assert "Friday, March 6, 4 PM" in said
    await sms("yes")
    assert [local(visit) for visit in visits(engine)] == ["Fri 06 Mar 16:00"]


@pytest.mark.parametrize("words", ["actually just scrap it", "scrap it, leave it as is", "nah leave it", "keep the old time"])
async def test_scrapping_the_move_leaves_the_visit(sms: Guest, booked: Visit, engine: Engine, words: str) -> None:
    said = await sms("need to move my appt", "thursday after work", words)
    assert "Wednesday, March 4, 10 AM stays as it is" in said
    assert "Cancel my appointment" in sms.choices
    await sms("yes")
    assert [local(visit) for visit in visits(engine)] == ["Wed 04 Mar 10:00"]


async def test_a_weekday_may_be_that_of_the_visits_week(sms: Guest, engine: Engine) -> None:
    book(engine, "2026-03-18 10:00")
    await sms("can I move my appointment to friday?")
    assert list(sms.choices) == ["Fri, Mar 6", "Fri, Mar 20"]


async def test_what_was_just_booked_is_moved_by_a_time_alone(web: Guest, engine: Engine) -> None:
    said = await web("book a consultation friday 3pm, Ann Lee, 212 555 0101", "yes", "oh wait, could we do 4 instead")
    assert "from Friday, March 6, 3 PM to Friday, March 6, 4 PM" in said
    await web("yes")
    assert [local(visit) for visit in visits(engine)] == ["Fri 06 Mar 16:00"]


@pytest.mark.parametrize(
    ("words", "when"),
    [(("next day same time",), "Thu 12 Mar 14:00"), (("the day after", "3pm"), "Thu 12 Mar 15:00")],
)
async def test_the_day_after_is_the_one_after_the_visit(sms: Guest, engine: Engine, words: tuple[str, ...], when: str) -> None:
    book(engine, "2026-03-11 14:00")
    await sms("reschedule", *words, "yes")
    assert [local(visit) for visit in visits(engine)] == [when]


async def test_the_old_time_is_no_new_one(sms: Guest, booked: Visit) -> None:
    assert "What day and time" in await sms("move my appointment to wednesday at 10")


async def test_another_time_instead_of_a_yes_moves_what_was_to_be_cancelled(sms: Guest, booked: Visit, engine: Engine) -> None:
    said = await sms("I need to cancel wednesday", "thursday at 2 would be ok")
    assert "to Thursday, March 5, 2 PM" in said
    await sms("yes")
    assert [local(visit) for visit in visits(engine)] == ["Thu 05 Mar 14:00"]


async def test_the_same_day_and_time_of_another_week(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("reschedule to next week pls", "same day same time", "yes")
    assert [local(visit) for visit in visits(engine)] == ["Wed 11 Mar 10:00"]


async def test_running_late_leaves_the_visit_booked(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("i'm going to be 15 mins late on wednesday")
    assert [visit.status for visit in visits(engine)] == ["booked"]


async def test_half_a_wish_to_change_the_visit_asked_for_is_enough(web: Guest, booked: Visit) -> None:
    said = await web("when is my appointment?", "can we make it an hour later?")
    assert "I can move your visit" in said
    assert "no approved answer" not in said
