"""The words of days and times, as patterns, and what they stand for."""

import datetime as dt
import re

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
MONTH_NUMBERS = {name[:length]: n for n, name in enumerate(MONTHS, 1) for length in (3, 4, len(name))}
_WEEKDAY_NAMES = (
    ("monday", "mondays", "mon", "mondy", "munday"),
    ("tuesday", "tuesdays", "tue", "tues", "teusday", "tuseday", "tuesdy"),
    ("wednesday", "wednesdays", "wed", "weds", "wensday", "wednsday", "wednesdy"),
    ("thursday", "thursdays", "thu", "thur", "thurs", "thrusday", "thursdy"),
    ("friday", "fridays", "fri", "firday", "fridy", "freitag"),
    ("saturday", "saturdays", "sat", "saterday", "satuday"),
    ("sunday", "sundays", "sun", "sundy"),
)
_WEEKDAY_NUMBERS = {name: n for n, names in enumerate(_WEEKDAY_NAMES) for name in names}
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORDS = {word: n for n, word in enumerate(_WORDS, 1)} | {"a": 1, "an": 1, "couple of": 2, "a couple of": 2, "few": 3}
ORDINAL_WORDS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}

MONTH = r"(?P<month>" + "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True)) + r")\.?"
WEEKDAY = r"(?P<weekday>" + "|".join(sorted(_WEEKDAY_NUMBERS, key=len, reverse=True)) + r")"
NUMBER = r"(?P<n>\d{1,2}|" + "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True)) + r")"
DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
YEAR = r"(?:,? ?(?P<year>20\d\d))?"
PART_OF = (
    r"(?:(?P<part>early|beginning of|start of|mid|middle of|late|end of"
    r"|(?P<week>first|second|third|fourth|last) week (?:of|in))[ -](?:the )?)?"
)

#: days that have a name, as patterns, and their month and day
HOLIDAYS: dict[str, tuple[int, int]] = {
    r"(?:christmas|xmas) eve": (12, 24),
    r"(?:christmas|xmas)(?: day)?": (12, 25),
    r"new year'?s? eve|nye": (12, 31),
    r"new year'?s?(?: day)?": (1, 1),
    r"valentine'?s(?: day)?": (2, 14),
    r"halloween": (10, 31),
}
HOLIDAY = r"(?P<holiday>" + "|".join(HOLIDAYS) + r")"
#: what stands beside a bare number that corrects a time: "no sorry 4", "could we do 4 instead"
CORRECTS = re.compile(
    r"\b(?:no|nope|sorry|actually|instead|rather|wait|oh|ah|oops|hmm|i meant?|make (?:it|that)|"
    r"(?:can|could) (?:we|i|you) (?:do|have|make it|say)|how about|what about|please|pls)\b"
)

# (spoken, from, up to)
PARTS_OF_DAY: tuple[tuple[str, int, int], ...] = (
    (r"after (?:the )?school drop(?: |-)?off|after drop(?: |-)?off", 9, 12),
    (r"early afternoon|just after lunch", 12, 15),
    (r"after lunch", 13, 24),
    (r"after (?:the )?school(?: run)?", 15, 24),
    (r"before (?:my )?work", 0, 10),
    (r"first thing(?: in the morning)?|early morning|early in the (?:morning|day)|start of the day", 6, 10),
    (r"late(?:r in the)? morning|mid[- ]?morning", 10, 12),
    (r"late(?:r in the)? afternoon|end of the day|late(?:r)? (?:in the day|on)|late(?:r)? that day|last thing", 15, 24),
    (r"mornings?|morn|mornin|a\.m\.|(?<!\bi )am|before (?:noon|midday|lunch)", 0, 12),
    (r"lunch ?times?|(?:over |at |on my |in my )?lunch(?: ?break| ?hour)?", 12, 14),
    (r"after (?:noon|midday)|afternoons?|arvos?|aft|p\.m\.|pm", 12, 18),
    (r"after (?:my )?work|evenings?|eves?|tonight|tonite|after (?:office|business) hours", 17, 24),
)

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
    *("thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"),
    *(f"twenty-{word}" for word in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")),
    *("thirtieth", "thirty-first"),
)
_ORDINAL_NUMBERS = {word: n for n, word in enumerate(_ORDINALS, 1)}
_MONTH_NAMES = "|".join(MONTHS)
# "The first one" may be one of several, so the first ones are days beside a month alone.
_ORDINAL_DAY = re.compile(
    rf"\b(?P<before>(?:{_MONTH_NAMES}) (?:the )?|the )?(?P<word>{'|'.join(sorted(_ORDINALS, key=len, reverse=True))})\b"
    rf"(?P<after> (?:of )?(?:{_MONTH_NAMES})\b)?(?! (?:one|time|session|visit|treatment|week|option)\b)".replace("-", "[- ]")
)

