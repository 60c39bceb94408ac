"""The engine: loads the trained model once and runs a turn, one message and all its replies, at a time."""

import asyncio
import gc
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.model import get_latest_model
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot import sources
from bot.in_process import Collector, InProcessActions
from bot.nlu.components import ANSWERED
from bot.nlu.follow_ups import UP_TO
from bot.nlu.safety import Alarm
from bot.nlu.zones import CLARIFY, CLINICIAN, FALLBACK, OUT_OF_SCOPE, TASKS, certain, label_of
from bot.reading import DANGERS, PERSON, Answered, Reading, cut, for_form, tasks_last
from bot.reply import Choice, Message, Reply, UnknownChoice, Zone
from bot.review import Review
from bot.runner import StraightRunner
from bot.settings import Settings
from bot.sources import Sources
from bot.tidy import tidy
from bot.tracker_store import SqlTrackerStore, TurnTaken
from bot.wording import ApprovedWording
from clinic import clock as clocks
from clinic import database, practice
from clinic.clock import Clock
from clinic.handoff import Urgency
from clinic.services import Services

log = logging.getLogger(__name__)

UNKNOWN = frozenset((FALLBACK, OUT_OF_SCOPE, "still_unclear", "no_words", "too_long", "other_language", "something_else"))
# A question that a working model answers without fail.
KNOWN_QUESTION, KNOWN_TOPIC = "does it hurt?", "pain"
ATTEMPTS = 3
# How soon staff must look at a danger.
_URGENCY: dict[str, Urgency] = {"emergency": "emergency", "adverse_reaction": "today"}
# What a person should look at: not knowing, rather than knowing that it is none of the clinic's business.
_WORTH_A_LOOK = frozenset((CLARIFY, FALLBACK, "still_unclear"))
# What leaves the last answer the matter that is talked about.
_ASIDES = frozenset(("greet", "thank", "affirm", "deny", "feedback", "ask_source", "repeat", "tell_more", CLINICIAN))
# The slot with what a clinician must decide before a visit is booked for good.
CONCERN = "clinician_concern"
# Of several questions in one message, the first of these zones gives its name to the turn.
_BY_URGENCY: tuple[Zone, ...] = ("safety", "task", "answer", "clarify", "fallback")


class NotReady(Exception):
    """There is no model, or the model there is does not answer."""


