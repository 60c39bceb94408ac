"""Reading YAML that people edit: every complaint names the file, the line and the reason."""

import string
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
# The one in C is ten times faster, where PyYAML was built with it.
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):
    """Leaves what looks like a value and is none (the 30th of February) as text, for the model to complain about."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError:
            return node.value


class BadFile(Exception):
    """A file that people edit holds something wrong; `problems` are lines of the form `file:line: reason`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Misplaced(ValueError):
    """Raised by a model's validator when the wrong entry lies deeper: `location` leads to it from the model."""

    def __init__(self, location: tuple[int | str, ...], reason: str) -> None:
        super().__init__(reason)
        self.location = location


def read(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        BadFile: the file is missing or is not YAML.
    """
    return _parse(path)[1]


def read_as(path: Path, model: type[Model]) -> Model:
    """The content of a YAML file as `model`.

    Raises:
        BadFile: the file is missing, is not YAML, or does not fit the model; one line per wrong entry.
    """
    node, content = _parse(path)
    try:
        return model.model_validate({} if content is None else content)
    except ValidationError as error:
        raise BadFile([_complaint(path, node, problem) for problem in error.errors()]) from error


def naming(names: Collection[str]) -> Callable[[str], str]:
    """A validator of templates: what stands in braces has to be among some names."""

    def check(text: str) -> str:
        try:
            used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except ValueError as error:
            raise ValueError(f"the braces do not match: {error}") from error
        for name in sorted(used - set(names)):
            raise ValueError(f"there is nothing to fill in for {{{name}}}")
        return text

    return check


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile([f"{path}:1: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise BadFile([f"{path}:1: is not text in UTF-8"]) from error


def _parse(path: Path) -> tuple[yaml.Node | None, Any]:
    """The file's nodes, which know their lines, and its content."""
    try:
        loader = _Loader(_text(path))
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadFile([f"{path}:{line}: not valid YAML: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise BadFile([f"{path}:1: not valid YAML: {error}"]) from error


def _complaint(path: Path, root: yaml.Node | None, problem: Any) -> str:
    cause = problem.get("ctx", {}).get("error")
    location = problem["loc"] + (cause.location if isinstance(cause, Misplaced) else ())
    where = ".".join(str(part) for part in location)
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{path}:{_line(root, location)}: {where + ': ' if where else ''}{reason}"


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the deepest node on the way to `location`; 1 for an empty file."""
    line = 1
    for step in (None, *location):
        if step is not None:
            node = _child(node, step) or node
        if node is not None:
            line = node.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(step):
                found: yaml.Node = value
                return found
    return None
