"""The numbers, lengths of time and ranges that a text states, so that two texts can be compared on them."""

import re
from dataclasses import dataclass

_UNITS = "minute|hour|day|week|month|year"
_WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"}
_WORDS |= {"ten": "10", "eleven": "11", "twelve": "12"}
_NUMBER = r"\d+(?:\.\d+)?"
_WORD = "|".join(_WORDS)

# "two weeks", "two visits" and "three to six" are numbers; "one source" is not.
_COUNTED = "treatments|visits|sessions|appointments"
_SPELLED = re.compile(rf"\b({_WORD})\b(?=\s*-?\s*(?:{_UNITS})s?\b|\s+(?:{_COUNTED})\b|\s+(?:to|or)\s+(?:{_WORD}|\d))")
# "to" and "or" are as long as each other, as a look-behind needs.
_SPELLED_END = re.compile(rf"(?<=\d (?:to|or) )({_WORD})\b")
_BETWEEN = re.compile(rf"\bbetween ({_NUMBER}|{_WORD}) and (?={_NUMBER}|{_WORD})")
_ONE_OR_TWO = re.compile(rf"\ban? ({_UNITS}) or two\b")
_SINGLE = re.compile(rf"\ban? ({_UNITS})\b")
_QUANTITY = re.compile(
    rf"""
    (?P<least>\bat\ least\s+)?
    (?:(?P<spf>\bspf\s*)|(?<![\w.]))
    (?:
        (?P<low>{_NUMBER})
        (?:\s*(?:to|or|-|–)\s*(?P<high>{_NUMBER}))?
        (?P<plus>\+)?
        (?:\s*-?\s*(?P<unit>{_UNITS}|mm|%)s?(?!\w))?
      | (?P<vague>few|several|couple\ of)\s+(?P<of>{_UNITS})s?\b
    )
    (?!\w)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Quantity:
    """A number or a range from `low` to `high`, of a unit or none. `low` may be a word, as in "a few days"."""

    low: str
    high: str
    unit: str
    at_least: bool

    def __str__(self) -> str:
        number = self.low if self.low == self.high else f"{self.low} to {self.high}"
        if self.unit == "SPF":
            return f"SPF {number}{'+' if self.at_least else ''}"
        unit = self.unit if self.unit in ("", "mm", "%") or number == "1" else f"{self.unit}s"
        return f"{'at least ' if self.at_least else ''}{number} {unit}".strip()


def quantities(text: str) -> list[Quantity]:
    """What a text states in digits, and in words where a unit or a range follows; each once, in order.

    Words in {braces} do not count, and neither does a number inside a word.
    """
    plain = " ".join(re.sub(r"\{[^{}]*\}", "_", text).lower().split())
    plain = _BETWEEN.sub(r"\1 to ", plain)
    plain = _SINGLE.sub(r"1 \1", _ONE_OR_TWO.sub(r"1 to 2 \1s", plain))
    for pattern in (_SPELLED, _SPELLED_END):
        plain = pattern.sub(lambda match: _WORDS[match[1]], plain)
    return list(dict.fromkeys(_quantity(match) for match in _QUANTITY.finditer(plain)))


def _quantity(match: re.Match[str]) -> Quantity:
    at_least = bool(match["least"] or match["plus"])
    if match["vague"]:
        return Quantity(match["vague"], match["vague"], match["of"], at_least)
    unit = "SPF" if match["spf"] else match["unit"] or ""
    return Quantity(match["low"], match["high"] or match["low"], unit, at_least)