_CLOCK = (
    r"(?:(?P<half>half(?: past)?|quarter past|quarter to|(?P<minutes_off>five|ten|twenty|twenty[- ]five) (?P<way>past|to)) )?"
    r"(?P<hour>[01]?\d|2[0-3]|" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")"
    r"(?:(?:[:.h](?=\d)| (?=00|15|30|45))(?P<minute>[0-5]\d))?(?P<thirty> thirty| fifteen| forty[- ]five)?"
    r"(?P<clock> ?o'?clock)?(?P<ish>ish)?(?: ?(?P<half_day>[ap])\.?m?\b\.?)?(?P<ish2>ish| or so)?"
    r"(?: (?:in the |at )(?P<named>morning|afternoon|arvo|evening|night))?"
)
SAYS_CLOCK = ("half", "minute", "thirty", "clock", "ish", "half_day", "ish2", "named")


def clock(suffix: str) -> str:
    """The pattern of a time of day, with its groups numbered."""
    return re.sub(r"\?P<(\w+)>", rf"?P<\g<1>{suffix}>", _CLOCK)


def plain(text: str) -> str:
    """A text as it is read: in small letters, with plain marks and single spaces, and the days of months as digits."""
    bare = text.lower().replace("’", "'").replace("–", "-").replace("—", "-")
    return _digits_of_ordinals(" ".join(bare.split()))


def _digits_of_ordinals(text: str) -> str:
    """A text with the days of months that are words as digits: "the sixth of may"."""

    def digits(m: re.Match[str]) -> str:
        number = _ORDINAL_NUMBERS[m["word"].replace(" ", "-")]
        before, after = m["before"] or "", m["after"] or ""
        says_month = after or before not in ("", "the ")
        return f"{before}{number}th{after}" if says_month or (before and number > 4) else m[0]

    return _ORDINAL_DAY.sub(digits, text)


def time_of_day(m: re.Match[str], suffix: str) -> dt.time | None:
    """The time of day of a match; an hour that says neither a.m. nor p.m. is one of the day, from 8 to 7."""
    word = m[f"hour{suffix}"]
    hour = _NUMBER_WORDS[word] if word in _NUMBER_WORDS else int(word)
    minute = int(m[f"minute{suffix}"] or 0)
    if m[f"thirty{suffix}"]:
        minute = {"thirty": 30, "fifteen": 15}.get(m[f"thirty{suffix}"].strip(), 45)
    half = m[f"half{suffix}"]
    away = {"half": 30, "half past": 30, "quarter past": 15, "quarter to": -15}.get(half or "", 0)
    if m[f"minutes_off{suffix}"]:
        away = {"five": 5, "ten": 10, "twenty": 20}.get(m[f"minutes_off{suffix}"], 25)
        away = -away if m[f"way{suffix}"] == "to" else away
    marked = m[f"half_day{suffix}"] or {"morning": "a", None: None}.get(m[f"named{suffix}"], "p")
    if marked == "p" and hour < 12:
        hour += 12
    elif marked == "a" and hour == 12:
        hour = 0
    elif not marked and not word.startswith("0") and 1 <= hour <= 7:
        hour += 12
    total = hour * 60 + minute + away
    return dt.time(total // 60, total % 60) if 0 <= total < 24 * 60 else None


def weekday_of(m: re.Match[str]) -> int:
    """The number of the weekday that a match names; Monday is 0."""
    return _WEEKDAY_NUMBERS[m["weekday"]]


def number_of(word: str) -> int:
    """The number that a word or some digits stand for."""
    return _NUMBER_WORDS[word] if word in _NUMBER_WORDS else int(word)
