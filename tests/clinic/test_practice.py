"""`clinic.yml`: each wrong entry is named with file, line and reason; a sound one says when the clinic is open."""

import datetime as dt
import zoneinfo
from collections.abc import Callable
from pathlib import Path

import pytest

from clinic import practice
from clinic.practice import Practice
from clinic.yaml import BadFile

ROOT = Path(__file__).parents[2]

SOUND = """\
name: Larkfield Skin Clinic
country: US
time_zone: America/New_York
address: 12 Larkfield Lane, Springfield
phone: "+1 212 555 0142"
urgent_phone: "+1 212 555 0143"
text_phone: "+1 212 555 0144"
email: hello@larkfield-skin.example
website: https://larkfield-skin.example
emergency: {number: "911", crisis_line: "988", crisis_name: the crisis line}
hours:
  monday: ["09:00-13:00", "14:00-18:00"]
  tuesday: ["09:00-18:00"]
  wednesday: ["09:00-18:00"]
  thursday: ["09:00-18:00"]
  friday: ["09:00-18:00"]
  saturday: []
  sunday: []
closures:
  - {first: 2026-12-24, last: 2027-01-01, reason: winter break}
services:
  - id: consultation
    name: Consultation
    minutes: 30
  - id: face
    name: Microneedling, face
    minutes: 60
    buffer_after: 15
resources:
  - id: rowan
    name: Rowan Ashby
    kind: practitioner
    services: [consultation, face]
  - id: room
    name: Room 1
    kind: room
    services: [face]
"""