class Engine:
    """Runs turns. One per process; safe to use from many tasks of one event loop."""

    def __init__(
        self, processor: MessageProcessor, store: SqlTrackerStore, wording: ApprovedWording, known: Sources, services: Services
    ) -> None:
        self._processor, self.store, self.wording, self.sources, self.services = processor, store, wording, known, services
        self.review = Review(store.database)
        self._reading = Reading(self._understand, wording, services)
        self._openers: dict[str, Choice] = {}
        self._locks: dict[str, _CountedLock] = {}

    @classmethod
    def load(cls, settings: Settings, *, channels: Collection[str] = (), clock: Clock = clocks.now) -> Self:
        """Loads the newest model, and brings the database's schema up to date.

        Args:
            settings: the settings.
            channels: on which of `email`, `webhook`, `text`, `calendar` people can be told of what is booked.
            clock: where the time comes from.

        Raises:
            NotReady: there is no model, or it cannot be read.
            clinic.yaml.BadFile: `clinic.yml` or `data/sources.yml` is wrong.
        """
        clinic, known = practice.load(settings.clinic), sources.load()
        engine = database.connect(settings.database_url)
        database.migrate(engine)
        store = SqlTrackerStore(engine=engine)
        services = Services.build(engine, clinic, channels=channels, clock=clock)
        model = get_latest_model(str(settings.models))
        if model is None:
            raise NotReady(f"there is no trained model in {settings.models}: run `make train`")
        agent = Agent(
            generator=ApprovedWording(Domain.empty(), services.facts, known, settings.require_approval, clock),
            tracker_store=store,
            action_endpoint=InProcessActions("actions", services),
        )
        try:
            agent.load_model(model)
        except Exception as error:
            raise NotReady(f"the model {model} cannot be loaded: {error}") from error
        agent.processor.graph_runner = StraightRunner(agent.processor.graph_runner)
        # What was loaded stays, so the collector need not go through all of it between turns.
        gc.collect()
        gc.freeze()
        return cls(agent.processor, store, agent.nlg, known, services)

    async def check(self) -> None:
        """Proves that the model answers a known question.

        Raises:
            NotReady: it does not.
        """
        prediction = await self._understand(KNOWN_QUESTION)
        if prediction["intent_ranking"][0]["name"] != f"faq/{KNOWN_TOPIC}":
            raise NotReady(f"the model does not know '{KNOWN_QUESTION}'")

    def open_with(self, choices: Collection[Choice]) -> None:
        """Takes choices that stand in every conversation from its beginning.

        Raises:
            NotReady: one is of a topic that does not exist.
        """
        for choice in choices:
            if choice.topic not in TASKS and choice.topic not in self.wording.topics:
                raise NotReady(f"there is no topic '{choice.topic}' for '{choice.title}'")
        self._openers = {choice.id: choice for choice in choices}

    async def alarms(self, text: str) -> list[Alarm]:
        """The alarm that a message raises; none for a harmless one."""
        heard = (await self._understand(cut(tidy(text))))["questions"][0].get("alarm")
        return [Alarm(heard["level"], heard["rules"][0], concern=heard["concern"])] if heard else []

    async def turn(
        self,
        conversation: str,
        text: str = "",
        *,
        choice: str | None = None,
        channel: str = "web",
        message_id: str | None = None,
        phone: str | None = None,
    ) -> Reply:
        """Runs one turn and keeps it; the same message id again gives the same reply and runs nothing.

        Args:
            conversation: the conversation's id; a new one begins with its first turn.
            text: what the visitor wrote; not read when `choice` is given.
            choice: the id of a button that was offered in this conversation.
            channel: whose wording to use, `web` or `sms`.
            message_id: the sender's own id of the message.
            phone: the number that a text message came from, in E.164 form.

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
                    reply = await self._run(conversation, text, choice, channel, message_id, phone, started)
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

    def form(self, conversation: str) -> str | None:
        """The form that is at work in a conversation: `booking_form`, `visit_form` or none."""
        tracker = self.store.open(conversation)
        name: str | None = tracker.active_loop_name if tracker else None
        return name

    async def _run(
        self,
        conversation: str,
        text: str,
        choice: str | None,
        channel: str,
        message_id: str | None,
        phone: str | None,
        started: float,
    ) -> Reply:
        tracker = self.store.open(conversation) or self.store.begin(conversation)
        tracker.model_id = self._processor.model_metadata.model_id
        tracker.assistant_id = self._processor.model_metadata.assistant_id
        last = Reply.from_json(tracker.last_reply) if _holds_reply(tracker) else None
        past, request = list(tracker.events), self.services.handoffs.of(conversation)
        answered = None if tracker.active_loop_name else _answered(past)
        if choice is None:
            text = tidy(text)
            questions = await self._reading.read(
                text, last, answered=answered, form=tracker.active_loop_name, waits=request is not None, channel=channel
            )
        else:
            chosen = self._chosen(conversation, choice)
            text, questions = chosen.title, [certain(chosen.title, chosen.topic)]
            if tracker.active_loop_name:
                questions = [for_form(text, questions, tracker.active_loop_name)]
        with_person = request is not None and request.status == "claimed"
        if quiet := with_person and questions[0]["intent"]["name"] not in DANGERS:
            questions = [certain(text, PERSON, questions[0])]
        out = Collector(channel)
        # The first question carries the whole text, so that the conversation reads as it was written; a task reads all of it.
        for number, question in enumerate(tasks_last(questions)):
            said = question["text"] if number and question["intent"]["name"] not in TASKS else text
            await self._answer(tracker, out, said, question, phone=phone, quiet=quiet)
        reply = self._reply(questions, out.said, (time.perf_counter() - started) * 1000)
        self.store.append(tracker, channel, message_id, reply.as_json())
        self._note(conversation, channel, text, past, questions[0], reply)
        if reply.safety and (urgency := _URGENCY.get(reply.safety)):
            self.services.handoffs.open(conversation, channel=channel, reason=reply.safety, urgency=urgency, phone=phone)
        if with_person:
            self.services.handoffs.said(conversation, text)
        return reply

    def _note(
        self, conversation: str, channel: str, text: str, past: list[Event], question: dict[str, Any], reply: Reply
    ) -> None:
        """Keeps for people to look at: alarms, questions without an answer, and answers that were not wanted."""
        reason: str = reply.zone
        if reply.topics == ["feedback"] and (places := [i for i, event in enumerate(past) if isinstance(event, UserUttered)]):
            # What was said of an answer is not what to look at, but what was asked for it.
            reason, text, past = "feedback", past[places[-1]].text, past[: places[-1]]
        if alarm := question.get("alarm"):
            self.review.alarm(conversation, alarm["level"], alarm["rules"], reply.topics)
        elif reason == "feedback" or (reason in ("clarify", "fallback") and question["intent"]["name"] in _WORTH_A_LOOK):
            answered = _answered(past)
            after = answered["text"] if answered and len(text.split()) <= UP_TO else None
            self.review.unanswered(text, reply, channel, reason, after)

    async def _understand(self, text: str, answered: Answered | None = None) -> dict[str, Any]:
        metadata = {ANSWERED: answered} if answered else None
        prediction: dict[str, Any] = await self._processor.parse_message(UserMessage(text, metadata=metadata))
        return prediction

    async def _answer(
        self,
        tracker: DialogueStateTracker,
        out: Collector,
        text: str,
        prediction: dict[str, Any],
        *,
        phone: str | None = None,
        quiet: bool = False,
    ) -> None:
        """Rasa's own steps for one question, on a tracker that is kept only when the whole turn is done."""
        processor = self._processor
        metadata = {"phone": phone} if phone else None
        message = UserMessage(text, out, tracker.sender_id, parse_data=prediction, input_channel=out.name(), metadata=metadata)
        concern = tracker.get_slot(CONCERN)
        await processor._update_tracker_session(tracker, out)
        if concern and not tracker.get_slot(CONCERN):
            # What a clinician must decide is not forgotten when all else is.
            tracker.update(SlotSet(CONCERN, concern))
        await processor._handle_message_with_tracker(message, tracker)
        if quiet:
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
            return
        alarm = prediction.get("alarm")
        if alarm and alarm["level"] == "clinician":
            tracker.update(SlotSet(CONCERN, alarm["concern"] or alarm["rules"][0]))
        tracker = await processor.run_action_extract_slots(out, tracker)
        await processor._run_prediction_loop(out, tracker)

    def _chosen(self, conversation: str, choice: str) -> Choice:
        if choice in self._openers:
            return self._openers[choice]
        for kept in self.store.last_replies(conversation):
            for message in Reply.from_json(kept).messages:
                for button in message.choices:
                    if button.id == choice:
                        return button
        raise UnknownChoice(choice)

    def _reply(self, questions: list[dict[str, Any]], said: list[dict[str, Any]], ms: float) -> Reply:
        zones = [_zone(question) for question in questions]
        # That a clinician decides is said beside an answer, and is no topic unless nothing else was said.
        asked = [topic for q, (_, topic) in zip(questions, zones, strict=True) if q["intent"]["name"] != CLINICIAN]
        topics = asked or [zones[0][1]]
        answered = {self.wording.label(topic) for topic in asked}
        last = len(said) - 1
        return Reply(
            zone=min((zone for zone, _ in zones), key=_BY_URGENCY.index),
            safety=questions[0].get("alarm", {}).get("level"),
            topics=topics,
            confidence=round(min(question["intent"]["confidence"] for question in questions), 4),
            choices=[_bare(label) for question in questions for label in question.get("choices", [])],
            # One row of choices is enough: below the last message.
            messages=[self._message(response, answered if i == last else None) for i, response in enumerate(said)],
            ranking=[(r["name"], round(r["confidence"], 4)) for q in questions for r in q["intent_ranking"]],
            ms=round(ms, 2),
        )

    def _message(self, response: dict[str, Any], answered: set[str] | None) -> Message:
        metadata = response.get("metadata") or {}
        buttons = [(button["title"], button["payload"]) for button in response.get("buttons") or []]
        if not buttons and answered is not None:
            buttons = [(self._title(label), label) for label in self._labels(metadata) if label not in answered]
        return Message(
            id=uuid.uuid4().hex,
            text=response.get("text") or "",
            choices=[Choice(secrets.token_urlsafe(6), title, label) for title, label in buttons],
            sources=self.sources.behind(metadata.get("facts", [])),
            visit=response.get("attachment"),
        )

    def _labels(self, metadata: dict[str, Any]) -> list[str]:
        follow_ups = [self.wording.label(topic) for topic in metadata.get("follow_ups", [])]
        return [*metadata.get("choices", []), *follow_ups]

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


