"""What people say about days and times, on a Wednesday: 4 March 2026."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from clinic.when import read
from clinic.when_moved import shifted, toward
from clinic.wish import Wish

TODAY = dt.date(2026, 3, 4)

# phrase: how it is written down below
PHRASES = {
    # days
    "today": "4",
    "tomorrow": "5",
    "tmrw": "5",
    "tomorow pls": "5",
    "2moro": "5",
    "the day after tomorrow": "6",
    "day after tmrw": "6",
    "yesterday": "3",
    "last friday": "27.2",
    "friday": "6",
    "on friday": "6",
    "this friday": "6",
    "this coming friday": "6",
    "fri": "6",
    "teusday": "10",
    "any time tuesday": "10",
    "monday": "9",
    "next monday": "9",
    "next tuesday": "10",
    "next friday": "6 | 13",
    "next saturday please": "7 | 14",
    "wednesday": "4 | 11",
    "this wednesday": "4",
    "next wednesday": "11",
    "friday week": "13",
    "a week on friday": "13",
    "week from monday": "16",
    "a fortnight on tuesday": "24",
    "friday after next": "13",
    "next week friday": "13",
    "friday next week": "13",
    "friday of next week": "13",
    "monday the week after next": "16",
    "monday or thursday": "5-9 mon thu",
    "thursday or friday": "5-6 thu fri",
    "tuesday and wednesday next week": "10-11 tue wed",
    "fridays": "4-1.4 fri",
    "mondays or wednesdays": "4-1.4 mon wed",
    "weekdays": "4-1.4 mon tue wed thu fri",
    "weekends only": "4-1.4 sat sun",
    "not monday, next week": "9-15 tue wed thu fri sat sun",
    "next week but not friday": "9-15 mon tue wed thu sat sun",
    "book a facial sat": "7",
    "the sixth of may": "6.5",
    "may the fourth": "4.5",
    "the twenty-first": "21",
    "christmas eve": "24.12",
    "after christmas": "26.12-22.1.27",
    "april 31 or may 2": "2.5",
    "a week from tomorrow": "12",
    "today week": "11",
    "the week of march 16": "16-22",
    "week commencing 16th of march": "16-22",
    # weeks
    "this week": "4-8",
    "next week": "9-15",
    "some time next week": "9-15",
    "the following week": "9-15",
    "the week after next": "16-22",
    "in two weeks": "16-22",
    "in a fortnight": "16-22",
    "two weeks from now": "16-22",
    "in 3 weeks time": "23-29",
    "in 3 days": "7",
    "10 days from now": "14",
    "in ten days": "14",
    "within a week": "4-11",
    "within 10 days": "4-14",
    "in the next few days": "4-7",
    "week of the 16th": "16-22",
    "this weekend": "7-8",
    "the weekend": "7-8",
    "next weekend": "7-8 | 14-15",
    # months
    "next month": "1.4-30.4",
    "early next month": "1.4-10.4",
    "end of the month": "21-31",
    "end of next month": "21.4-30.4",
    "in april": "1.4-30.4",
    "mid april": "11.4-20.4",
    "first week of april": "1.4-7.4",
    "last week of march": "25-31",
    "some time in may": "1.5-31.5",
    "later this month": "4-31",
    # dates
    "14th": "14",
    "the 14th": "14",
    "on the 3rd": "3.4",
    "the 31st": "31",
    "march 20": "20",
    "20 march": "20",
    "20th of march": "20",
    "march the 20th": "20",
    "Mar 20th, 2026": "20",
    "1 march": "1",
    "5 january": "5.1.27",
    "2026-03-20": "20",
    "3/20": "20",
    "20/3": "20",
    "20.3.2026": "20",
    "5/6": "6.5",
    "6/5": "6.5",
    "4/5": "5.4 | 4.5",
    "5/5": "5.5",
    "12/12": "12.12",
    "29 february": "29.2.28",
    "friday 6 march": "6",
    "friday march 6th": "6",
    "friday the 13th": "13",
    "thursday 6 march": "6 | 5",
    "before the 20th": "4-19",
    "after the 16th": "17-13.4",
    "by friday": "4-6",
    "from the 9th": "9-6.4",
    # times
    "3pm": "@15:00",
    "3 p.m.": "@15:00",
    "at 3": "@15:00",
    "at 10": "@10:00",
    "at 7": "@19:00",
    "10am": "@10:00",
    "10:30": "@10:30",
    "14:30": "@14:30",
    "2.30pm": "@14:30",
    "half two": "@14:30",
    "half past ten": "@10:30",
    "quarter to four": "@15:45",
    "quarter past 9": "@09:15",
    "ten past three": "@15:10",
    "three o'clock": "@15:00",
    "around 4ish": "@16:00",
    "noon": "@12:00",
    "midday": "@12:00",
    "9 in the morning": "@09:00",
    "7 in the evening": "@19:00",
    "12pm": "@12:00",
    "after 4": "16:00-",
    "after 4pm": "16:00-",
    "before 11": "-11:00",
    "between 2 and 4": "14:00-16:00",
    "from 10 to 12": "10:00-12:00",
    "2-4pm": "14:00-16:00",
    "10am to 1pm": "10:00-13:00",
    "11 to 1pm": "11:00-13:00",
    "in the morning": "-12:00",
    "mornings": "-12:00",
    "afternoon": "12:00-18:00",
    "arvo": "12:00-18:00",
    "in the evening": "17:00-",
    "after work": "17:00-",
    "lunchtime": "12:00-14:00",
    "first thing": "06:00-10:00",
    "late afternoon": "15:00-",
    "after lunch": "13:00-",
    # both
    "tomorrow arvo": "5 12:00-18:00",
    "tomorrow morning": "5 -12:00",
    "tonight": "4 17:00-",
    "this afternoon": "4 12:00-18:00",
    "fri 3pm": "6 @15:00",
    "fri 3": "6 @15:00",
    "3pm on friday": "6 @15:00",
    "friday at 3": "6 @15:00",
    "14th at half two": "14 @14:30",
    "the week after next, mornings": "16-22 -12:00",
    "next week after 4": "9-15 16:00-",
    "friday between 2 and 4": "6 14:00-16:00",
    "monday morning at 10": "9 @10:00",
    "fri 6th march, 10.15am": "6 @10:15",
    "tuesday after work": "10 17:00-",
    "saturday first thing": "7 06:00-10:00",
    "next friday at 3pm": "6 @15:00 | 13 @15:00",
    "March 20 at 2": "20 @14:00",
    "5 june 3:30 pm": "5.6 @15:30",
    "afternoons next week": "9-15 12:00-18:00",
    "Book me in for Teusday at 3": "10 @15:00",
    "can I come next week, mornings are best": "9-15 -12:00",
    "do you have a spot on Saturday? it's for my face": "7",
    # no matter
    "asap": "soonest",
    "as soon as possible": "soonest",
    "first available": "soonest",
    "the earliest you have": "soonest",
    "any day": "soonest",
    "whenever": "soonest",
    "i'm flexible": "soonest",
    "any day after 5": "soonest 17:00-",
    "asap, mornings": "soonest -12:00",
}
NOTHING = [
    "",
    "hello",
    "does it hurt?",
    "how many sessions do i need?",
    "my name is May Smith",
    "I may come",
    "can i sit in the sun",
    "is it march madness",
    "i am 34",
    "I have 2 questions",
    "how much is it for 3 sessions",
    "two of us",
    "face and neck",
    "99/99",
]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _written(wish: Wish) -> str:
    parts = ["soonest"] if wish.soonest else []
    if wish.first and wish.last:
        parts.append("-".join(dict.fromkeys(map(_day, (wish.first, wish.last)))))
    parts += [WEEKDAYS[n] for n in wish.weekdays]
    if wish.at:
        parts.append(f"@{wish.at:%H:%M}")
    if wish.begins or wish.ends:
        parts.append(f"{wish.begins:%H:%M}-" if wish.begins else "-")
        parts[-1] += f"{wish.ends:%H:%M}" if wish.ends else ""
    return " ".join(parts)


def _day(day: dt.date) -> str:
    if day.year != TODAY.year:
        return f"{day.day}.{day.month}.{day.year % 100}"
    return f"{day.day}" if day.month == TODAY.month else f"{day.day}.{day.month}"


@pytest.mark.parametrize(("phrase", "meant"), PHRASES.items())
def test_a_phrase_is_read_as_it_is_meant(phrase: str, meant: str) -> None:
    reading = read(phrase, TODAY)
    assert reading
    assert " | ".join(map(_written, reading.options)) == meant


@pytest.mark.parametrize("phrase", NOTHING)
def test_nothing_is_read_where_nothing_is_said(phrase: str) -> None:
    assert read(phrase, TODAY) is None


@pytest.mark.parametrize(
    ("phrase", "meant"),
    [
        ("3", "@15:00"),
        ("10", "@10:00"),
        ("2-4", "14:00-16:00"),
        ("the 14", "14"),
        ("may", "1.5-31.5"),
        ("sat", "7"),
        ("10 30", "@10:30"),
    ],
)
def test_a_short_answer_to_the_question_when_is_read(phrase: str, meant: str) -> None:
    reading = read(phrase, TODAY, expected=True)
    assert reading
    assert " | ".join(map(_written, reading.options)) == meant


@pytest.mark.parametrize(("phrase", "meant"), [("in 48 hours", "6"), ("mar12", "12")])
def test_what_the_grammar_has_no_words_for_is_read_when_a_day_was_asked_for(phrase: str, meant: str) -> None:
    reading = read(phrase, TODAY, expected=True)
    assert reading
    assert " | ".join(map(_written, reading.options)) == meant
    assert read(phrase, TODAY) is None


@pytest.mark.parametrize("phrase", ["february 30", "31st of april", "4/31", "february 29 2026", "april 31 at 3pm"])
def test_a_day_that_no_calendar_has_is_told(phrase: str) -> None:
    reading = read(phrase, TODAY)
    assert reading
    assert reading.no_such_day
    assert not any(wish.first for wish in reading.options)


@pytest.mark.parametrize(
    ("earlier", "then", "meant"),
    [
        ("next week", "friday", "13"),
        ("next week", "the 11th", "11"),
        ("in april", "tuesday", "7.4-28.4 tue"),
        ("in april", "the 14th", "14.4"),
        ("weekends", "sunday", "8-29 sun"),
        ("march 20", "friday", "20"),
        ("march 20", "thursday", "5 | 19"),
        ("april 10", "the 14th", "14.4"),
        ("friday", "thursday", "5"),
        ("next week, mornings", "any time", "9-15"),
        ("friday at 3pm", "the same time on monday", "9 @15:00"),
    ],
)
def test_a_day_is_meant_in_the_light_of_what_was_said_before(earlier: str, then: str, meant: str) -> None:
    before, after = read(earlier, TODAY), read(then, TODAY)
    assert before
    assert after
    assert " | ".join(map(_written, after.after(before.options[0]))) == meant


def test_a_day_that_was_offered_is_the_one_that_is_meant() -> None:
    then = read("thursday", TODAY)
    assert then
    offered = [dt.date(2026, 5, day) for day in (27, 28, 29)]
    assert " | ".join(map(_written, then.after(Wish(), offered))) == "28.5"


@pytest.mark.parametrize(
    ("phrase", "start"),
    [
        ("an hour earlier", "2026-03-07 09:00"),
        ("half an hour later please", "2026-03-07 10:30"),
        ("can we push it back a week?", "2026-03-14 10:00"),
        ("bring it forward by 2 days", "2026-03-05 10:00"),
        ("delay it a day", "2026-03-08 10:00"),
        ("a fortnight later", "2026-03-21 10:00"),
        ("the next day, same time", "2026-03-08 10:00"),
        ("the day before please", "2026-03-06 10:00"),
    ],
)
def test_how_far_a_visit_is_moved_is_read_by_the_clocks_of_the_day(phrase: str, start: str) -> None:
    # The clocks change on the 8th: an hour less, and still ten in the morning.
    wish = shifted(phrase, dt.datetime(2026, 3, 7, 10, tzinfo=ZoneInfo("America/New_York")))
    assert wish
    assert wish.first
    assert wish.at
    assert f"{wish.first} {wish.at:%H:%M}" == start


@pytest.mark.parametrize(
    ("phrase", "way"),
    [
        ("anything later?", "later"),
        ("too early", "later"),
        ("later please", "later"),
        ("earlier than that", "earlier"),
        ("too late for me", "earlier"),
        ("see you later", None),
        ("I'm running late", None),
    ],
)
def test_which_way_from_what_was_offered(phrase: str, way: str | None) -> None:
    assert toward(phrase) == way


@pytest.mark.parametrize("phrase", ["in 2 days", "I put my back out 2 days ago", "10 minutes late", "move it to 2 weeks time"])
def test_a_length_of_time_alone_moves_nothing(phrase: str) -> None:
    assert shifted(phrase, dt.datetime(2026, 3, 7, 10, tzinfo=dt.UTC)) is None


def test_a_day_years_away_is_not_meant() -> None:
    assert read("in 20 years", TODAY, expected=True) is None


def test_day_and_month_go_by_the_country_and_both_ways_when_both_may_be_meant() -> None:
    american, british = read("4/5", TODAY, "US"), read("4/5", TODAY, "GB")
    assert american
    assert british
    assert [wish.first for wish in american.options] == [dt.date(2026, 4, 5), dt.date(2026, 5, 4)]
    assert list(british.options) == list(american.options)[::-1]


@pytest.mark.parametrize("today", [dt.date(2026, 3, 4) + dt.timedelta(days=n) for n in range(14)])
def test_next_friday_is_one_of_two_days_as_long_as_one_comes_this_week(today: dt.date) -> None:
    reading = read("next friday", today)
    assert reading
    assert all(wish.first and wish.first.weekday() == 4 and today < wish.first for wish in reading.options)
    assert reading.clear == (today.weekday() >= 4)


def test_what_is_said_later_changes_that_alone() -> None:
    first, then = read("friday at 3pm", TODAY), read("actually thursday", TODAY)
    assert first
    assert then
    assert then.options[0].on_top_of(first.options[0]) == Wish(dt.date(2026, 3, 5), dt.date(2026, 3, 5), at=dt.time(15))


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_wish_is_the_same_when_it_was_kept(phrase: str) -> None:
    reading = read(phrase, TODAY)
    assert reading
    assert all(Wish.from_json(wish.as_json()) == wish for wish in reading.options)


def test_the_rest_of_a_message_is_left() -> None:
    reading = read("Anna Smith, friday at 3pm", TODAY)
    assert reading
    assert reading.rest == "anna smith"
