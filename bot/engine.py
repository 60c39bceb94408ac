"""The engine: loads the trained model once and runs a turn, one message and all its replies, at a time."""

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.model import get_latest_model
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor

from bot import sources
from bot.nlu.zones import CLARIFY, FALLBACK, OUT_OF_SCOPE, select
from bot.reply import Choice, Message, Reply, Safety, Zone
from bot.settings import Settings
from bot.sources import Sources
from bot.tidy import TroubleSpotter, tidy
from bot.tracker_store import SqlTrackerStore, TurnTaken
from bot.wording import ApprovedWording
from clinic import database, practice
from clinic.facts import ClinicFacts
from clinic.practice import Practice

log = logging.getLogger(__name__)

TASKS = frozenset(("book_appointment", "check_appointment", "reschedule_appointment", "cancel_appointment", "talk_to_human"))
SAFETY: dict[str, Safety] = {"emergency": "emergency", "adverse_reaction": "adverse_reaction"}
UNKNOWN = frozenset((FALLBACK, OUT_OF_SCOPE, "no_words", "too_long", "other_language", "something_else"))
# A question that a working model answers without fail.
KNOWN_QUESTION, KNOWN_TOPIC = "does it hurt?", "pain"
ATTEMPTS = 3
LANGUAGES = Path("data/languages.yml")


class NotReady(Exception):
    """There is no model, or the model there is does not answer."""


class UnknownChoice(Exception):
    """A button's id that was not offered in this conversation lately."""


