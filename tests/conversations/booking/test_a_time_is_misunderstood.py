"""What people say about time: asked about when it may mean two things, explained when it cannot be."""

import pytest

from bot.engine import Engine
from tests.conversations.booking.conftest import Guest, book, local, visits


async def test_next_friday_on_a_monday_is_asked_about(web: Guest) -> None:
    await web("book a consultation next friday at 3pm")
    assert list(web.choices) == ["Fri, Mar 6", "Fri, Mar 13"]
    await web.choose("Fri, Mar 13")
    assert [local(hold) for hold in web.holds] == ["Fri 13 Mar 15:00"]


async def test_day_and_month_are_asked_about_when_both_could_be(web: Guest) -> None:
    await web("book a consultation", "5/4 at 3pm")
    assert list(web.choices) == ["Mon, May 4", "Sun, Apr 5"]


async def test_the_day_that_was_meant_may_be_typed(web: Guest) -> None:
    await web("book a consultation next friday", "the 13th")
    assert all(title.startswith("Fri, Mar 13") for title in list(web.choices)[:3])


async def test_a_closed_day_is_explained_and_the_nearest_offered(web: Guest) -> None:
    said = await web("book a consultation on sunday at 11")
    assert "closed" in said
    assert [title for title in web.choices if "Mar 7" in title or "Mar 9" in title]


async def test_the_past_is_explained(web: Guest) -> None:
    said = await web("book a consultation", "february 27 at 3pm")
    assert "gone by" in said
    assert web.choices


async def test_too_far_ahead_is_explained(web: Guest) -> None:
    assert "far ahead" in await web("book a consultation", "december 1st at 3pm")


async def test_too_soon_is_explained(web: Guest) -> None:
    assert "too soon" in await web("book a consultation", "today at 9am")


async def test_out_of_hours_gets_the_nearest(web: Guest) -> None:
    said = await web("book a consultation", "tomorrow at 9pm")
    assert "nothing at that time" in said
    assert next(iter(web.choices)).startswith("Tue, Mar 3")


async def test_taken_gets_the_nearest(web: Guest, engine: Engine) -> None:
    for _ in engine.services.practice.practitioners("consultation"):
        book(engine, "2026-03-03 14:00")
    said = await web("book a consultation tomorrow at 2pm")
    assert "taken" in said
    near = {"Tue, Mar 3, 1:15 PM", "Tue, Mar 3, 1:30 PM", "Tue, Mar 3, 2:30 PM", "Tue, Mar 3, 2:45 PM"}
    assert set(web.choices) - {"Other times"} <= near


@pytest.mark.parametrize(
    ("wish", "days"),
    [
        ("the week after next, mornings", range(16, 22)),
        ("tomorrow arvo", [3]),
        ("this week after work", range(2, 8)),
        ("asap", range(2, 6)),
        ("any time tuesday", [3]),
        ("the 14th", [14]),
    ],
)
async def test_wishes_get_three_real_slots(web: Guest, wish: str, days: range) -> None:
    await web("book a consultation", wish)
    offered = [title for title in web.choices if title != "Other times"]
    assert len(offered) == 3
    assert {int(title.split(",")[1].split()[-1]) for title in offered} <= set(days)


async def test_none_of_these_gets_others(web: Guest) -> None:
    await web("book a consultation", "tomorrow")
    first = set(web.choices)
    await web.choose("Other times")
    assert set(web.choices) & first == {"Other times"}
    await web("none of those")
    assert len(web.choices) == 4


async def test_a_time_among_those_offered_is_taken(web: Guest) -> None:
    await web("book a consultation", "tomorrow")
    title = list(web.choices)[1]
    await web(title.rpartition(", ")[2])
    assert len(web.holds) == 1


async def test_a_number_picks_what_is_offered(web: Guest, engine: Engine) -> None:
    await web("book a consultation", "tomorrow")
    third = list(web.choices)[2]
    await web("the third one", "Anna Smith", "212 555 0101", "yes")
    assert engine.services.facts.moment(visits(engine)[0].starts_at, short=True) == third


async def test_clocks_change_between_booking_and_visit(web: Guest, engine: Engine) -> None:
    said = await web("book a consultation march 10 at 10am, Anna Smith 212 555 0101")
    assert "Eastern Daylight Time" in said
    await web("yes")
    now = engine.services.clock().astimezone(engine.services.practice.zone)
    assert visits(engine)[0].starts_at.utcoffset() != now.utcoffset()
