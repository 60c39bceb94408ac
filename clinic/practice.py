"""The practice as `clinic.yml` describes it: who it is, when it is open, what it offers."""

import datetime as dt
import functools
import itertools
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal, Self

import holidays
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from clinic import phones, yaml
from clinic.errors import NotAPhone

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"'{name}' is not a time zone; write it as Area/City, for example Europe/London") from error
    return name


def _country(code: str) -> str:
    if code not in holidays.list_supported_countries():
        raise ValueError(f"'{code}' is not a country code of two capital letters, such as US or GB")
    return code


def _span(text: str) -> str:
    opening, dash, closing = text.partition("-")
    try:
        begins, ends = dt.time.fromisoformat(opening.strip()), dt.time.fromisoformat(closing.strip())
    except ValueError as error:
        raise ValueError(f"'{text}' is not a span of time; write it as 09:00-17:30") from error
    if not dash or begins >= ends:
        raise ValueError(f"'{text}' must open before it closes")
    return text


def _on_ticks(minutes: int) -> int:
    if minutes % TICK_MINUTES:
        raise ValueError(f"{minutes} is not a multiple of {TICK_MINUTES} minutes")
    return minutes


def _times(span: str) -> tuple[dt.time, dt.time]:
    begins, ends = span.split("-")
    return dt.time.fromisoformat(begins.strip()), dt.time.fromisoformat(ends.strip())


#: the grain of the clinic's calendar
TICK_MINUTES = 5

