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


@pytest.mark.parametrize(
    ("spoken_of", "then", "day"),
    [
        ("next week, not monday", "tuesday", "10"),
        ("in two weeks", "weds", "18"),
        ("the first week of april", "the tuesday", "7"),
        ("the first week of april", "the 3rd", "3"),
        ("late march", "the 25th", "25"),
    ],
)
async def test_a_weekday_is_one_of_the_days_spoken_of(web: Guest, spoken_of: str, then: str, day: str) -> None:
    await web("book a consultation", spoken_of, then)
    offered = {title.split(",")[1].split()[-1] for title in web.choices if title != "Other times"}
    kept = {f"{hold.starts_at:%-d}" for hold in web.holds}
    assert offered | kept == {day}


async def test_a_weekday_after_a_day_weeks_ahead_is_asked_about(web: Guest, engine: Engine) -> None:
    await web("book a consultation march 20 at 3pm", "actually thursday")
    assert list(web.choices) == ["Thu, Mar 5", "Thu, Mar 19"]
    await web.choose("Thu, Mar 19")
    assert [local(hold) for hold in web.holds] == ["Thu 19 Mar 15:00"]


async def test_any_time_keeps_the_days_spoken_of(web: Guest) -> None:
    await web("book a consultation", "the week after next", "any time")
    assert {title.split(", ")[1] for title in web.choices if title != "Other times"} == {"Mar 16", "Mar 17", "Mar 18"}


async def test_after_three_is_no_choice_of_what_was_offered(web: Guest) -> None:
    await web("book a consultation", "tomorrow", "after 3")
    assert web.holds == []
    assert next(iter(web.choices)) == "Tue, Mar 3, 3 PM"


@pytest.mark.parametrize("again", ["the 6th of may", "the sixth of may", "10am", "may 6 at 10", "same time please"])
async def test_what_is_held_already_is_not_taken_by_somebody_else(web: Guest, engine: Engine, again: str) -> None:
    said = await web("book a consultation on 5/6 at 10am, Lee Wong, 212 555 0101", again)
    assert said.startswith("Please check this before I book it")
    await web("yes")
    assert [local(visit) for visit in visits(engine)] == ["Wed 06 May 10:00"]


async def test_half_an_hour_later_than_what_is_held_is_free(web: Guest) -> None:
    await web("book a consultation tomorrow at 10", "a quarter past 10 actually")
    assert [local(hold) for hold in web.holds] == ["Tue 03 Mar 10:15"]
    await web("half an hour later please")
    assert [local(hold) for hold in web.holds] == ["Tue 03 Mar 10:45"]


@pytest.mark.parametrize("wish", ["february 30 at 3pm", "the 31st of april", "on 4/31"])
async def test_a_day_that_does_not_exist_is_said_so(web: Guest, wish: str) -> None:
    said = await web("book a consultation", wish)
    assert "There is no such day." in said
    assert "What day and time" in said


async def test_christmas_eve_is_no_evening(web: Guest) -> None:
    assert "far ahead" in await web("book a consultation for xmas eve")


async def test_a_weekday_of_three_letters_is_a_day(web: Guest) -> None:
    await web("book consultation sat")
    assert all(title.startswith("Sat, Mar 7") for title in web.choices if title != "Other times")


async def test_a_date_alone_is_a_wish_to_book(web: Guest) -> None:
    assert "What would you like to come in for?" in await web("do you have anything on 5/6?")
    await web("consultation")
    assert all(title.startswith("Wed, May 6") for title in web.choices if title != "Other times")


async def test_the_week_of_a_date_is_that_week(web: Guest) -> None:
    await web("is there availability the week of march 16 in the afternoon for a consultation?")
    assert {title.split(", ")[1] for title in web.choices if title != "Other times"} == {"Mar 16", "Mar 17", "Mar 18"}


async def test_the_next_number_is_in_the_month_spoken_of(web: Guest) -> None:
    await web("book a consultation next month", "the 15th", "the 16th")
    assert {title.split(", ")[1] for title in web.choices if title != "Other times"} == {"Apr 16"}


async def test_later_and_earlier_than_what_is_offered(web: Guest) -> None:
    await web("book a consultation", "next week", "anything later?")
    assert [title.split(", ")[1] for title in web.choices if title != "Other times"] == ["Mar 12", "Mar 13", "Mar 14"]
    await web("earlier please")
    assert {title.split(", ")[1] for title in web.choices if title != "Other times"} <= {"Mar 2", "Mar 3", "Mar 4"}


async def test_later_on_a_day_is_later_than_its_last(web: Guest) -> None:
    await web("book a consultation", "tomorrow morning", "too early")
    offered = [title.rpartition(", ")[2] for title in web.choices if title.startswith("Tue, Mar 3")]
    assert len(offered) == 3
    assert all(time.endswith("PM") or time == "11:45 AM" for time in offered)


async def test_none_of_these_work_is_a_wish_for_others(web: Guest) -> None:
    await web("book a consultation", "tomorrow")
    first = set(web.choices)
    await web("none of these work for me")
    assert set(web.choices) & first == {"Other times"}
