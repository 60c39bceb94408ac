"""What a message says about a visit: who comes, how to reach them, what for and when, in any order."""

import dataclasses
import datetime as dt
import re
from collections import Counter

from rapidfuzz import fuzz

from clinic import phones, when
from clinic.errors import NotAPhone
from clinic.practice import Practice
from clinic.visits import tidy_reference
from clinic.wish import Reading

#: the things that a message may be asked for
ASKED_NAME, ASKED_PHONE, ASKED_WHEN, ASKED_REFERENCE = "name", "phone", "when", "reference"

_NO_TEXTS = re.compile(
    r"\b(?:don'?t|do not|never|no|not|without|stop)"
    r"(?: (?:please|you|want|wish|like|to|get|receive|any|more|send|me|be|need|your))*"
    r" (?:text|texts|texted|texting|sms|text messages?)\b",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DIGITS = re.compile(r"\+?\(?\d[\d\s().-]{7,}\d(?!\d)")
_FEW_DIGITS = re.compile(r"\+?\(?\d[\d\s().-]{2,}\d")
_SPOKEN = {
    **{word: str(n) for n, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))},
    **dict.fromkeys(("oh", "o", "nought"), "0"),
}
_LETTERS = r"(?:(?:[^\W\d_]{1,2}|[Mm]rs|[Pp]rof)\.|[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_]))*)"
_NAME = rf"{_LETTERS}(?: {_LETTERS}){{0,4}}"
# "O'Neil, Patrick"
_LAST_FIRST = re.compile(
    rf"(?P<last>(?:(?:van|von|der|den|de|di|da|la|le|al|el) )*{_LETTERS}), ?(?P<first>{_LETTERS}(?: {_LETTERS})?)"
)
# A dot after one letter or two is that of "J." or "Dr.".
_PARTS = re.compile(r"[,;:\n!?]|(?<!\b\w)(?<!\b\w\w)(?<!\b[Mm]rs)\.(?:\s|$)| - ")
_SPELLED_OUT = re.compile(r"\b[^\W\d_](?:[- ][^\W\d_]\b){2,}")
# What stands before a name beyond doubt, and what may.
_SAYS_NAME = re.compile(
    r"\b(?:(?:my|the|full|her|his) )?name(?:'s| is|s|:| should be| is spell?ed| is spelt)(?: spell?ed| spelt| actually)? *"
    rf"(?P<name>{_NAME})"
    r"|\b(?:it's|its|it is|that's|thats|i'm|im|i am|actually|with)(?: actually)? (?:spell?ed|spelt) (?:with )?"
    rf"(?P<spelled>{_NAME})"
    rf"|\b(?:call me|under the name(?: of)?|book(?:ed)? (?:it )?(?:under|for)) (?P<called>{_NAME})",
    re.IGNORECASE,
)
_PART_OF_NAME = re.compile(r"\b(?:(?P<last>last|second|family|sur)|first)[ -]?name\b", re.IGNORECASE)
_SEVERAL = re.compile(
    r"\b(?:(?:[2-9]|two|three|four) (?:people|persons|of us)|both of us|(?:me|myself) and (?:my|a) \w+|my \w+ and (?:i|me))\b",
    re.IGNORECASE,
)
_CALLED = re.compile(rf"(?:(?:you can|just|please|hi|ok),? )*call me (?P<name>{_NAME})", re.IGNORECASE)
_MAY_SAY_NAME = re.compile(
    rf"\b(?:i'm|im|i am|this is|it's|its|it is|here is|here's|for|under|name) (?P<name>{_NAME})", re.IGNORECASE
)
_REFERENCE = re.compile(r"\b(?=[A-Z2-9]*\d)[2-9A-HJKMNP-Z]{3}[ -]?[2-9A-HJKMNP-Z]{3}\b", re.IGNORECASE)
_SAYS_REFERENCE = re.compile(
    r"\b(?P<word>reference|ref|code|number|booking)\b(?: (?:no|number|code|is))*\.?:? *#?(?P<it>[2-9A-HJKMNP-Z]{6})\b",
    re.IGNORECASE,
)
# Words that no name is made of.
_NO_NAME = """
a about again all already am an and any are at be been book booking but by bye call can cannot cant come could day did
do does doctor done dont face first for from get give go going good got great had has have hello help hey hi his how
hurt i if in is it its just know last later let like look make may maybe me mine mistake more morning much my name need
never new next nice no nobody none nope not nothing now number of off ok okay on one only or other our out phone please
pls private problem really right same say see she should skip so some something soon sorry still stop sure tell text
thank thanks that the their them then there they thing this time to today told tomorrow too two until up us use want was
we well what whatever when where which who why will with would wrong yeah yep yes yet you your appointment consultation
microneedling treatment neck body skin acne scars monday tuesday wednesday thursday friday saturday sunday afternoon
evening noon week weekend month thx asap mobile cell tel contact client patient session facial visit back instead
"""
_NO_NAMES = frozenset(_NO_NAME.split())
_LITTLE = """
a an the for at on in of and to hi hello hey please pls plz thanks ok id i d like want need book my me visit appointment
can could get have we you any there free available slot
"""
_MATTERS_LITTLE = frozenset(_LITTLE.split())
_GENERIC = frozenset(("and", "the", "for", "with", "of", "a"))
# Stands where a phone number stood.
_PHONE = "\1"
# Likeness of two words, of 100, from which on they are one word misspelt.
_SAME_WORD = 84


