"""Days and times the way people say them: "next friday", "tomorrow arvo", "the week after next, mornings", "14th at half two".

A small grammar reads the phrases that people use; what it has no words for is left to `dateparser`. Nothing is guessed: a
phrase that may mean one of two days ("5/6", "next friday" on a Monday) gives both.
"""

import calendar
import dataclasses
import datetime as dt
import re

from clinic.when_clock import ClockReader
from clinic.when_words import (
    DAY,
    HOLIDAY,
    HOLIDAYS,
    MONTH,
    MONTH_NUMBERS,
    MONTHS,
    NUMBER,
    ORDINAL_WORDS,
    PART_OF,
    WEEKDAY,
    YEAR,
    number_of,
    plain,
    weekday_of,
)
from clinic.wish import Days, Named, Reading, Wish

#: days ahead for which visits can be booked: of two readings, one beyond them is not meant
HORIZON = 90
#: days that "fridays" or "after the 5th" stands for
OPEN_END = 28
#: days after which a date without a year that has gone by means next year's
GONE_BY = 30


def read(text: str, today: dt.date, country: str = "US", *, expected: bool = False) -> Reading | None:
    """Reads when a visit is wanted out of a text; None when nothing in it says so.

    Args:
        text: what the visitor wrote.
        today: the day it is at the clinic.
        country: the clinic's country, whose order of day and month is tried first.
        expected: whether a day or time was asked for, so that a bare number is one.
    """
    reader = _Reader(plain(text), today, country, expected)
    return reader.read()


