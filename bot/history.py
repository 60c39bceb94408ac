"""A conversation as its visitor sees it: what was said, by whom and when, from any point on.

Each message has a number of its own within the conversation: that of its turn and its place in it. A member of staff's
message stands after the last turn that was kept before it.
"""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from sqlalchemy import Connection, Engine, Row, func, select

from bot.reply import Choice, Reply, Safety, Source
from clinic import database
from clinic.models import Handoff, HandoffMessage, Turn

Author = Literal["visitor", "assistant", "staff"]

#: turns that a visitor who comes back gets to see again
TURNS = 100
#: what a member of staff writes comes after all of the assistant's messages of a turn
_AFTER_TURN = 1000


@dataclass(frozen=True)
class Cursor:
    """How much of a conversation is known: all turns and all of staff's messages up to these numbers."""

    turn: int = 0
    note: int = 0

    def __str__(self) -> str:
        return f"{self.turn}-{self.note}"

    @classmethod
    def read(cls, text: str) -> Self:
        """A cursor from its text; from anything else, one that knows nothing."""
        turn, _, note = text.partition("-")
        small = text.isascii() and len(text) <= 20
        return cls(int(turn), int(note)) if small and turn.isdigit() and note.isdigit() else cls()

    def behind(self, other: "Cursor") -> bool:
        """Whether the other one knows more."""
        return self.turn < other.turn or self.note < other.note


@dataclass(frozen=True)
class Said:
    """One message. `turn` and `index` put it in its place; `client_id` is the visitor's own id of what they wrote, `visit`
    that of the visit that was booked or moved."""

    id: str
    author: Author
    at: dt.datetime
    turn: int
    index: int
    text: str
    client_id: str | None = None
    choices: Sequence[Choice] = ()
    sources: Sequence[Source] = ()
    safety: Safety | None = None
    visit: str | None = None


@dataclass(frozen=True)
class Page:
    """Messages in order, and the cursor of who knows them."""

    messages: list[Said] = field(default_factory=list)
    cursor: Cursor = field(default_factory=Cursor)


class History:
    """Reads conversations from the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, conversation_id: str, known: Cursor) -> Page:
        """What was said beyond what is known: the last hundred turns of it, and what staff wrote."""
        turns = (
            select(Turn.number, Turn.message_id, Turn.at, Turn.events, Turn.reply)
            .where(Turn.conversation_id == conversation_id, Turn.number > known.turn)
            .order_by(Turn.number.desc())
            .limit(TURNS)
        )
        notes = (
            select(HandoffMessage.id, HandoffMessage.text, HandoffMessage.at)
            .join(Handoff, Handoff.id == HandoffMessage.handoff_id)
            .where(Handoff.conversation_id == conversation_id, HandoffMessage.id > known.note)
            .where(HandoffMessage.author == "staff")
            .order_by(HandoffMessage.id)
        )

        def work(connection: Connection) -> Page:
            rows = connection.execute(turns).all()[::-1]
            messages = [message for row in rows for message in _turn(row)]
            cursor = Cursor(rows[-1].number if rows else known.turn, known.note)
            for note in connection.execute(notes):
                before = _turns_before(connection, conversation_id, note.at)
                messages.append(Said(f"s{note.id}", "staff", note.at, before, _AFTER_TURN + note.id, note.text))
                cursor = Cursor(cursor.turn, note.id)
            return Page(sorted(messages, key=lambda message: (message.turn, message.index)), cursor)

        return database.read(self._engine, work)

    def turn(self, conversation_id: str, message_id: str) -> list[Said]:
        """The messages of the turn that a visitor's message began, theirs first; none for an unknown one."""
        query = select(Turn.number, Turn.message_id, Turn.at, Turn.events, Turn.reply).where(
            Turn.conversation_id == conversation_id, Turn.message_id == message_id
        )
        row = database.read(self._engine, lambda connection: connection.execute(query).first())
        return _turn(row) if row else []

    def heads(self, conversation_ids: Collection[str]) -> dict[str, Cursor]:
        """The cursor of who knows everything, for each of the conversations that anything was said in."""
        turns = (
            select(Turn.conversation_id, func.max(Turn.number))
            .where(Turn.conversation_id.in_(conversation_ids))
            .group_by(Turn.conversation_id)
        )
        notes = (
            select(Handoff.conversation_id, func.max(HandoffMessage.id))
            .join(HandoffMessage, Handoff.id == HandoffMessage.handoff_id)
            .where(Handoff.conversation_id.in_(conversation_ids), HandoffMessage.author == "staff")
            .group_by(Handoff.conversation_id)
        )

        def work(connection: Connection) -> dict[str, Cursor]:
            last_turn = {str(conversation): int(number) for conversation, number in connection.execute(turns)}
            last_note = {str(conversation): int(number) for conversation, number in connection.execute(notes)}
            return {c: Cursor(last_turn.get(c, 0), last_note.get(c, 0)) for c in last_turn.keys() | last_note.keys()}

        return database.read(self._engine, work)


def _turns_before(connection: Connection, conversation_id: str, at: dt.datetime) -> int:
    query = select(func.max(Turn.number)).where(Turn.conversation_id == conversation_id, Turn.at <= at)
    return connection.scalar(query) or 0


def _turn(row: Row[Any]) -> list[Said]:
    said = []
    text = next((event["text"] for event in json.loads(row.events) if event["event"] == "user"), None)
    if text is not None:
        said.append(Said(f"{row.number}.0", "visitor", row.at, row.number, 0, text, row.message_id))
    reply = Reply.from_json(row.reply) if row.reply.startswith("{") else None
    for index, message in enumerate(reply.messages if reply else [], start=1):
        said.append(
            Said(
                f"{row.number}.{index}",
                "assistant",
                row.at,
                row.number,
                index,
                message.text,
                choices=message.choices,
                sources=message.sources,
                safety=reply.safety if reply else None,
                visit=message.visit,
            )
        )
    return said
