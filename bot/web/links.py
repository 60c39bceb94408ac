"""Finds the clinic's own telephone numbers and addresses in a text, so that they can be tapped. Nothing else becomes a link."""

import html
import re
from dataclasses import dataclass

from clinic import phones
from clinic.facts import ClinicFacts
from clinic.practice import Practice


@dataclass(frozen=True)
class Part:
    """A piece of a text; with an address when it is a link."""

    text: str
    href: str | None = None


class Linker:
    """Cuts texts at what the practice can be reached by."""

    def __init__(self, practice: Practice) -> None:
        facts, emergency = ClinicFacts(practice), practice.emergency
        self._hrefs = {number: f"tel:{_dialled(number)}" for number in (emergency.number, emergency.crisis_line)}
        for number in (practice.phone, practice.urgent_phone):
            dialled = f"tel:{phones.e164(number, practice.country)}"
            self._hrefs |= {number: dialled, facts.phone(number): dialled}
        self._hrefs[practice.email] = f"mailto:{practice.email}"
        if practice.website:
            self._hrefs[practice.website.rstrip("/")] = practice.website
        known = sorted(self._hrefs, key=len, reverse=True)
        # Not within a longer number or word, nor as a price or a share.
        self._found = re.compile(rf"(?<![\w$€£.,/-])({'|'.join(re.escape(k) for k in known)})(?![\w%/-]|[.,]\d)")

    def parts(self, text: str) -> list[Part]:
        """The text in pieces, in order; together they are the text."""
        pieces = self._found.split(text)
        return [Part(piece, self._hrefs[piece] if index % 2 else None) for index, piece in enumerate(pieces) if piece]

    def html(self, text: str) -> str:
        """The text as HTML."""
        return "".join(
            f'<a href="{html.escape(part.href)}">{html.escape(part.text)}</a>' if part.href else html.escape(part.text)
            for part in self.parts(text)
        )


def _dialled(number: str) -> str:
    return re.sub(r"[^\d+*#]", "", number)
