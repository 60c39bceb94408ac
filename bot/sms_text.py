"""Text messages: the plain characters that they are cheapest in, and how many parts a text is sent and billed as.

The alphabet, the extension table and the sizes are those of 3GPP TS 23.038 (section 6.2.1) and TS 23.040 (section
9.2.3.24.1, the header of a part); that a text is billed by its parts is from Twilio's documentation ("SMS character
limit", "How are SMS messages segmented").
"""

import re
import unicodedata
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each is sent as an escape and a second character.
GSM_7_EXTENSION = frozenset("\f^{}\\[~]|€")
# (alone, as one of several parts)
SIZES: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "…": "...",
        "•": "-",
        # unbreakable, narrow and other widths of space, and the tab
        **dict.fromkeys("\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
        # characters without width: soft hyphen, zero-width space and joiners, byte order mark
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
    }
)


def fold(text: str) -> str:
    """The text with typographic quotes, dashes, dots and spaces made plain, so that it does not leave GSM-7 for their sake.

    Nothing else is changed: an accent or an emoji stays, and may still make the text UCS-2.
    """
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def encoding(text: str) -> Encoding:
    """What a text is sent in: one character outside the GSM 7-bit alphabet makes all of it UCS-2 (3GPP TS 23.038)."""
    return "UCS-2" if strangers(text) else "GSM-7"


def strangers(text: str) -> list[str]:
    """The characters that are not in the GSM 7-bit alphabet or its extension table, each once, in order."""
    return list(dict.fromkeys(c for c in text if c not in GSM_7 and c not in GSM_7_EXTENSION))


def length(text: str) -> int:
    """How many characters a text counts: one of the extension table counts 2 in GSM-7, one outside the BMP 2 in UCS-2."""
    return sum(_widths(text))


def segments(text: str) -> int:
    """How many parts a text is sent and billed as: 160 characters in one part or 153 in each of several; 70 or 67 in UCS-2.

    A character that counts 2 is never cut in half, so that a part may be one short. An empty text has no part.
    """
    widths = _widths(text)
    alone, each = SIZES[encoding(text)]
    if sum(widths) <= alone:
        return min(1, len(widths))
    parts, room = 1, each
    for width in widths:
        if width > room:
            parts, room = parts + 1, each
        room -= width
    return parts


def split(text: str, most: int, more: str = "") -> tuple[list[str], str]:
    """Cuts a text into at most `most` parts, numbered "1/2", each of which is sent in one part; what did not fit comes second.

    Never inside a word, a number, a telephone number, a time or a link: a link longer than a part is a part of its own
    that is billed as several. `more` is said at the end when something is left.
    """
    text = text.strip()
    if segments(text) <= 1:
        return ([text], "") if text else ([], "")
    atoms = _atoms(text)
    for ending, by_sentence in (("", True), ("", False), (more, True)):
        parts, left = _fill(atoms, most, ending, by_sentence)
        if not left:
            break
    total = len(parts)
    labelled = [f"{number}/{total} {part}" if total > 1 else part for number, part in enumerate(parts, 1)]
    return labelled, "".join(left).strip()


# What is kept in one piece, with the white space after it: a telephone number, a time of day, a link or any other word.
_ATOM = re.compile(
    r"(?:\+?\(?\d[\d().-]*(?: [\d().-]+\d)+|\d{1,2}(?::\d\d)? ?[ap]\.?m\b\.?|\S+)(?:[^\s\w]*)(\s+|$)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<![ap]\.m)[.!?][\"')]*\s*$|\n\s*$", re.IGNORECASE)
_WORD = re.compile(r"\S+\s*")


def _atoms(text: str) -> list[str]:
    atoms, at = [], 0
    while at < len(text):
        found = _ATOM.match(text, at) or _WORD.match(text, at)
        end = found.end() if found else len(text)
        atoms.append(text[at:end])
        at = end
    return atoms


def _fill(atoms: list[str], most: int, more: str, by_sentence: bool) -> tuple[list[str], list[str]]:
    """Parts filled one after the other, the last one with room for `more`; and the atoms that are left."""
    parts: list[str] = []
    left = atoms
    # Stands for the number that a part gets.
    label = "" if most == 1 else "9/9 " if most <= 9 else "99/99 "
    while left and len(parts) < most:
        ending = more if len(parts) == most - 1 else ""
        count = _that_fit(left, label, ending, by_sentence)
        part = "".join(left[:count]).strip()
        left = left[count:]
        parts.append(part + ending if left else part)
    return parts, left


def _that_fit(atoms: list[str], label: str, ending: str, by_sentence: bool) -> int:
    """How many atoms make the next part, at least one: up to the last sentence's end if that is past the part's middle.

    Past its quarter when something is said at its end: what goes on later had better not break off.
    """
    count, sentence, whole = 0, 0, label
    for atom in atoms:
        whole += atom
        if segments(whole.rstrip() + ending) > 1:
            break
        count += 1
        if _SENTENCE_END.search(atom) and length(whole) * (4 if ending else 2) >= SIZES[encoding(whole)][0]:
            sentence = count
    if count == len(atoms) or not by_sentence:
        return max(count, 1)
    return max(sentence or count, 1)


def _widths(text: str) -> list[int]:
    if encoding(text) == "GSM-7":
        return [2 if c in GSM_7_EXTENSION else 1 for c in text]
    return [2 if ord(c) > 0xFFFF else 1 for c in text]
