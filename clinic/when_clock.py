"""Times of day the way people say them: "half two", "after 4", "between 1 and 3", "mornings"."""

import datetime as dt
import functools
import re
from collections.abc import Callable

from clinic.when_words import CORRECTS, PARTS_OF_DAY, SAYS_CLOCK, clock, time_of_day
from clinic.wish import Days


class ClockReader:
    """Reads times out of a plain text, and blanks out what it has read. `expected`: a time was asked for."""

    def __init__(self, text: str, expected: bool) -> None:
        self._text, self._expected = text, expected
        #: each thing said about days, beside which a bare number is a time: the readings of it, of which one is meant
        self._days: list[tuple[Days, ...]] = []
        self._named: list[tuple[int, str]] = []
        self._weeks: list[Days] = []
        self._at: dt.time | None = None
        self._begins: dt.time | None = None
        self._ends: dt.time | None = None

    def _read_times_that_look_like_days(self) -> None:
        """Times that a date's pattern would swallow: "2-4pm", "between 2 and 4", "14.30"."""
        first, second = clock("1"), clock("2")
        self._each(
            r"(?:between|from|btw) " + first + r" ?(?:-|and|to|til|till|until|&) ?" + second + r"(?!/|\d|(?:st|nd|rd|th)\b)",
            self._range,
        )
        self._each(first + r" ?(?:-|to|til|till) ?" + second + r"(?!/|-|\d|(?:st|nd|rd|th)\b)", self._marked_range)

    def _read_clock_times(self) -> None:
        time = clock("1")
        self._each(
            r"(?:any ?time )?(?P<bound>after|from|later than|not before|any ?time after|"
            r"before|until|till|by|no later than|earlier than) " + time + r"(?: onwards?)?",
            self._bound_time,
        )
        self._each(r"(?:at |around |about |@ ?|for |like |say )?(?P<word>noon|midday|12 noon|mid day)", self._noon)
        self._each(
            r"(?P<at>at|around|about|@|abt|circa|for|say|like|approx|roughly|the|make it|at like|make that|to) ?"
            + time
            + r"(?!\d|/|(?:st|nd|rd|th)\b| (?:days?|weeks?|months?|people|sessions?|of us|visits?|or)\b)",
            self._exact,
        )
        self._each(time + r"(?!\d|/|(?:st|nd|rd|th)\b| (?:days?|weeks?|months?|people|sessions?|of us|visits?)\b)", self._marked)

    def _range(self, m: re.Match[str]) -> bool:
        ends = time_of_day(m, "2")
        begins = time_of_day(m, "1")
        if begins is None or ends is None or begins >= ends:
            return False
        self._begins, self._ends = begins, ends
        return True

    def _marked_range(self, m: re.Match[str]) -> bool:
        said = any(m[f"{name}{n}"] for n in "12" for name in SAYS_CLOCK)
        return (said or self._expected) and self._range(m)

    def _bound_time(self, m: re.Match[str]) -> bool:
        time = time_of_day(m, "1")
        if time is None:
            return False
        if m["bound"] in ("before", "until", "till", "by", "no later than", "earlier than"):
            self._ends = time
        else:
            self._begins = time
        return True

    def _noon(self, _: re.Match[str]) -> bool:
        self._at = self._at or dt.time(12)
        return True

    def _exact(self, m: re.Match[str]) -> bool:
        if m["at"] in ("for", "like", "the", "to", "say") and not (self._says_clock(m) or self._days or self._named):
            return False
        return self._set_at(m)

    def _marked(self, m: re.Match[str]) -> bool:
        """A bare number is a time beside a day, or when a time was asked for."""
        beside = self._text[: m.start()] + " " + self._text[m.end() :]
        number_alone = beside.strip("\0 ,.") == ""
        corrects = CORRECTS.search(beside) is not None and CORRECTS.sub("", beside).strip("\0 ,.?!") == ""
        beside_a_day = bool(self._days or self._named or self._weeks) and self._text[: m.start()].rstrip(" ,").endswith("\0")
        if not (self._says_clock(m) or beside_a_day or corrects or (self._expected and number_alone)):
            return False
        return self._set_at(m)

    def _says_clock(self, m: re.Match[str]) -> bool:
        return any(m[f"{name}1"] for name in SAYS_CLOCK)

    def _set_at(self, m: re.Match[str]) -> bool:
        time = time_of_day(m, "1")
        if time is None or self._at:
            return False
        self._at = time
        return True

    def _read_parts_of_day(self) -> None:
        for pattern, begins, ends in PARTS_OF_DAY:
            self._each(
                r"(?:in the |the |at |an? |some time |any ?time )?(?:" + pattern + r")",
                functools.partial(self._part, begins, ends),
            )

    def _part(self, begins: int, ends: int, _: re.Match[str]) -> bool:
        if self._begins is None and self._ends is None:
            self._begins = dt.time(begins) if begins else None
            self._ends = dt.time(ends) if ends < 24 else None
        return True

    def _each(self, pattern: str, take: Callable[[re.Match[str]], object]) -> None:
        """Offers each place that a pattern matches to a function, and blanks out those that it takes."""

        def blank(match: re.Match[str]) -> str:
            taken = take(match)
            if taken is False:
                return match[0]
            return "\0" * len(match[0])

        self._text = re.sub(rf"(?<![a-z0-9'])(?:{pattern})(?![a-z0-9])", blank, self._text)