class Engine:
    """Runs turns. One per process; safe to use from many tasks of one event loop."""

    def __init__(
        self, processor: MessageProcessor, store: SqlTrackerStore, wording: ApprovedWording, known: Sources, clinic: Practice
    ) -> None:
        self._processor, self.store, self.wording, self._sources, self.clinic = processor, store, wording, known, clinic
        self._spotter = TroubleSpotter(LANGUAGES)
        self._locks: dict[str, _CountedLock] = {}

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Loads the newest model, and brings the database's schema up to date.

        Raises:
            NotReady: there is no model, or it cannot be read.
            clinic.yaml.BadFile: `clinic.yml` or `data/sources.yml` is wrong.
        """
        clinic, known = practice.load(settings.clinic), sources.load()
        engine = database.connect(settings.database_url)
        database.migrate(engine)
        store = SqlTrackerStore(engine=engine)
        model = get_latest_model(str(settings.models))
        if model is None:
            raise NotReady(f"there is no trained model in {settings.models}: run `make train`")
        agent = Agent(
            generator=ApprovedWording(_NO_DOMAIN, ClinicFacts(clinic), settings.require_approval),
            tracker_store=store,
            action_endpoint=InProcessActions("actions"),
        )
        try:
            agent.load_model(model)
        except Exception as error:
            raise NotReady(f"the model {model} cannot be loaded: {error}") from error
        return cls(agent.processor, store, agent.nlg, known, clinic)

    async def check(self) -> None:
        """Proves that the model answers a known question.

        Raises:
            NotReady: it does not.
        """
        prediction = await self._understand(KNOWN_QUESTION)
        if prediction["intent_ranking"][0]["name"] != f"faq/{KNOWN_TOPIC}":
            raise NotReady(f"the model does not know '{KNOWN_QUESTION}'")

    async def turn(
        self, conversation: str, text: str = "", *, choice: str | None = None, channel: str = "web", message_id: str | None = None
    ) -> Reply:
        """Runs one turn and keeps it; the same message id again gives the same reply and runs nothing.

        Args:
            conversation: the conversation's id; a new one begins with its first turn.
            text: what the visitor wrote; not read when `choice` is given.
            choice: the id of a button that was offered in this conversation.
            channel: whose wording to use, `web` or `sms`.
            message_id: the sender's own id of the message.

        Raises:
            UnknownChoice: no such button was offered lately.
            TurnTaken: other processes kept adding turns to this conversation.
        """
        started = time.perf_counter()
        async with self._alone(conversation):
            for attempt in range(ATTEMPTS):
                if message_id and (kept := self.store.reply_to(conversation, message_id)):
                    return Reply.from_json(kept.reply)
                try:
                    reply = await self._run(conversation, text, choice, channel, message_id, started)
                    break
                except TurnTaken:
                    if attempt == ATTEMPTS - 1:
                        raise
        log.info(
            "turn zone=%s safety=%s topics=%s confidence=%.2f channel=%s ms=%.1f",
            reply.zone,
            reply.safety,
            ",".join(reply.topics),
            reply.confidence,
            channel,
            reply.ms,
        )
        return reply

    async def _run(
        self, conversation: str, text: str, choice: str | None, channel: str, message_id: str | None, started: float
    ) -> Reply:
        tracker = self.store.open(conversation) or self.store.begin(conversation)
        tracker.model_id = self._processor.model_metadata.model_id
        tracker.assistant_id = self._processor.model_metadata.assistant_id
        if choice is None:
            text = tidy(text)
            prediction = await self._read(text)
        else:
            chosen = self._chosen(conversation, choice)
            text, prediction = chosen.title, _certain(chosen.title, chosen.topic)
        out = _Collector(channel)
        await self._answer(tracker, out, text, prediction)
        reply = self._reply(prediction, out.said, channel, (time.perf_counter() - started) * 1000)
        self.store.append(tracker, channel, message_id, reply.as_json())
        return reply

    async def _read(self, text: str) -> dict[str, Any]:
        trouble = self._spotter.trouble(text)
        return _certain(text, trouble) if trouble else await self._understand(text)

    async def _understand(self, text: str) -> dict[str, Any]:
        prediction: dict[str, Any] = await self._processor.parse_message(UserMessage(text))
        return prediction

    async def _answer(self, tracker: DialogueStateTracker, out: "_Collector", text: str, prediction: dict[str, Any]) -> None:
        """Rasa's own steps for one message, on a tracker that is kept only when the whole turn is done."""
        processor = self._processor
        message = UserMessage(text, out, tracker.sender_id, parse_data=prediction, input_channel=out.name())
        await processor._update_tracker_session(tracker, out)
        await processor._handle_message_with_tracker(message, tracker)
        tracker = await processor.run_action_extract_slots(out, tracker)
        await processor._run_prediction_loop(out, tracker)

    def _chosen(self, conversation: str, choice: str) -> Choice:
        for kept in self.store.last_replies(conversation):
            for message in Reply.from_json(kept).messages:
                for offered in message.choices:
                    if offered.id == choice:
                        return offered
        raise UnknownChoice(choice)

    def _reply(self, prediction: dict[str, Any], said: list[dict[str, Any]], channel: str, ms: float) -> Reply:
        zone, topic = _zone(prediction)
        return Reply(
            zone=zone,
            safety=SAFETY.get(topic),
            topics=[topic],
            confidence=round(prediction["intent"]["confidence"], 4),
            choices=[_bare(label) for label in prediction.get("choices", [])],
            messages=[self._message(response) for response in said],
            ranking=[(r["name"], round(r["confidence"], 4)) for r in prediction["intent_ranking"]],
            ms=round(ms, 2),
        )

    def _message(self, response: dict[str, Any]) -> Message:
        metadata = response.get("metadata") or {}
        buttons = [(button["title"], button["payload"]) for button in response.get("buttons") or []]
        if not buttons:
            buttons = [(self._title(label), label) for label in self._labels(metadata)]
        return Message(
            id=uuid.uuid4().hex,
            text=response.get("text") or "",
            choices=[Choice(secrets.token_urlsafe(6), title, label) for title, label in buttons],
            sources=self._sources.behind(metadata.get("facts", [])),
        )

    def _labels(self, metadata: dict[str, Any]) -> list[str]:
        follow_ups = [self._full(topic) for topic in metadata.get("follow_ups", [])]
        return [*metadata.get("choices", []), *follow_ups]

    def _full(self, topic: str) -> str:
        for kind in ("faq", "clinic"):
            if f"utter_{kind}/{topic}" in self.wording.responses:
                return f"{kind}/{topic}"
        return topic

    def _title(self, label: str) -> str:
        title: str = self.wording.metadata(f"utter_{label}")["title"]
        return title

    @asynccontextmanager
    async def _alone(self, conversation: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(conversation, _CountedLock())
        lock.waiting += 1
        try:
            async with lock.lock:
                yield
        finally:
            lock.waiting -= 1
            if not lock.waiting:
                del self._locks[conversation]


class _CountedLock:
    def __init__(self) -> None:
        self.lock, self.waiting = asyncio.Lock(), 0


class InProcessActions(EndpointConfig):  # type: ignore[misc]
    """Runs custom actions in this process; one that fails says so to the visitor instead of saying nothing."""

    def __init__(self, package: str) -> None:
        super().__init__("in-process://actions")
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(self, *_: Any, **call: Any) -> dict[str, Any]:
        """What the action named in the call returns: events and responses."""
        try:
            result: dict[str, Any] = await self._executor.run(call["json"])
            return result
        except Exception:
            # The call holds the conversation, so it is the traceback alone that is logged.
            log.exception("action=%s failed", call["json"]["next_action"])
            return {"events": [], "responses": [{"response": "utter_action_failed"}]}


class _Collector(OutputChannel):  # type: ignore[misc]
    """An output channel that keeps what is said. Its name picks the variation of the wording."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.said: list[dict[str, Any]] = []

    def name(self) -> str:  # type: ignore[override]
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.said.append(message)


class _NoDomain:
    responses: dict[str, Any] = {}


# The wording is filled in by the model when it is loaded.
_NO_DOMAIN: Any = _NoDomain()


def _certain(text: str, label: str) -> dict[str, Any]:
    """A prediction that needs no understanding, as for a button."""
    intent, selector = select(label)
    return {
        "text": text,
        "intent": {"name": intent, "confidence": 1.0},
        "entities": [],
        "intent_ranking": [{"name": label, "confidence": 1.0}],
        "response_selector": selector,
    }


def _zone(prediction: dict[str, Any]) -> tuple[Zone, str]:
    """The zone of a prediction, and the bare id of its topic (the likeliest one, when topics are offered)."""
    intent, top = prediction["intent"]["name"], _bare(prediction["intent_ranking"][0]["name"])
    if intent == CLARIFY:
        return "clarify", top
    if intent in UNKNOWN:
        return "fallback", OUT_OF_SCOPE
    if intent in SAFETY:
        return "safety", top
    return ("task" if intent in TASKS else "answer"), top


def _bare(label: str) -> str:
    return label.rpartition("/")[2]