def _answered(events: Sequence[Event]) -> Answered | None:
    """The last question that was answered, or was likeliest meant, when nothing but small talk came after it; of several about
    one topic in a row the first, as those after it lean on it."""
    found: Answered | None = None
    for event in reversed(events):
        if not isinstance(event, UserUttered) or (label := label_of(event.parse_data)) in _ASIDES:
            continue
        label = event.parse_data["intent_ranking"][0]["name"] if label == CLARIFY else label
        if "/" not in label or (found and found["topic"] != label):
            break
        found = {"text": event.text, "topic": label}
    return found


def _holds_reply(tracker: DialogueStateTracker) -> bool:
    # Rasa's own commands keep turns without one.
    return bool(tracker.last_reply and tracker.last_reply.startswith("{"))


def _zone(prediction: dict[str, Any]) -> tuple[Zone, str]:
    """The zone of a prediction, and the bare id of its topic (the likeliest one, when topics are offered)."""
    intent, top = prediction["intent"]["name"], _bare(prediction["intent_ranking"][0]["name"])
    if "task" in prediction:
        return "task", prediction["task"]
    if intent == CLARIFY:
        return "clarify", top
    if intent in UNKNOWN:
        return "fallback", OUT_OF_SCOPE
    if intent in DANGERS:
        return "safety", DANGERS[intent]
    if intent == CLINICIAN:
        return "safety", top
    return ("task" if intent in TASKS else "answer"), top


def _bare(label: str) -> str:
    return label.rpartition("/")[2]
