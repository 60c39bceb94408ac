"""Holds, and what happens when they run out or somebody else is quicker."""

from collections.abc import Callable

from bot.engine import Engine
from tests.conversations.booking.conftest import Clock, Guest, book, local, visits

ALL = "book microneedling for my body friday at 3pm, Anna Smith 212 555 0101"


async def test_a_held_slot_is_not_offered_to_others(visitors: Callable[[], Guest]) -> None:
    first, second = visitors(), visitors()
    await first(ALL)
    said = await second("book microneedling for my body friday at 3pm")
    assert "taken" in said
    assert "Fri, Mar 6, 3 PM" not in second.choices


async def test_a_hold_that_ran_out_is_taken_again(web: Guest, clock: Clock, engine: Engine) -> None:
    await web(ALL)
    clock.advance(minutes=30)
    await web("yes")
    assert [local(v) for v in visits(engine)] == ["Fri 06 Mar 15:00"]


async def test_what_somebody_else_took_meanwhile_is_not_booked(web: Guest, clock: Clock, engine: Engine) -> None:
    await web(ALL)
    clock.advance(minutes=30)
    taken = book(engine, "2026-03-06 15:00", service="microneedling_body")
    said = await web("yes")
    assert "gone to somebody else" in said
    assert [v.id for v in visits(engine)] == [taken.id]
    await web("1", "yes")
    assert len(visits(engine)) == 2


async def test_a_new_wish_gives_up_the_old_hold(web: Guest) -> None:
    await web("book a consultation friday at 3pm", "thursday at 3pm", "thursday at 4pm", "friday at 10am")
    assert [local(hold) for hold in web.holds] == ["Fri 06 Mar 10:00"]


async def test_the_same_message_twice_books_once(engine: Engine) -> None:
    for _ in range(2):
        await engine.turn("twice", "book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", message_id="a" * 8)
    for _ in range(2):
        await engine.turn("twice", "yes", message_id="b" * 8)
    assert len(visits(engine)) == 1


async def test_yes_twice_books_once(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "yes", "yes")
    assert len(visits(engine)) == 1
