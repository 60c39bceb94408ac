"""Times that are told from other times: "an hour later", "the day after", "anything earlier?"."""

import datetime as dt
import re
from typing import Literal

from clinic.when_words import NUMBER, number_of, plain
from clinic.wish import Wish

# How far a visit is moved: "an hour earlier", "push it back a week"
_SHIFT = re.compile(
    r"(?:\b(?:(?P<ahead>(?:bring|move|pull)\b[^.,?!]*?\b(?:forward|up))|"
    r"(?P<back>(?:push|put|move|set)\b[^.,?!]*?\bback|(?:delay|postpone)\b(?: it| that| this| my \w+)?)) )?"
    rf"(?<![a-z0-9])(?:by )?(?P<half>half )?{NUMBER} (?P<unit>minutes?|mins?|hours?|hrs?|days?|weeks?|fortnights?)\b"
    r"(?: (?P<way>earlier|sooner|later)\b)?"
)
# Which way from what was offered
_TOWARD = re.compile(
    r"(?:\b(?:any(?:thing)?|something|some|have you got|do you have|got|need|prefer|want|times?|^|no|bit|little) |^)"
    r"(?:(?P<too>too )(?=early|late)|(?:a (?:bit|little) )?(?=earlier|later))(?P<way>earlier|early|later|late)"
    r"(?= (?:please|pls|than that|then|for me|on|ones?|times?|slots?|that day|in the day)\b|\W*$)"
)
# The day next to a visit's
_BESIDE = re.compile(
    r"\b(?:the )?(?:next|following) day\b|\bthe day (?:after|(?P<before>before))(?=\W*$|,| (?:instead|please|then)\b)"
)
_UNITS = {
    "m": dt.timedelta(minutes=1),
    "h": dt.timedelta(hours=1),
    "d": dt.timedelta(days=1),
    "w": dt.timedelta(weeks=1),
    "f": dt.timedelta(weeks=2),
}


def toward(text: str) -> Literal["earlier", "later"] | None:
    """Which way from what was offered: "anything later?", "too early"; None when it does not say."""
    found = _TOWARD.search(plain(text))
    if found is None:
        return None
    return "later" if (found["way"][:4] == "late") != bool(found["too"]) else "earlier"


def shifted(text: str, start: dt.datetime) -> Wish | None:
    """When a visit is wanted by who says how far it is to be moved: "an hour earlier", "push it back a week"."""
    if beside := _BESIDE.search(plain(text)):
        to = start + dt.timedelta(days=-1 if beside["before"] else 1)
        return Wish(to.date(), to.date(), at=to.time())
    found = next((m for m in _SHIFT.finditer(plain(text)) if m["ahead"] or m["back"] or m["way"]), None)
    if found is None:
        return None
    by = number_of(found["n"]) * _UNITS[found["unit"][0]] * (0.5 if found["half"] else 1)
    to = start - by if found["ahead"] or found["way"] in ("earlier", "sooner") else start + by
    return Wish(to.date(), to.date(), at=to.time())
