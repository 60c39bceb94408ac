"""The words of `wording.yml`, checked when they are read."""

import datetime as dt
from pathlib import Path
from typing import Annotated

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_datetime
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from clinic import yaml

FILE = Path(__file__).with_name("wording.yml")

#: what may stand in braces
NAMES = frozenset(
    (
        *("clinic", "clinic_phone", "address", "zone", "when", "when_short", "service", "practitioner", "room"),
        *("reference", "name", "phone", "pending_reason", "reason", "urgency", "request"),
    )
)


def _language(code: str) -> str:
    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"'{code}' is not a language code such as en or en_GB") from error
    return code


Template = Annotated[str, Field(min_length=1), AfterValidator(yaml.naming(NAMES))]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Letter(_Entry):
    """An e-mail."""

    subject: Template
    text: Template


class StaffLetters(_Entry):
    """E-mails to the clinic."""

    visit_booked: Letter
    visit_pending: Letter
    visit_approved: Letter
    visit_moved: Letter
    visit_cancelled: Letter
    handoff_opened: Letter
    handoff_unclaimed: Letter
    handoff_visitor_wrote: Letter


class VisitorLetters(_Entry):
    """E-mails to the visitor."""

    visit_booked: Letter
    visit_pending: Letter
    visit_approved: Letter
    visit_moved: Letter
    visit_cancelled: Letter
    reminder: Letter


class Texts(_Entry):
    """Text messages to the visitor."""

    visit_booked: Template
    visit_pending: Template
    visit_approved: Template
    visit_moved: Template
    visit_cancelled: Template
    reminder: Template


class CalendarTitles(_Entry):
    """Titles of calendar entries."""

    visitor: Template
    staff: Template
    staff_pending: Template


class Reasons(_Entry):
    """Why a visitor needs a person, by key."""

    asked: str
    bad_answers: str
    too_many_tries: str
    emergency: str
    adverse_reaction: str
    texted_cancel: str
    reminder_refused: str
    number_wrong: str
    no_texts: str


class Wording(_Entry):
    """All the words."""

    language: Annotated[str, AfterValidator(_language)]
    when: Annotated[str, Field(min_length=1)]
    when_short: Annotated[str, Field(min_length=1)]
    reasons: Reasons
    staff: StaffLetters
    visitor: VisitorLetters
    texts: Texts
    calendar: CalendarTitles

    def reason(self, key: str) -> str:
        """Why a visitor needs a person or a clinician, from the key that is kept of it; one without words of its own as it is."""
        return str(getattr(self.reasons, key, key.replace("_", " ")))

    def moment(self, moment: dt.datetime, *, short: bool = False) -> str:
        """An aware moment as visitors read it, in its own time zone, with plain spaces only."""
        text = format_datetime(moment, self.when_short if short else self.when, locale=self.language)
        return " ".join(str(text).split())


def load(path: Path = FILE) -> Wording:
    """Reads the words.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return yaml.read_as(path, Wording)
