"""What booking needs of `clinic.yml`: wrong entries are named by their line."""

from pathlib import Path

import pytest

from clinic import yaml
from clinic.practice import load

SHIPPED = Path(__file__).parents[2] / "clinic.yml"


def test_the_file_that_ships_can_be_booked() -> None:
    practice = load(SHIPPED)
    for service in practice.services:
        assert practice.practitioners(service.id)
    assert practice.booking.horizon_days == 90
    assert practice.reminders.hours_before == [72, 24]


@pytest.mark.parametrize(
    ("before", "after", "place", "reason"),
    [
        ("kind: room", "kind: cellar", "resources.2.kind", "Input should be"),
        ("id: room_2", "id: room_1", "resources.3.id", "the id room_1 stands twice"),
        ("hold_minutes: 5", "hold_minutes: 99", "booking.hold_minutes", "less than or equal to 30"),
        ("step_minutes: 15", "step_minutes: 7", "booking.step_minutes", "not a multiple of 5"),
        ('between: "09:00', 'between: "25:00', "reminders.texts_between", "not a span of time"),
        ('["09:00-13:00"]', '["09:00-13:00", "12:00-14:00"]', "resources.1.hours.monday", "two spans overlap"),
        ("[consultation, ", "[hair, ", "resources.0.services.0", "there is no service 'hair'"),
        ("minutes: 30\n", "minutes: 31\n", "services.0.minutes", "not a multiple of 5"),
    ],
)
def test_wrong_entries(tmp_path: Path, before: str, after: str, place: str, reason: str) -> None:
    text = SHIPPED.read_text()
    assert before in text
    text = text.replace(before, after, 1)
    wrong = tmp_path / "clinic.yml"
    wrong.write_text(text)
    with pytest.raises(yaml.BadFile) as bad:
        load(wrong)
    line = text[: text.rindex(after)].count("\n") + 1
    (problem,) = bad.value.problems
    assert problem.startswith(f"{wrong}:{line}: {place}: ")
    assert reason in problem


def test_a_service_that_nobody_does(tmp_path: Path) -> None:
    wrong = tmp_path / "clinic.yml"
    text = SHIPPED.read_text().replace(", microneedling_body]\n  - id: imani", "]\n  - id: imani", 1)
    wrong.write_text(text)
    with pytest.raises(yaml.BadFile, match=r"services\.3: no practitioner among the resources does 'microneedling_body'"):
        load(wrong)