@dataclasses.dataclass(frozen=True)
class Said:
    """What a message says. `services` are ids: one when it is clear, several when it is one of them.

    `no_phone` tells that something meant as a telephone number is none, `sure_name` that the name was given as one, and
    `no_texts` that text messages are not wanted, and `only_details` that the message says what for and when, and hardly a
    word besides: "consultation tomorrow at 2"; `several` that more than one person is to come. `practitioner` is the
    id of who is asked for.
    """

    name: str | None = None
    sure_name: bool = False
    phone: str | None = None
    no_phone: bool = False
    email: str | None = None
    no_texts: bool = False
    reference: str | None = None
    services: tuple[str, ...] = ()
    when: Reading | None = None
    only_details: bool = False
    several: bool = False
    practitioner: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in dataclasses.fields(self))


def read(text: str, practice: Practice, today: dt.date, asked: str | None = None) -> Said:
    """Reads a message.

    Args:
        text: what the visitor wrote.
        practice: whose services and country it is about.
        today: the day it is at the clinic.
        asked: what the visitor was asked for, one of the names above; None when something else.
    """
    who, rest = _practitioner(text, practice)
    email = _EMAIL.search(rest)
    if email:
        rest = rest.replace(email[0], "\n")
    reference, rest = _reference(rest, asked)
    phone, no_phone, rest = _phone(rest, practice.country, asked)
    name, sure, left = _name(rest, asked, beside_contact=phone is not None or email is not None)
    if name and name.islower() and not sure and when.read(name, today, practice.country):
        # Who is asked for the name may say "around lunchtime".
        name, left = None, rest
    rest = left.replace(_PHONE, "\n")
    # A name may be that of a month.
    reading = when.read(rest, today, practice.country, expected=asked == ASKED_WHEN)
    found = services(rest, practice)
    others = set(re.findall(r"[^\W_]+", (reading.rest if reading else rest).lower())) - _MATTERS_LITTLE - _named(practice)
    return Said(
        name=name,
        sure_name=sure,
        phone=phone,
        no_phone=no_phone,
        email=email[0] if email else None,
        no_texts=bool(_NO_TEXTS.search(text.replace("’", "'"))),
        reference=reference,
        services=found,
        when=reading,
        only_details=bool(found and reading and reading.definite) and not others,
        several=bool(_SEVERAL.search(text)),
        practitioner=who,
    )