Text = Annotated[str, Field(min_length=1)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Span = Annotated[str, AfterValidator(_span)]
Minutes = Annotated[int, AfterValidator(_on_ticks)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Emergency(_Entry):
    """Whom to call when a life is in danger."""

    number: Text
    crisis_line: Text
    crisis_name: Text


class Closure(_Entry):
    """Days, first and last included, on which the clinic is closed."""

    first: dt.date
    last: dt.date
    reason: Text

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"begins on {self.first}, after its end on {self.last}")
        return self


class Service(_Entry):
    """Something that can be booked. Lengths are minutes; the price is the words that visitors read."""

    id: Id
    name: Text
    #: other words that visitors have for it, and what they want it for
    also_called: list[Text] = []
    minutes: Annotated[Minutes, Field(gt=0, le=480)]
    buffer_before: Annotated[Minutes, Field(ge=0, le=120)] = 0
    buffer_after: Annotated[Minutes, Field(ge=0, le=120)] = 0
    price: Text | None = None


class Payment(_Entry):
    """How visitors pay, in the words that they read."""

    methods: Annotated[list[Text], Field(min_length=1)]
    offers: Text | None = None
    deposit: Text | None = None
    instalments: Text | None = None


class Hours(_Entry):
    """Opening hours of each weekday, as spans of the clinic's wall clock; no span means closed."""

    monday: list[Span]
    tuesday: list[Span]
    wednesday: list[Span]
    thursday: list[Span]
    friday: list[Span]
    saturday: list[Span]
    sunday: list[Span]

    def on(self, weekday: Weekday) -> list[tuple[dt.time, dt.time]]:
        """The spans of a weekday as (opens, closes), in order."""
        return sorted(_times(span) for span in getattr(self, weekday))

    def overlapping(self) -> Weekday | None:
        """A weekday of which two spans overlap; None when all is well."""
        for day in WEEKDAYS:
            spans = self.on(day)
            if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
                return day
        return None


class Resource(_Entry):
    """A practitioner or a room. A visit needs a practitioner who does its service and, if any rooms do, a room."""

    id: Id
    name: Text
    kind: Literal["practitioner", "room"]
    services: Annotated[list[str], Field(min_length=1)]
    #: when only part of the opening hours can be booked; they count only while the clinic is open
    hours: Hours | None = None
    away: list[Closure] = []
    #: address of a CalDAV calendar that is kept in step with the bookings
    calendar: Annotated[str, Field(pattern=r"^https?://")] | None = None

    def on(self, day: dt.date) -> list[tuple[dt.time, dt.time]]:
        """The spans of its own hours on a day; the whole day when it has none of its own, empty when away."""
        if any(away.first <= day <= away.last for away in self.away):
            return []
        return self.hours.on(WEEKDAYS[day.weekday()]) if self.hours else [(dt.time.min, dt.time.max)]


class Rules(_Entry):
    """How visits are booked."""

    #: minutes between the booking and the earliest start
    lead_minutes: Annotated[int, Field(ge=0, le=60 * 24 * 30)] = 120
    horizon_days: Annotated[int, Field(ge=1, le=365)] = 90
    #: minutes from one start to the next that are offered
    step_minutes: Annotated[Minutes, Field(gt=0, le=240)] = 15
    #: minutes for which a slot is kept while the visitor decides
    hold_minutes: Annotated[int, Field(ge=1, le=30)] = 5
    #: slots that one conversation may keep at a time
    max_holds: Annotated[int, Field(ge=1, le=10)] = 2


class Reminding(_Entry):
    """When visitors are reminded, and within which hours of their day a text may be sent that they did not ask for."""

    hours_before: list[Annotated[int, Field(ge=1, le=24 * 14)]] = [72, 24]
    texts_between: Span = "09:00-20:00"

    @property
    def window(self) -> tuple[dt.time, dt.time]:
        """The hours for texts, as (from, until)."""
        return _times(self.texts_between)


class Practice(_Entry):
    """The clinic."""

    name: Text
    country: Annotated[str, AfterValidator(_country)]
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    address: Text
    directions: Text | None = None
    phone: Text
    urgent_phone: Text
    #: where text messages are read, when they are
    text_phone: Text | None = None
    email: Email
    #: where staff are told of bookings and requests, when not at `email`
    staff_email: Email | None = None
    website: Annotated[str, Field(pattern=r"^https?://")] | None = None
    emergency: Emergency
    hours: Hours
    closures: list[Closure] = []
    public_holidays: bool = True
    services: Annotated[list[Service], Field(min_length=1)]
    #: without any, nothing can be booked
    resources: list[Resource] = []
    booking: Rules = Rules()
    reminders: Reminding = Reminding()
    payment: Payment | None = None
    insurance: Text | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for name in ("phone", "urgent_phone", *(["text_phone"] if self.text_phone else [])):
            try:
                phones.e164(getattr(self, name), self.country)
            except NotAPhone as error:
                raise yaml.Misplaced((name,), str(error)) from error
        for name in ("services", "resources"):
            ids = [entry.id for entry in getattr(self, name)]
            for index, each in enumerate(ids):
                if each in ids[:index]:
                    raise yaml.Misplaced((name, index, "id"), f"the id {each} stands twice")
        if day := self.hours.overlapping():
            raise yaml.Misplaced(("hours", day), "two spans overlap")
        self._check_resources()
        return self

    def _check_resources(self) -> None:
        known = {service.id for service in self.services}
        for index, resource in enumerate(self.resources):
            for place, service in enumerate(resource.services):
                if service not in known:
                    raise yaml.Misplaced(("resources", index, "services", place), f"there is no service '{service}'")
            if resource.hours and (day := resource.hours.overlapping()):
                raise yaml.Misplaced(("resources", index, "hours", day), "two spans overlap")
        for index, each in enumerate(self.services):
            if self.resources and not self.practitioners(each.id):
                raise yaml.Misplaced(("services", index), f"no practitioner among the resources does '{each.id}'")

    def service(self, service_id: str) -> Service | None:
        """The service of an id."""
        return next((service for service in self.services if service.id == service_id), None)

    def resource(self, resource_id: str) -> Resource | None:
        """The practitioner or room of an id."""
        return next((resource for resource in self.resources if resource.id == resource_id), None)

    def called(self, resource_id: str) -> str:
        """The name of a practitioner or room; the id of one that has left."""
        known = self.resource(resource_id)
        return known.name if known else resource_id

    def practitioners(self, service_id: str) -> list[Resource]:
        """Who does a service, in the order of the file."""
        return [r for r in self.resources if r.kind == "practitioner" and service_id in r.services]

    def rooms(self, service_id: str) -> list[Resource]:
        """The rooms of which a service needs one, in the order of the file; empty when it needs none."""
        return [r for r in self.resources if r.kind == "room" and service_id in r.services]

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The clinic's time zone."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def closed_because(self, day: dt.date) -> str | None:
        """Why the clinic is closed on a day that its weekly hours do not explain; None when nothing special is on."""
        for closure in self.closures:
            if closure.first <= day <= closure.last:
                return closure.reason
        if self.public_holidays:
            return _public_holidays(self.country, day.year).get(day)
        return None

    def open_on(self, day: dt.date) -> list[tuple[dt.time, dt.time]]:
        """The spans in which the clinic is open on a day, by its wall clock; empty when it is closed."""
        return [] if self.closed_because(day) else self.hours.on(WEEKDAYS[day.weekday()])

    def is_open(self, moment: dt.datetime) -> bool:
        """Whether the clinic is open at an aware moment."""
        local = moment.astimezone(self.zone)
        return any(begins <= local.time() < ends for begins, ends in self.open_on(local.date()))


@functools.cache
def _public_holidays(country: str, year: int) -> dict[dt.date, str]:
    return dict(holidays.country_holidays(country, years=year).items())


def load(path: Path) -> Practice:
    """Reads `clinic.yml`.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return yaml.read_as(path, Practice)
