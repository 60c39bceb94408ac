"""What the text-message channel says by itself, as `wording.yml` has it."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.sms_text import fold
from clinic import clock as clocks
from clinic import yaml
from clinic.clock import Clock
from clinic.facts import ClinicFacts
from clinic.practice import Practice

FILE = Path(__file__).with_name("wording.yml")
NAMES = frozenset(
    ("clinic_name", "clinic_phone", "urgent_phone", "clinic_address", "emergency_number", "crisis_line", "when", "link", "visits")
)

Template = Annotated[str, Field(min_length=1), AfterValidator(yaml.naming(NAMES))]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(_Entry):
    """The texts to people, by name."""

    first_contact: Template
    stopped: Template
    stopped_by_cancel: Template
    started: Template
    started_within_form: Template
    help: Template
    picture: Template
    contact: Template
    location: Template
    file: Template
    empty: Template
    reaction: Template
    no_such_number: Template
    no_visit_ahead: Template
    more: Template
    more_and_link: Template
    page: Template
    whole_answer: Template
    nothing_more: Template
    confirmed: Template
    nothing_to_confirm: Template
    still_pending: Template
    person_by_phone: Template
    broken: Template
    too_many: Template


class Notes(_Entry):
    """The notes to staff, by name."""

    texted_cancel: Template
    no_visit: Template
    reminder_refused: Template
    number_wrong: Template


class _File(Texts):
    version: Annotated[str, Field(min_length=1, max_length=32)]
    staff: Notes


class SmsWording:
    """Fills in what the clinic is."""

    def __init__(self, file: _File, practice: Practice, clock: Clock = clocks.now) -> None:
        self.version = file.version
        self._file = file
        self._facts = ClinicFacts(practice)
        self._clock = clock

    @classmethod
    def load(cls, practice: Practice, clock: Clock = clocks.now, path: Path = FILE) -> Self:
        """Reads the words.

        Raises:
            clinic.yaml.BadFile: the file is missing or wrong.
        """
        return cls(yaml.read_as(path, _File), practice, clock)

    def text(self, name: str, **more: str) -> str:
        """A text of the file by its name, plain and filled in."""
        return self._filled(getattr(self._file, name), more)

    def note(self, name: str, **more: str) -> str:
        """A note to staff by its name, filled in."""
        return self._filled(getattr(self._file.staff, name), more)

    def all(self) -> dict[str, str]:
        """Every text to people, filled in; what is known only later stands in it as an example."""
        examples = {
            "when": "Wednesday, September 23, 11:30 AM",
            "link": "https://chat.larkfield-skin.example/answers/sleep_and_bedding",
        }
        return {name: self.text(name, **examples) for name in Texts.model_fields}

    def _filled(self, template: str, more: dict[str, str]) -> str:
        values: dict[str, Any] = self._facts.values(self._clock()) | more
        return fold(template.format_map(values))