def services(text: str, practice: Practice) -> tuple[str, ...]:
    """The services that a text may mean, likeliest ones only; none when it names nothing of the kind."""
    plain = " ".join(re.findall(r"[a-z]+", text.lower()))
    heard = set(plain.split())
    of_service = {
        one.id: {word for word in re.findall(r"[a-z]+", one.name.lower()) if word not in _GENERIC} for one in practice.services
    }
    common = Counter(word for words in of_service.values() for word in words)
    scores: dict[str, tuple[int, float]] = {}
    broad: list[str] = []
    for one in practice.services:
        own = {word for word in of_service[one.id] if common[word] <= len(practice.services) / 2}
        found = {word for word in own if _heard(word, heard)}
        aliases = [alias for alias in one.also_called if re.search(rf"\b{re.escape(alias.lower())}\b", plain)]
        if found or aliases:
            scores[one.id] = (len(found) + len(aliases), len(found) / max(len(own), 1))
        elif any(_heard(word, heard) for word in of_service[one.id]):
            broad.append(one.id)
    if not scores:
        return tuple(broad)
    best = max(scores.values())
    return tuple(id_ for id_, score in scores.items() if score == best)


def _practitioner(text: str, practice: Practice) -> tuple[str | None, str]:
    """The id of whom a text asks for, by first or full name ("with Imani"), and the text without it."""
    for one in practice.resources:
        first, *more = map(re.escape, one.name.split())
        asks = rf"\b(?:with|see|by) (?:dr\.? )?{first}\b(?: {' '.join(more)}\b)?"
        if one.kind == "practitioner" and (found := re.search(asks, text, re.IGNORECASE)):
            return one.id, text.replace(found[0], " ")
    return None, text


def _named(practice: Practice) -> set[str]:
    """All words by which the services are called."""
    called = (called for one in practice.services for called in (one.name, *one.also_called))
    return {word for words in called for word in re.findall(r"[a-z]+", words.lower())}


def is_called(text: str) -> bool:
    """Whether a text says what somebody is called, and nothing else: "call me Max"."""
    found = _CALLED.fullmatch(text.strip(" .!"))
    return found is not None and not any(map(_no_name, found["name"].split()))


def respelled(new: str, old: str, text: str = "") -> str:
    """A name after a correction: a single word replaces the one of the old name that it is most like.

    `text` may say which name it is: the first or the last one.
    """
    words = old.split()
    if part := _PART_OF_NAME.search(text):
        return " ".join([words[0], new] if part["last"] else [new, *words[1:]])
    if len(new.split()) > 1 or len(words) < 2:
        return new
    alike = [fuzz.ratio(new.lower(), word.lower()) for word in words]
    at = alike.index(max(alike))
    return " ".join([*words[:at], new, *words[at + 1 :]]) if alike[at] >= 50 else new


def _heard(word: str, heard: set[str]) -> bool:
    return word in heard or (len(word) > 5 and any(fuzz.ratio(word, other) >= _SAME_WORD for other in heard))


def _reference(text: str, asked: str | None) -> tuple[str | None, str]:
    found = _SAYS_REFERENCE.search(text)
    sure = found and found["word"].lower() in ("reference", "ref", "code")
    if found and (sure or any(c.isdigit() for c in found["it"]) or found["it"].isupper()):
        return tidy_reference(found["it"]), text.replace(found[0], "\n")
    found = _REFERENCE.search(text)
    if found and not re.fullmatch(r"[\d -]+", found[0]):
        return tidy_reference(found[0]), text.replace(found[0], "\n")
    if asked == ASKED_REFERENCE and re.fullmatch(r"[A-Za-z0-9 #-]{6,9}", text.strip()) and len(tidy_reference(text)) == 6:
        return tidy_reference(text), "\n"
    return None, text


