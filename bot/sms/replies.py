"""A turn's reply as texts: plain, short, choices as numbered lines, and what does not fit kept for MORE."""

import unicodedata
from dataclasses import dataclass

from bot.nlu.zones import TASKS
from bot.reply import Choice, Reply
from bot.sms_text import fold, segments, split

#: parts of one reply, each sent in one segment
MOST = 2
#: the parts of a reply that must arrive as a whole, such as an emergency's
MOST_WHOLE = 9
URGENT = frozenset(("emergency", "adverse_reaction"))


@dataclass(frozen=True)
class Written:
    """The texts of a reply; the ids of the choices behind its numbers, in order; what MORE brings."""

    texts: tuple[str, ...]
    offered: tuple[str, ...] = ()
    rest: str = ""


def write(reply: Reply, more: str, page: str = "", *, asks: bool = False) -> Written:
    """A reply as texts. `more` is what the last of them says when the rest waits for MORE, `page` where all of it can be read.

    A question with its choices, or what is said last when that `asks` something, is always there: what is said before it
    waits. The page, and then topics that go on from an answer, are named as far as that costs no further segment.
    """
    messages = [text for message in reply.messages if (text := plain(message.text))]
    said = "\n".join(messages)
    if reply.safety in URGENT:
        return Written(tuple(split(said, MOST_WHOLE)[0]))
    choices = [choice for message in reply.messages for choice in message.choices]
    asked = [choice for choice in choices if not _only_suggested(reply, choice)]
    text = said + "".join(_line(number, choice) for number, choice in enumerate(asked, 1))
    offered = asked
    if not asked:
        if _is_free(text, text + page):
            text += page
        for choice in choices:
            longer = text + _line(len(offered) + 1, choice)
            if not _is_free(text, longer):
                break
            text, offered = longer, [*offered, choice]
    parts, rest = _beside(said, text) or split(text, MOST, more)
    if rest and (asks or asked):
        parts, rest = _last_first(messages, text.removeprefix(said), more) or (parts, rest)
    return Written(tuple(parts), tuple(choice.id for choice in offered), rest)


def _beside(said: str, text: str) -> tuple[list[str], str] | None:
    """A question and, in a text of their own, all its choices, when each fits one text and both together do not."""
    both = f"1/2 {said}", f"2/2{text.removeprefix(said)}"
    fit = said and text != said and segments(text) > 1 and all(segments(part) == 1 for part in both)
    return (list(both), "") if fit else None


def _last_first(messages: list[str], choices: str, more: str) -> tuple[list[str], str] | None:
    """As many of the last messages as fit, the choices after them; what is said before them waits, but for what has room."""
    for count in range(1, len(messages)):
        before, last = "\n".join(messages[:count]), "\n".join(messages[count:])
        if segments(f"2/2 {last}{choices}") == 1:
            (first,), rest = split(f"1/2 {before}", 1, more)
            return [first, f"2/2 {last}{choices}"], rest
        together = _beside(last, last + choices + more) if choices else None
        parts, rest = together or split(last + choices + more, MOST)
        if not rest:
            return parts, before
    return None


def go_on(rest: str, more: str) -> tuple[tuple[str, ...], str]:
    """The next texts of what did not fit, and what of it does not fit yet."""
    parts, rest = split(rest, MOST, more)
    return tuple(parts), rest


def whole(text: str) -> tuple[str, ...]:
    """A text of ours or of our staff's, all of it."""
    return tuple(split(plain(text), MOST_WHOLE)[0])


def plain(text: str) -> str:
    """A text with typographic characters folded, and without the control characters that XML cannot hold."""
    kept = "".join(c for c in fold(text) if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    return kept.strip()


def _is_free(text: str, longer: str) -> bool:
    parts, rest = split(longer, MOST)
    return not rest and len(parts) <= max(1, len(split(text, MOST)[0]))


def _line(number: int, choice: Choice) -> str:
    return f"\n{number} {plain(choice.title)}"


def _only_suggested(reply: Reply, choice: Choice) -> bool:
    of_topic = choice.topic.partition("/")[0] in ("faq", "clinic")
    return (reply.zone == "answer" and (of_topic or choice.topic in TASKS)) or (reply.zone == "fallback" and of_topic)
