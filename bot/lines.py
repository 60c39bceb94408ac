"""Where each entry of a YAML file stands, for findings that only a look at several files can tell."""

from collections.abc import Iterator
from pathlib import Path

import yaml

# The loader in C is ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lines:
    """The lines of a file that is valid YAML."""

    def __init__(self, path: Path) -> None:
        self._root: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)

    def at(self, *location: int | str) -> int:
        """The line of an entry, from keys and positions; of the deepest one there is on the way to it."""
        node, line = self._root, 1
        for step in location:
            mark, node = _entry(node, step)
            line = mark.start_mark.line + 1 if mark else line
        return line

    def of_text(self, *location: int | str) -> int | None:
        """The line on which the text of a block scalar (`|`) begins; None for a text written in another way."""
        node = self._root
        for step in location:
            node = _entry(node, step)[1]
        if isinstance(node, yaml.ScalarNode) and node.style == "|":
            # the mark is that of the line with the |, and counts from zero
            begins: int = node.start_mark.line + 2
            return begins
        return None

    def named(self, key: str) -> list[tuple[str, int]]:
        """Each plain value that stands under a key of this name, anywhere in the file, with its line."""
        return [
            (value.value, value.start_mark.line + 1)
            for mapping in self._mappings()
            for name, value in mapping.value
            if name.value == key and isinstance(value, yaml.ScalarNode)
        ]

    def repeated(self) -> list[tuple[str, int]]:
        """Each key that its mapping has already, with its line: YAML readers take the last one without a word."""
        found = []
        for mapping in self._mappings():
            keys: set[str] = set()
            for name, _ in mapping.value:
                if str(name.value) in keys:
                    found.append((str(name.value), name.start_mark.line + 1))
                keys.add(str(name.value))
        return found

    def _mappings(self) -> Iterator[yaml.MappingNode]:
        nodes = [self._root] if self._root else []
        while nodes:
            node = nodes.pop()
            if isinstance(node, yaml.SequenceNode):
                nodes.extend(reversed(node.value))
            elif isinstance(node, yaml.MappingNode):
                yield node
                nodes.extend(value for _, value in reversed(node.value))


def _entry(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The node that marks an entry (of a mapping, its key) and the node that is the entry."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(step):
                return key, value
    return None, None
