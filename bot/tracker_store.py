"""Conversations for the dialogue engine: append-only turns, of which a turn reads a bounded few.

Rasa replays all events of a conversation before each prediction. Here each turn is one row that also says how things
stood before it (slots, active form), so a conversation can be picked up at any turn: the last `WINDOW` turns are read,
whatever the length of the conversation.
"""

import datetime as dt
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.utils.common import all_subclasses
from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from bot.settings import Settings
from clinic import database
from clinic.models import Conversation, Turn

# "And how many?" may refer to what was said a few turns ago, never to what was said before that.
WINDOW = 3


class TurnTaken(Exception):
    """Another process added a turn to this conversation meanwhile: read it again and start over."""


@dataclass(frozen=True)
class StoredTurn:
    """A turn as it was kept: its number, and its reply as JSON."""

    number: int
    reply: str


class SqlTrackerStore(TrackerStore):
    """Rasa's tracker store over the tables `conversation` and `turn`."""

    def __init__(self, domain: Domain | None = None, engine: Engine | None = None, **_: Any) -> None:
        """Uses the engine that is given, or else (from `endpoints.yml`) the database of the settings.

        The keyword arguments that Rasa hands to each store are of no use here.
        """
        super().__init__(domain)
        if engine is None:
            engine = database.connect(Settings.read().database_url)
            database.migrate(engine)
        self._engine = engine

    @property
    def database(self) -> Engine:
        """The database that the conversations are kept in."""
        return self._engine

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker of a conversation, made from its last few turns; None for an unknown conversation."""
        return self.open(sender_id, WINDOW)

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The tracker with all turns of a conversation; None for an unknown conversation."""
        return self.open(conversation_id, None)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keeps what happened since the tracker was read, as one turn. This is the door of Rasa's own commands."""
        self.append(tracker, channel=tracker.get_latest_input_channel() or "shell", message_id=None, reply="[]")

    async def keys(self) -> Iterable[str]:
        """The ids of all conversations."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(Conversation.id)))

    def open(self, conversation_id: str, window: int | None = WINDOW) -> DialogueStateTracker | None:
        """The tracker of a conversation from its last `window` turns (None: all); None when there is none.

        Its `last_reply` is the reply of the last turn, as JSON.
        """
        query = select(Turn.number, Turn.before, Turn.events, Turn.reply).where(Turn.conversation_id == conversation_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(Turn.number.desc()).limit(window)).all()[::-1]
        if not rows:
            return None
        tracker = self.begin(conversation_id)
        if rows[0].number > 1:
            tracker.update_with_events(_resume(json.loads(rows[0].before)), self.domain)
        for row in rows:
            events = [_event(parameters) for parameters in json.loads(row.events)]
            # With the times at which they happened: by them Rasa sees that a session has run out.
            tracker.update_with_events(events, self.domain, override_timestamp=False)
        _mark_as_kept(tracker, rows[-1].number, rows[-1].reply)
        return tracker

    def begin(self, conversation_id: str) -> DialogueStateTracker:
        """A tracker for a conversation of which nothing is kept yet."""
        tracker = self.init_tracker(conversation_id)
        _mark_as_kept(tracker, 0, None)
        return tracker

    def append(self, tracker: DialogueStateTracker, channel: str, message_id: str | None, reply: str) -> None:
        """Keeps a turn: the events since the tracker was read, and the reply (JSON) that the visitor gets.

        Raises:
            TurnTaken: another process kept a turn of this conversation since the tracker was read.
        """
        events = list(tracker.events)[tracker.kept_events :]
        if not events:
            return
        number, now = tracker.kept_turns + 1, dt.datetime.now(dt.UTC)
        values = {
            "conversation_id": tracker.sender_id,
            "number": number,
            "message_id": message_id,
            "at": now,
            "before": json.dumps(tracker.state_before),
            "events": json.dumps([event.as_dict() for event in events]),
            "reply": reply,
        }
        try:
            with self._engine.begin() as connection:
                if number == 1:
                    connection.execute(insert(Conversation).values(id=tracker.sender_id, channel=channel, started_at=now))
                connection.execute(insert(Turn).values(values))
        except IntegrityError as error:
            raise TurnTaken(tracker.sender_id) from error
        _mark_as_kept(tracker, number, reply)

    def reply_to(self, conversation_id: str, message_id: str) -> StoredTurn | None:
        """The turn that answered a message, by the id that its sender gave it."""
        query = select(Turn.number, Turn.reply).where(Turn.conversation_id == conversation_id, Turn.message_id == message_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return StoredTurn(*row) if row else None

    def last_replies(self, conversation_id: str, count: int = WINDOW) -> Sequence[str]:
        """The replies (JSON) of the last few turns, the latest first."""
        query = select(Turn.reply).where(Turn.conversation_id == conversation_id).order_by(Turn.number.desc()).limit(count)
        with self._engine.connect() as connection:
            return connection.scalars(query).all()

    def count(self) -> int:
        """How many conversations are kept."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(Conversation)) or 0

    def forget(self, conversation_id: str) -> None:
        """Deletes a conversation with all its turns."""
        with self._engine.begin() as connection:
            connection.execute(delete(Conversation).where(Conversation.id == conversation_id))


# Rasa looks through all subclasses for each event that it reads.
_EVENTS: dict[str, type[Event]] = {kind.type_name: kind for kind in all_subclasses(Event)}


def _event(parameters: dict[str, Any]) -> Event:
    return _EVENTS[parameters["event"]]._from_parameters(parameters)


def _mark_as_kept(tracker: DialogueStateTracker, turns: int, reply: str | None) -> None:
    tracker.kept_turns, tracker.last_reply = turns, reply
    tracker.kept_events = len(tracker.events)
    tracker.state_before = {
        "slots": {name: slot.value for name, slot in tracker.slots.items() if slot.value != slot.initial_value},
        "loop": tracker.active_loop.name if tracker.active_loop else None,
    }


def _resume(before: dict[str, Any]) -> list[Event]:
    """Events that bring a fresh tracker to where things stood before a turn."""
    # Dated at once: an earlier time would look like a session that has run out.
    now = time.time()
    events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME, timestamp=now), SessionStarted(timestamp=now)]
    if before["loop"]:
        events.append(ActiveLoop(before["loop"]))
    events += [SlotSet(name, value) for name, value in before["slots"].items()]
    return [*events, ActionExecuted(ACTION_LISTEN_NAME)]
