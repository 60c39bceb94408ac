"""The source documents, and which of them a fact comes from."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.reply import Source
from clinic import yaml

PATH = Path("data/sources.yml")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(_Entry):
    """One of the source documents. `words` is how an answer refers to it: from our treatment guide."""

    id: Annotated[str, Field(pattern=r"^S\d$")]
    title: Annotated[str, Field(min_length=1)]
    words: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]


class Fact(_Entry):
    """One claim of a document, in our own words, under the heading where it stands."""

    id: Annotated[str, Field(pattern=r"^s\d-[a-z0-9-]+$")]
    source: str
    heading: Annotated[str, Field(min_length=1)]
    claim: Annotated[str, Field(min_length=1)]
    topics: Annotated[list[str], Field(min_length=1)]


class Sources(_Entry):
    """All documents and all their facts."""

    sources: list[Document]
    facts: list[Fact]

    def behind(self, facts: Iterable[str]) -> list[Source]:
        """The documents that hold any of the facts, in the documents' order."""
        wanted = set(facts)
        used = {fact.source for fact in self.facts if fact.id in wanted}
        return [Source(document.id, document.title, document.words) for document in self.sources if document.id in used]


def load(path: Path = PATH) -> Sources:
    """Reads `data/sources.yml`.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return yaml.read_as(path, Sources)