class _Reader(ClockReader):
    def __init__(self, text: str, today: dt.date, country: str, expected: bool) -> None:
        super().__init__(text, expected)
        self._today, self._country = today, country
        self._excluded: set[int] = set()
        self._weekdays: tuple[int, ...] = ()
        self._soonest = self._any_time = self._same_time = self._same_day = self._no_such_day = False
        #: whether a day was named by its number in the month alone
        self._number = False

    def read(self) -> Reading | None:
        self._read_times_that_look_like_days()
        self._read_days()
        self._read_clock_times()
        self._read_parts_of_day()
        options = self._options()
        none_such = self._no_such_day and not any(option.first for option in options)
        if not (options or none_such):
            return self._by_dateparser()
        return Reading(tuple(options), " ".join(self._text.replace("\0", " ").split()).strip(" ,.;-"), none_such)

    # Days

    def _read_days(self) -> None:
        day = dt.timedelta(days=1)
        today = self._today
        self._each(r"(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)", self._iso)
        self._each(r"(?P<a>\d{1,2})[/-](?P<b>\d{1,2})(?:[/-](?P<y>20\d\d|\d\d))?(?!\d)", self._slashed)
        self._each(r"(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?P<y>20\d\d|\d\d)", self._slashed)
        bound = r"(?P<bound>before|after|from|since|by|until|till|not before|not until|starting)? ?(?:on )?(?:the )?"
        week = r"week (?:of|commencing|starting|beginning)(?: the| on)? "
        self._each(week + MONTH + " " + DAY, self._week_of_date)
        self._each(week + DAY + " (?:of )?" + MONTH, self._week_of_date)
        self._each(bound + DAY + r" (?:of )?(?:the month of )?" + MONTH + r"\b" + YEAR, self._month_day)
        self._each(bound + MONTH + r" (?:the )?" + DAY + r"\b(?![:.]\d)(?! ?[ap]m)" + YEAR, self._month_day)
        self._each(bound + HOLIDAY, self._holiday)
        self._each(
            PART_OF + r"(?:in |during )?(?:the month of )?" + MONTH + r"\b(?! (?:i|be|you|we|have|need)\b)" + YEAR, self._month
        )
        self._each(PART_OF + r"(?:(?P<which>next|this|the following|the coming) )?month", self._relative_month)
        self._each(
            r"(?:a |one )?(?P<n2>week|fortnight|two weeks) (?:on|from|after) (?:next |this |coming )?" + WEEKDAY, self._week_on
        )
        self._each(WEEKDAY + r" (?P<n2>week|fortnight)\b", self._week_on)
        self._each(WEEKDAY + r" after next", self._after_next)
        self._each(
            r"(?:a |one )?week (?:from|after) (?P<from>today|now|tomorrow|tmrw)|(?P<day>today|tomorrow) week",
            lambda m: self._add(today + (8 if (m["from"] or m["day"])[:2] == "tm" or "tomorrow" in m[0] else 7) * day),
        )
        self._each(r"(?:the )?day after (?:tomorrow|tmrw|tmr|tomorow)|overmorrow", lambda _: self._add(today + 2 * day))
        self._each(
            r"tomorrow|tomorow|tommorow|tommorrow|tmrw?|tmoz|tmoro|2mo(?:r|rro|rrow|z)|2moro", lambda _: self._add(today + day)
        )
        self._each(r"today|2day", lambda _: self._add(today))
        # What part of the day it is about is read later.
        self._each(r"this (?:morning|afternoon|arvo|evening)|tonight|tonite", lambda _: self._add(today) and False)
        self._each(r"yesterday", lambda _: self._add(today - day))
        self._each(r"last " + WEEKDAY, lambda m: self._add(today - ((today.weekday() - weekday_of(m) - 1) % 7 + 1) * day))
        self._each(r"(?:the )?(?P<which>weekend after next|next weekend|this weekend|weekend)\b", self._weekend)
        self._each(
            r"(?:the )?week after next|the week after(?= that| please|\W*$|,)", lambda _: self._weeks.append(self._week(2))
        )
        self._each(r"(?:a )?(?:next|the following) week", lambda _: self._weeks.append(self._week(1)))
        self._each(
            r"(?:later |sometime )?this week|the week(?! (?:of|commencing|starting|beginning))",
            lambda _: self._weeks.append((today, self._week(0)[1])),
        )
        self._each(r"(?:in )" + NUMBER + r" (?P<unit>days?|weeks?|fortnights?|months?)(?:'? time)?", self._ahead)
        self._each(
            NUMBER + r" (?P<unit>days?|weeks?|fortnights?|months?)(?:'? time| from (?:now|today)| away| later)", self._ahead
        )
        self._each(r"within (?:the next |a |the )?(?P<n3>\d{1,2})? ?(?P<unit>days?|weeks?|month)", self._within)
        self._each(r"(?:the )?next (?P<n3>few|couple of|\d{1,2}) (?P<unit>days?|weeks?)", self._within)
        self._each(
            r"(?:not|except|but not|no|cant do|can't do|apart from|any day but|anything but) (?:on )?" + WEEKDAY, self._exclude
        )
        self._each(r"(?P<every>weekdays?|week days?|during the week|weekends)", self._every_weekday)
        self._each(
            r"(?P<which>(?:not )?before|after|from|by|until|till|starting)? ?(?:on )?"
            r"(?P<next>next|this|the coming|coming|this coming|the following|the next)? ?"
            + WEEKDAY
            + r"(?: the (?P<nth>\d{1,2})(?:st|nd|rd|th)?)?",
            self._weekday,
        )
        self._each(r"(?:week of|week commencing|wc|week starting)(?: the)? " + DAY, self._week_of)
        numbered = r"(?:st|nd|rd|th)" if not self._expected else r"(?:st|nd|rd|th)|(?<=the [123]\d)|(?<=the \d)"
        self._each(
            bound + r"(?P<day>3[01]|[12]\d|0?[1-9])(?:" + numbered + r")(?! (?:time|session|visit|treatment|one|of))",
            self._ordinal,
        )
        self._each(
            r"as soon as (?:possible|you can|poss)|a\.?s\.?a\.?p\.?|soonest|the sooner the better|"
            r"(?:your |the )?(?:next|first|earliest) (?:available|availble|avail|free|possible|opening|slot|appointment|"
            r"availability|one you have|gap|you have|you've got)(?: (?:slot|appointment|time|day))?|"
            r"earliest(?: possible)?|soon(?:er)?|straight ?away|right away|right now|immediately|any ?day",
            self._set_soonest,
        )
        self._each(
            r"any ?time|whenever(?: you (?:can|have|like))?|(?:i'm |im |am )?(?:flexible|easy)|i don'?t mind|no preference|"
            r"doesn'?t matter|up to you",
            self._set_any_time,
        )
        self._each(r"(?:at |on )?(?:the )?same (?P<what>time|day)(?: of the week)?", self._set_same)

    def _iso(self, m: re.Match[str]) -> bool:
        return self._add(_date(int(m["y"]), int(m["m"]), int(m["d"])))

    def _slashed(self, m: re.Match[str]) -> bool:
        first, second = int(m["a"]), int(m["b"])
        year = int(m["y"]) + (2000 if len(m["y"]) == 2 else 0) if m["y"] else None
        pairs = [(first, second), (second, first)]
        if self._country not in ("US", "PH", "FM", "MH", "PW"):
            pairs.reverse()
        days = [day for month, number in dict.fromkeys(pairs) if (day := self._dated(month, number, year))]
        last = self._today + dt.timedelta(days=HORIZON)
        near = [day for day in days if self._today <= day <= last]
        if not days and 1 <= min(first, second) <= 12 and max(first, second) <= 31:
            self._no_such_day = True
            return True
        # 5/6 and 6/5: of two readings, the one that can be booked is meant.
        return self._add(*(near if len(near) == 1 else days))

    def _month_day(self, m: re.Match[str]) -> bool:
        day = self._dated(MONTH_NUMBERS[m["month"]], int(m["day"]), int(m["year"]) if m["year"] else None)
        self._no_such_day = self._no_such_day or day is None
        return day is None or self._bounded(m["bound"], day)

    def _holiday(self, m: re.Match[str]) -> bool:
        month, number = next(day for pattern, day in HOLIDAYS.items() if re.fullmatch(pattern, m["holiday"]))
        return self._bounded(m["bound"], self._dated(month, number, None))

    def _ordinal(self, m: re.Match[str]) -> bool:
        first = self._today.replace(day=1)
        for _ in range(4):
            day = _date(first.year, first.month, int(m["day"]))
            if day and day >= self._today:
                self._number = not m["bound"]
                return self._bounded(m["bound"], day)
            first = _next_month(first)
        return False

    def _bounded(self, bound: str | None, day: dt.date | None) -> bool:
        if day is None:
            return False
        one = dt.timedelta(days=1)
        if bound == "before":
            return self._add_span((self._today, max(day - one, self._today)))
        if bound in ("by", "until", "till"):
            return self._add_span((self._today, day))
        if bound == "after":
            return self._add_span((day + one, day + dt.timedelta(days=OPEN_END)))
        if bound:
            return self._add_span((day, day + dt.timedelta(days=OPEN_END)))
        return self._add(day)

    def _month(self, m: re.Match[str]) -> bool:
        # "may" and "march" and "sat" are words of their own, too.
        if m["month"] in ("may", "mar", "march", "dec", "sept") and not (m[0] != m["month"] or self._expected):
            return False
        number = MONTH_NUMBERS[m["month"]]
        year = int(m["year"]) if m["year"] else self._today.year + (number < self._today.month)
        return self._part_of_month(m, dt.date(year, number, 1))

    def _relative_month(self, m: re.Match[str]) -> bool:
        if not (m["which"] or m["part"]):
            return False
        first = self._today.replace(day=1)
        return self._part_of_month(m, first if m["which"] in (None, "this") else _next_month(first))

    def _part_of_month(self, m: re.Match[str], first: dt.date) -> bool:
        last = _next_month(first) - dt.timedelta(days=1)
        part = m["part"]
        if m["week"]:
            n = ORDINAL_WORDS[m["week"]]
            begins = last - dt.timedelta(days=6) if n < 0 else first + dt.timedelta(days=7 * (n - 1))
            first, last = begins, begins + dt.timedelta(days=6)
        elif part in ("early", "beginning of", "start of"):
            last = first + dt.timedelta(days=9)
        elif part in ("mid", "middle of"):
            first, last = first + dt.timedelta(days=10), first + dt.timedelta(days=19)
        elif part:
            first = first + dt.timedelta(days=20)
        return self._add_span((max(first, self._today) if last >= self._today else first, last))

    def _week_on(self, m: re.Match[str]) -> bool:
        weeks = 1 if m["n2"] == "week" else 2
        return self._add(self._coming(weekday_of(m)) + dt.timedelta(weeks=weeks))

    def _after_next(self, m: re.Match[str]) -> bool:
        return self._add(self._coming(weekday_of(m)) + dt.timedelta(weeks=1))

    def _weekend(self, m: re.Match[str]) -> bool:
        saturday = self._today + dt.timedelta(days=5 - self._today.weekday())
        coming = (max(saturday, self._today), saturday + dt.timedelta(days=1))
        after = (saturday + dt.timedelta(days=7), saturday + dt.timedelta(days=8))
        if m["which"] == "weekend after next":
            return self._add_span((after[0] + dt.timedelta(days=7), after[1] + dt.timedelta(days=7)))
        if m["which"] != "next weekend":
            return self._add_span(coming)
        return self._add_span(after) if self._today.weekday() >= 5 else self._add_spans(coming, after)

    def _ahead(self, m: re.Match[str]) -> bool:
        n = number_of(m["n"])
        if m["unit"].startswith("day"):
            return self._add(self._today + dt.timedelta(days=n))
        if m["unit"].startswith("month"):
            first = self._today
            for _ in range(n):
                first = _next_month(first)
            return self._add_span((first, _next_month(first) - dt.timedelta(days=1)))
        weeks = n * (2 if m["unit"].startswith("fortnight") else 1)
        self._weeks.append(self._week(weeks))
        return True

    def _within(self, m: re.Match[str]) -> bool:
        n = {"few": 3, "couple of": 2, None: 1}.get(m["n3"]) or int(m["n3"])
        unit = {"d": 1, "w": 7, "m": 30}[m["unit"][0]]
        return self._add_span((self._today, self._today + dt.timedelta(days=n * unit)))

    def _week_of(self, m: re.Match[str]) -> bool:
        first = self._today.replace(day=1)
        for _ in range(3):
            day = _date(first.year, first.month, int(m["day"]))
            if day and day >= self._today:
                self._weeks.append((day, day + dt.timedelta(days=6)))
                return True
            first = _next_month(first)
        return False

    def _week_of_date(self, m: re.Match[str]) -> bool:
        day = self._dated(MONTH_NUMBERS[m["month"]], int(m["day"]), None)
        self._no_such_day = self._no_such_day or day is None
        if day:
            self._weeks.append((day, day + dt.timedelta(days=6)))
        return True

    def _exclude(self, m: re.Match[str]) -> bool:
        self._excluded.add(weekday_of(m))
        return True

    def _every_weekday(self, m: re.Match[str]) -> bool:
        self._weekdays += (5, 6) if m["every"] == "weekends" else (0, 1, 2, 3, 4)
        return True

    def _weekday(self, m: re.Match[str]) -> bool:
        # Three letters are a word of their own, unless something beside them speaks of days.
        if m["weekday"] in ("sun", "sat", "wed", "mon") and m[0].strip() == m["weekday"] and not self._stands_for_a_day(m):
            return False
        number = weekday_of(m)
        if m["nth"]:
            first = self._today.replace(day=1)
            for _ in range(12):
                day = _date(first.year, first.month, int(m["nth"]))
                if day and day >= self._today and day.weekday() == number:
                    return self._add(day)
                first = _next_month(first)
            return False
        if m["weekday"].endswith("days") and not m["which"] and not m["next"]:
            self._weekdays += (number,)
            return True
        if m["which"]:
            return self._bounded(m["which"].removeprefix("not ") if m["which"] != "not before" else "from", self._coming(number))
        self._named.append((number, (m["next"] or "").removeprefix("the ")))
        return True

    def _stands_for_a_day(self, m: re.Match[str]) -> bool:
        around = self._text[max(m.start() - 12, 0) : m.end() + 14]
        return (
            self._expected
            or self._text.strip() == m["weekday"]
            or bool(re.search(r"\d|\b(on|this|next|for|or|am|pm|morning|afternoon)\b", around))
            or bool(re.search(r"\b(?:appointment|consult\w*|facial|visit|book\w*|come|in) " + m["weekday"] + r"\W*$", self._text))
        )

    def _set_soonest(self, _: re.Match[str]) -> bool:
        self._soonest = True
        return True

    def _set_any_time(self, _: re.Match[str]) -> bool:
        self._soonest = self._any_time = True
        return True

    def _set_same(self, m: re.Match[str]) -> bool:
        self._same_time, self._same_day = self._same_time or m["what"] == "time", self._same_day or m["what"] == "day"
        return True

    def _coming(self, weekday: int) -> dt.date:
        """The next such day after today."""
        return self._today + dt.timedelta(days=(weekday - self._today.weekday() - 1) % 7 + 1)

    def _week(self, ahead: int) -> Days:
        monday = self._today - dt.timedelta(days=self._today.weekday()) + dt.timedelta(weeks=ahead)
        return monday, monday + dt.timedelta(days=6)

    def _dated(self, month: int, number: int, year: int | None) -> dt.date | None:
        if year is not None:
            return _date(year, month, number)
        day = _date(self._today.year, month, number)
        if day is None or day < self._today - dt.timedelta(days=GONE_BY):
            # 29 February may be some years away.
            return next((later for n in range(1, 5) if (later := _date(self._today.year + n, month, number))), None)
        return day

    def _add(self, *days: dt.date | None) -> bool:
        return self._add_spans(*((day, day) for day in days if day))

    def _add_span(self, span: Days) -> bool:
        return self._add_spans(span)

    def _add_spans(self, *spans: Days) -> bool:
        if spans:
            self._days.append(tuple(dict.fromkeys(spans)))
        return bool(spans)

    # All together

    def _options(self) -> list[Wish]:
        time = Wish(at=self._at, begins=self._begins, ends=self._ends, same_time=self._same_time, same_day=self._same_day)
        if self._at:
            # "4 in the afternoon", "friday morning at 10"
            morning = self._ends == dt.time(12) and self._at.hour > 12
            time = Wish(at=self._at.replace(hour=self._at.hour - 12) if morning else self._at)
        keep = self._weekdays
        if self._excluded:
            keep = tuple(n for n in (keep or range(7)) if n not in self._excluded)
        spans = self._spans()
        if not spans and (keep or self._soonest):
            last = self._today + dt.timedelta(days=OPEN_END)
            days = Wish(self._today, last, tuple(sorted(keep))) if keep else Wish()
            easy = dataclasses.replace(time, soonest=self._soonest, any_time=self._any_time)
            return [dataclasses.replace(easy, first=days.first, last=days.last, weekdays=days.weekdays)]
        if not spans:
            return [time] if time.has_time or time.same_time or time.same_day else []
        named = self._named_by()
        return [
            dataclasses.replace(time, first=first, last=last, weekdays=tuple(sorted({*keep, *days})), named=named)
            for (first, last), days in spans
        ]

    def _named_by(self) -> Named | None:
        if self._named and not (self._days or self._weeks) and all(word == "" for _, word in self._named):
            return "weekday"
        return "number" if self._number and len(self._days) == 1 and not (self._named or self._weeks) else None

    def _spans(self) -> list[tuple[Days, tuple[int, ...]]]:
        """The days that may be meant, each with the weekdays that count."""
        if self._weeks:
            week = (min(first for first, _ in self._weeks), max(last for _, last in self._weeks))
            if not self._named:
                return [(week, ())]
            days = sorted(self._in_week(number, week[0]) for number, _ in self._named)
            return [_together([(day, day) for day in days])]
        named = [self._meant(number, word) for number, word in self._named]
        if named and self._days and all(len(option) == 1 for option in self._days):
            # "Friday the 6th of March": the date counts when the weekday agrees, and both do when it does not.
            dates = [option[0] for option in self._days]
            right = all(first == last and first.weekday() in {n for n, _ in self._named} for first, last in dates)
            wide = any(first != last for first, last in dates)
            if wide:
                return [(dates[0], tuple(sorted({n for n, _ in self._named})))]
            if right:
                return [_together(dates)]
            return [(span, ()) for span in dict.fromkeys([*dates, *(each for option in named for each in option)])]
        every = [*self._days, *named]
        if len(every) == 1:
            return [(span, ()) for span in every[0]]
        if every:
            # Of several days, those that could be meant soonest.
            return [_together([option[0] for option in every])]
        return []

    def _meant(self, number: int, word: str) -> tuple[Days, ...]:
        today = self._today
        coming = self._coming(number)
        if number == today.weekday() and word in ("", "this"):
            return ((today, today), (coming, coming)) if word == "" else ((today, today),)
        # "Next friday" on a Monday: some mean this week's, some the one after.
        if word in ("next", "following") and coming <= self._week(0)[1]:
            later = coming + dt.timedelta(weeks=1)
            return (coming, coming), (later, later)
        return ((coming, coming),)

    def _in_week(self, number: int, first: dt.date) -> dt.date:
        return first + dt.timedelta(days=(number - first.weekday()) % 7)

    def _by_dateparser(self) -> Reading | None:
        text = self._text.replace("\0", " ").strip()
        if not self._expected or not 3 <= len(text) <= 40 or not re.search(r"\d|day|week|month|" + "|".join(MONTHS), text):
            return None
        # It takes long to load, and is seldom needed.
        import dateparser

        settings = {"RELATIVE_BASE": dt.datetime.combine(self._today, dt.time(12)), "PREFER_DATES_FROM": "future"}
        found = dateparser.parse(text, languages=["en"], settings=settings)
        if found is None or not self._today <= found.date() <= self._today + dt.timedelta(days=366):
            return None
        return Reading((Wish(found.date(), found.date()),), "")


def _together(spans: list[Days]) -> tuple[Days, tuple[int, ...]]:
    """Several days as one span, with the weekdays that count in it."""
    first, last = min(first for first, _ in spans), max(last for _, last in spans)
    single = all(begins == ends for begins, ends in spans)
    days = tuple(sorted({begins.weekday() for begins, _ in spans})) if single and len(spans) > 1 else ()
    return (first, last), days


def _date(year: int, month: int, day: int) -> dt.date | None:
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return dt.date(year, month, day)


def _next_month(day: dt.date) -> dt.date:
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
