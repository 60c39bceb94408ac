"""Every complaint about a file that people edit names the file, the line and the reason."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from clinic import yaml
from clinic.yaml import BadFile, Misplaced


class Room(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    beds: int = 1


class House(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rooms: list[Room] = []
    hours: dict[str, list[str]] = {}

    @model_validator(mode="after")
    def _distinct(self) -> "House":
        names = [room.name for room in self.rooms]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise Misplaced(("rooms", index, "name"), f"{name} stands twice")
        return self


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "house.yml"


def problems(path: Path, text: str) -> list[str]:
    """What is said about a file, without the file's name."""
    path.write_text(text)
    with pytest.raises(BadFile) as caught:
        yaml.read_as(path, House)
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert all(problem.startswith(f"{path}:") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_sound_file_is_read(path: Path) -> None:
    path.write_text("rooms:\n  - name: Blue\n    beds: 2\n")
    assert yaml.read_as(path, House).rooms == [Room(name="Blue", beds=2)]
    assert yaml.read(path) == {"rooms": [{"name": "Blue", "beds": 2}]}


def test_empty_file_holds_the_defaults(path: Path) -> None:
    path.write_text("# nothing yet\n")
    assert yaml.read_as(path, House) == House()


def test_deep_entry_is_found_with_its_line(path: Path) -> None:
    text = "rooms:\n  - name: Blue\n\n  - name: Red\n    beds: many\n"
    [problem] = problems(path, text)
    assert problem.startswith("5: rooms.1.beds: ")


def test_each_wrong_entry_has_a_line(path: Path) -> None:
    found = problems(path, "rooms:\n  - beds: x\n    size: 3\nhours:\n  monday: late\n")
    assert [problem.split(": ")[:2] for problem in found] == [
        ["2", "rooms.0.name"],
        ["2", "rooms.0.beds"],
        ["3", "rooms.0.size"],
        ["5", "hours.monday"],
    ]


def test_rule_across_entries_points_at_the_entry(path: Path) -> None:
    assert problems(path, "rooms:\n  - name: Blue\n  - beds: 2\n    name: Blue\n") == ["4: rooms.1.name: Blue stands twice"]


def test_list_instead_of_entries(path: Path) -> None:
    [problem] = problems(path, "- a\n- b\n")
    assert problem.startswith("1: ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rooms:\n  - name: 'Blue\n", 3),
        ("rooms:\n\t- name: Blue\n", 2),
        ("rooms: [a, b\nhours: {}\n", 2),
        ("rooms: *nobody\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
    ],
)
def test_text_that_is_not_yaml(path: Path, text: str, line: int) -> None:
    [problem] = problems(path, text)
    assert problem.startswith(f"{line}: not valid YAML: ")


def test_control_character_is_not_yaml(path: Path) -> None:
    [problem] = problems(path, "name: a\x00b\n")
    assert problem.startswith("1: not valid YAML: ")


def test_tag_that_would_run_code_is_refused(path: Path) -> None:
    [problem] = problems(path, "rooms:\n  - !!python/object/apply:os.getcwd []\n")
    assert problem.startswith("2: not valid YAML: ")


def test_missing_file_is_named(path: Path) -> None:
    with pytest.raises(BadFile, match=f"^{path}:1: cannot be read: No such file"):
        yaml.read(path)


def test_folder_instead_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=f"^{tmp_path}:1: cannot be read: "):
        yaml.read(tmp_path)


def test_file_in_another_encoding_is_named(path: Path) -> None:
    path.write_bytes("name: Café\n".encode("latin-1"))
    with pytest.raises(BadFile, match=f"^{path}:1: is not text in UTF-8$"):
        yaml.read(path)
