"""Parts of the body, products and concerns that a text names, found by spaCy's phrase matcher."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel
from spacy.matcher import PhraseMatcher
from spacy.util import filter_spans

from bot.nlu.text import english, normalise
from clinic import yaml


class Kind(BaseModel):
    """One thing, the words for it, and whether a source names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    named: bool
    says: Annotated[list[str], Field(min_length=1)]


class _Kinds(RootModel[dict[str, Kind]]):
    pass


def read(path: Path) -> dict[str, Kind]:
    """The things of one file of `data/entities/`, by the words that our answers use.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return yaml.read_as(path, _Kinds).root


class EntityPatterns:
    """The phrases of all files of a folder; a file's name is the entity's."""

    def __init__(self, folder: Path) -> None:
        self._nlp = english()
        self._matcher = PhraseMatcher(self._nlp.vocab)
        self._meant: dict[str, tuple[str, str, str]] = {}
        for path in sorted(folder.glob("*.yml")):
            for value, kind in read(path).items():
                key = f"{path.stem}:{value}"
                self._meant[key] = (path.stem, value, "named" if kind.named else "unnamed")
                self._matcher.add(key, [self._nlp.make_doc(normalise(phrase)) for phrase in kind.says])

    def find(self, text: str) -> list[dict[str, Any]]:
        """The entities of a normalised text in Rasa's form, in order; of those that overlap, the longest."""
        spans = filter_spans(self._matcher(self._nlp.make_doc(text), as_spans=True))
        return [self._entity(span) for span in spans]

    def _entity(self, span: Any) -> dict[str, Any]:
        entity, value, kind = self._meant[span.label_]
        return {
            "entity": entity,
            "value": value,
            "kind": kind,
            "start": span.start_char,
            "end": span.end_char,
            "extractor": type(self).__name__,
        }