# (what stands there, what is put in its place, the line and the entry that are named, a part of the reason)
WRONG = [
    ("name: Larkfield Skin Clinic\n", "", "1: name", "required"),
    ("name: Larkfield Skin Clinic", 'name: ""', "1: name", "at least 1"),
    ("country: US", "country: Wonderland", "2: country", "'Wonderland' is not a country code"),
    ("America/New_York", "Eastern", "3: time_zone", "write it as Area/City"),
    ("America/New_York", "../../etc/passwd", "3: time_zone", "is not a time zone"),
    ('"+1 212 555 0142"', "call us", "5: phone", "'call us' is not a telephone number"),
    ('"+1 212 555 0142"', '"12"', "5: phone", "is not a telephone number"),
    ('"+1 212 555 0142"', "12125550142", "5: phone", "string"),
    ('"+1 212 555 0143"', '"999999999999999999"', "6: urgent_phone", "is not a telephone number"),
    ('"+1 212 555 0144"', '"x"', "7: text_phone", "is not a telephone number"),
    ("hello@larkfield-skin.example", "hello at larkfield", "8: email", "pattern"),
    ("https://larkfield-skin.example", "larkfield-skin.example", "9: website", "pattern"),
    ('number: "911", ', "", "10: emergency.number", "required"),
    ('"09:00-13:00", "14:00-18:00"', '"9-5"', "12: hours.monday.0", "write it as 09:00-17:30"),
    ('"09:00-13:00", "14:00-18:00"', '"18:00-09:00"', "12: hours.monday.0", "must open before it closes"),
    ('"09:00-13:00", "14:00-18:00"', '"09:00-13:00", "12:00-18:00"', "12: hours.monday", "two spans overlap"),
    ('"09:00-13:00", "14:00-18:00"', '"09:00-25:00"', "12: hours.monday.0", "is not a span of time"),
    ("  sunday: []\n", "", "12: hours.sunday", "required"),
    ("  sunday: []\n", "  sunday: []\n  someday: []\n", "19: hours.someday", "not permitted"),
    ("first: 2026-12-24", "first: 2027-12-24", "20: closures.0", "after its end"),
    ("first: 2026-12-24", "first: soon", "20: closures.0.first", "date"),
    ("first: 2026-12-24", "first: 2026-02-30", "20: closures.0.first", "date"),
    ("  - id: consultation\n", "  - id: A consultation\n", "22: services.0.id", "pattern"),
    ("  - id: face\n", "  - id: consultation\n", "25: services.1.id", "the id consultation stands twice"),
    ("minutes: 30", "minutes: 0", "24: services.0.minutes", "greater than 0"),
    ("minutes: 30", "minutes: half an hour", "24: services.0.minutes", "integer"),
    ("minutes: 30", "minutes: 33", "24: services.0.minutes", "not a multiple of 5 minutes"),
    ("minutes: 30", "minutes: 600", "24: services.0.minutes", "480"),
    ("buffer_after: 15", "buffer_afterwards: 15", "28: services.1.buffer_afterwards", "not permitted"),
    ("kind: practitioner", "kind: robot", "32: resources.0.kind", "'practitioner' or 'room'"),
    ("[consultation, face]", "[consultation, face, nails]", "33: resources.0.services.2", "there is no service 'nails'"),
    ("[consultation, face]", "[consultation]", "25: services.1", "no practitioner among the resources does 'face'"),
    ("  - id: room\n", "  - id: rowan\n", "34: resources.1.id", "the id rowan stands twice"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clinic.yml"


def complaints(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(BadFile) as caught:
        practice.load(path)
    return caught.value.problems


@pytest.mark.parametrize(("sound", "wrong", "where", "reason"), WRONG)
def test_wrong_entry_is_named_with_file_line_and_reason(path: Path, sound: str, wrong: str, where: str, reason: str) -> None:
    assert sound in SOUND
    [complaint] = complaints(path, SOUND.replace(sound, wrong, 1))
    assert complaint.startswith(f"{path}:{where}: ")
    assert reason in complaint


def test_all_wrong_entries_are_named_at_once(path: Path) -> None:
    text = (
        SOUND.replace("country: US", "country: XX").replace("minutes: 30", "minutes: -5").replace("- {first: 2026", "- {first: x")
    )
    assert [complaint.split(":")[1] for complaint in complaints(path, text)] == ["2", "20", "24"]


def test_empty_file_names_what_is_missing(path: Path) -> None:
    found = complaints(path, "")
    assert f"{path}:1: name: Field required" in found
    assert f"{path}:1: hours: Field required" in found


def test_sound_file_is_read(path: Path) -> None:
    path.write_text(SOUND)
    clinic = practice.load(path)
    assert clinic.zone == zoneinfo.ZoneInfo("America/New_York")
    assert [service.id for service in clinic.services] == ["consultation", "face"]
    assert (clinic.insurance, clinic.payment, clinic.services[0].price) == (None, None, None)


def test_clinic_that_ships_is_made_up_with_numbers_reserved_for_fiction() -> None:
    clinic = practice.load(ROOT / "clinic.yml")
    for number in (clinic.phone, clinic.urgent_phone, clinic.text_phone or ""):
        assert "555 01" in number, f"{number} is not one of the numbers reserved for fiction"
    assert clinic.email.endswith(".example")
    assert str(clinic.website).endswith(".example")


@pytest.fixture
def at(practice: Practice) -> Callable[[str], dt.datetime]:
    return lambda text: dt.datetime.fromisoformat(text).replace(tzinfo=practice.zone)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-02 08:59", False),
        ("2026-03-02 09:00", True),
        ("2026-03-02 12:59", True),
        ("2026-03-02 13:00", False),
        ("2026-03-02 14:00", True),
        ("2026-03-02 18:00", False),
        ("2026-03-01 11:00", False),
        ("2026-03-20 11:00", False),
        ("2026-07-03 11:00", False),
        ("2026-12-25 11:00", False),
    ],
)
def test_open_by_the_wall_clock(practice: Practice, at: Callable[[str], dt.datetime], moment: str, is_open: bool) -> None:
    assert practice.is_open(at(moment)) is is_open


def test_open_hours_follow_the_change_of_the_clocks(practice: Practice) -> None:
    # Nine in New York is 14:00 UTC on the last Friday of winter time, 13:00 UTC on the Monday after.
    assert not practice.is_open(dt.datetime(2026, 3, 6, 13, 30, tzinfo=dt.UTC))
    assert practice.is_open(dt.datetime(2026, 3, 9, 13, 30, tzinfo=dt.UTC))


def test_closure_says_why(practice: Practice) -> None:
    assert practice.closed_because(dt.date(2026, 3, 20)) == "training"
    assert practice.closed_because(dt.date(2026, 12, 25)) == "Christmas Day"
    assert practice.closed_because(dt.date(2026, 3, 3)) is None


def test_public_holidays_can_be_worked(make_practice: Callable[..., Practice]) -> None:
    assert make_practice(public_holidays=False).open_on(dt.date(2026, 12, 25)) != []


def test_rooms_and_practitioners_of_a_service(practice: Practice) -> None:
    assert [r.id for r in practice.practitioners("face")] == ["rowan", "imani"]
    assert [r.id for r in practice.rooms("face")] == ["room"]
    assert practice.rooms("consultation") == []
    assert practice.service("nails") is None
    assert practice.resource("nobody") is None