def _phone(text: str, country: str, asked: str | None) -> tuple[str | None, bool, str]:
    expected = asked == ASKED_PHONE
    written = _digits_of_words(text) if expected else text
    found = _DIGITS.search(written) or (_FEW_DIGITS.search(written) if expected else None)
    if not found:
        return None, False, text
    try:
        return phones.e164(found[0], country), False, written.replace(found[0], _PHONE)
    except NotAPhone:
        return None, True, written.replace(found[0], "\n") if expected else text


def _digits_of_words(text: str) -> str:
    """The text with spoken digits as digits: "two one two, double five"."""
    words = re.split(r"([\s,-]+)", text.lower())
    spoken = sum(word in _SPOKEN for word in words)
    if spoken < 4:
        return text
    joined = " ".join(_SPOKEN.get(word, word) for word in words if word.strip(" ,-"))
    return re.sub(r"(?:double|dbl) (\d)", r"\1\1", re.sub(r"(?:triple|treble) (\d)", r"\1\1\1", joined))


def _name(text: str, asked: str | None, *, beside_contact: bool) -> tuple[str | None, bool, str]:
    plain = text.replace("’", "'")
    spelled = _SPELLED_OUT.search(plain)
    if spelled and (asked == ASKED_NAME or re.search(r"\b(?:name|spell?ed|spelt)\b", plain, re.IGNORECASE)):
        letters = re.sub(r"[^\w]", "", spelled[0])
        return letters.capitalize(), True, plain.replace(spelled[0], "\n")
    if (found := _SAYS_NAME.search(plain)) and (name := _cut(found["name"] or found["spelled"] or found["called"], loose=True)):
        return name, True, plain.replace(found[0], found[0].partition(name)[2])
    if (found := _MAY_SAY_NAME.search(plain)) and (name := _cut(found["name"], loose=asked == ASKED_NAME)):
        return name, True, plain.replace(found[0], found[0].partition(name)[2])
    if asked == ASKED_NAME and (found := _LAST_FIRST.fullmatch(plain.strip(" ."))):
        name = f"{found['first']} {found['last']}"
        if not any(map(_no_name, name.split())):
            return name, True, "\n"
    for part in _PARTS.split(plain):
        # "anna lee 212 555 0101": right before a number, a name needs no capitals.
        called, phone, _ = part.partition(_PHONE)
        bare = _greeting_gone(called)
        if not re.fullmatch(_NAME, bare) or any(map(_no_name, bare.split())):
            if beside_contact and (last := _capitals_at_the_end(called)):
                return last, False, plain.replace(last, "\n", 1)
            continue
        capitals = all(word[0].isupper() for word in bare.split())
        if asked == ASKED_NAME and (capitals or "?" not in plain):
            return bare, capitals, plain.replace(bare, "\n", 1)
        if beside_contact and (capitals or phone) and 1 < len(bare.split()) < 4:
            return bare, False, plain.replace(bare, "\n", 1)
    return None, False, text


def _cut(name: str, *, loose: bool) -> str | None:
    """The words of a name up to the first that is none; without `loose`, only words that begin with a capital."""
    kept: list[str] = []
    for word in name.split():
        if _no_name(word) or (not loose and not word[0].isupper()):
            break
        kept.append(word)
    return " ".join(kept).rstrip(".") or None


def _capitals_at_the_end(part: str) -> str | None:
    """The name that a part ends in, by its capitals: "friday at noon Ben Lee"."""
    words: list[str] = []
    for word in reversed(part.split()):
        if _no_name(word) or not word[0].isupper() or not re.fullmatch(_LETTERS, word):
            break
        words.insert(0, word)
    return " ".join(words) if 1 < len(words) < 4 else None


def _greeting_gone(part: str) -> str:
    return re.sub(
        r"^(?:hi|hello|hey|yes|yeah|ok|okay|sure|and|so|its|it's|thanks)\b[ ,]*", "", part.strip(), flags=re.IGNORECASE
    ).strip(" .")


def _no_name(word: str) -> bool:
    # May and Will are people, too.
    return word.lower().strip(".'") in _NO_NAMES and word not in ("May", "Will")
