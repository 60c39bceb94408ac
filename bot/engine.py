"""The engine: loads the trained model once and runs a turn, one message and all its replies, at a time."""

import asyncio
import gc
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.model import get_latest_model
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor

from actions.services import use
from bot import sources
from bot.context import FollowUps, leans, numbered, offered, titled
from bot.nlu.safety import Alarm
from bot.nlu.zones import CLARIFY, CLINICIAN, FALLBACK, OUT_OF_SCOPE, SELF_HARM, TASKS, certain
from bot.reply import Choice, Message, Reply, Safety, UnknownChoice, Zone
from bot.review import Review
from bot.runner import StraightRunner
from bot.settings import Settings
from bot.sms.words import Words
from bot.sources import Sources
from bot.tidy import MAX_LENGTH, TroubleSpotter, tidy
from bot.tracker_store import SqlTrackerStore, TurnTaken
from bot.wording import ApprovedWording
from clinic import clock as clocks
from clinic import database, practice
from clinic.clock import Clock
from clinic.handoff import Urgency
from clinic.said import ASKED_PHONE, Said, read
from clinic.services import Services

log = logging.getLogger(__name__)

# The intents of danger, and the topic of each.
DANGERS: dict[str, Safety] = {"emergency": "emergency", SELF_HARM: "emergency", "adverse_reaction": "adverse_reaction"}
UNKNOWN = frozenset((FALLBACK, OUT_OF_SCOPE, "still_unclear", "no_words", "too_long", "other_language", "something_else"))
# A question that a working model answers without fail.
KNOWN_QUESTION, KNOWN_TOPIC = "does it hurt?", "pain"
ATTEMPTS = 3
LANGUAGES = Path("data/languages.yml")
# How soon staff must look at a danger.
_URGENCY: dict[str, Urgency] = {"emergency": "emergency", "adverse_reaction": "today"}
# What a person should look at: not knowing, rather than knowing that it is none of the clinic's business.
_WORTH_A_LOOK = frozenset((CLARIFY, FALLBACK, "still_unclear"))
# The forms, and the task that each is for.
FORMS = {"booking_form": "book_appointment", "visit_form": "check_appointment"}
# What a form is interrupted for: urgent matters at once, questions to answer before it goes on.
_INSTEAD_OF_A_FORM = frozenset((*DANGERS, "talk_to_human"))
_BESIDE_A_FORM = frozenset(("faq", "clinic", CLINICIAN))
# The intents of a text that may say what is wanted by its details alone.
_UNSURE = frozenset((CLARIFY, FALLBACK, OUT_OF_SCOPE))
_QUIET = "talk_to_human"
_LEAVE = "leave"
# Words of a message that says little more than when.
_SHORT = 10
_OF_VISITS = frozenset(TASKS) - {_QUIET}
# How to reach the clinic.
_CONTACT = "clinic/contact"
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
        self._spotter = TroubleSpotter(LANGUAGES)
        self._follow_ups = FollowUps.load()
        self._words = Words.load()
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
        """The alarm that a message raises, by the gate or by its topic alone; none for a harmless one."""
        question = (await self._understand(_cut(tidy(text))))["questions"][0]
        if heard := question.get("alarm"):
            return [Alarm(heard["level"], heard["rules"][0], concern=heard["concern"])]
        intent = question["intent"]["name"]
        return [Alarm(DANGERS[intent], f"topic:{intent}")] if intent in DANGERS else []

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
        request = self.services.handoffs.of(conversation)
        if choice is None:
            text = tidy(text)
            questions = await self._read(text, last, tracker.active_loop_name, _last_text(tracker), waits=request is not None)
        else:
            chosen = self._chosen(conversation, choice)
            text, questions = chosen.title, [certain(chosen.title, chosen.topic)]
            if tracker.active_loop_name:
                questions = [_for_form(text, questions, tracker.active_loop_name)]
        if request and choice is None and not tracker.active_loop_name:
            questions = self._or_contact(text, questions, last)
        if channel != "sms" and choice is None and not tracker.active_loop_name:
            questions = self._or_no_texts(text, questions)
        with_person = request is not None and request.status == "claimed"
        if quiet := with_person and questions[0]["intent"]["name"] not in DANGERS:
            questions = [certain(text, _QUIET, questions[0])]
        out = _Collector(channel)
        # The first question carries the whole text, so that the conversation reads as it was written; a task reads all of it.
        for number, question in enumerate(_tasks_last(questions)):
            said = question["text"] if number and question["intent"]["name"] not in TASKS else text
            await self._answer(tracker, out, said, question, phone=phone, quiet=quiet)
        reply = self._reply(questions, out.said, (time.perf_counter() - started) * 1000)
        asked_before = _last_text(tracker)
        self.store.append(tracker, channel, message_id, reply.as_json())
        self._note(conversation, channel, text, asked_before, questions[0], reply)
        if reply.safety and (urgency := _URGENCY.get(reply.safety)):
            self.services.handoffs.open(conversation, channel=channel, reason=reply.safety, urgency=urgency, phone=phone)
        if with_person:
            self.services.handoffs.said(conversation, text)
        return reply

    def _note(
        self, conversation: str, channel: str, text: str, asked_before: str | None, question: dict[str, Any], reply: Reply
    ) -> None:
        """Keeps for people to look at: alarms, questions without an answer, and answers that were not wanted."""
        if alarm := question.get("alarm"):
            self.review.alarm(conversation, alarm["level"], alarm["rules"], reply.topics)
        elif reply.topics == ["feedback"] and asked_before:
            self.review.unanswered(asked_before, reply, channel, "feedback")
        elif reply.zone in ("clarify", "fallback") and question["intent"]["name"] in _WORTH_A_LOOK:
            self.review.unanswered(text, reply, channel, reply.zone)

    async def _read(
        self, text: str, last: Reply | None, form: str | None, before: str | None, *, waits: bool
    ) -> list[dict[str, Any]]:
        """The questions of a tidied text, in the order asked, in the light of what was said; danger before anything else."""
        questions: list[dict[str, Any]] = (await self._understand(_cut(text)))["questions"]
        if "alarm" in questions[0]:
            return [_for_form(text, questions, form)] if form else questions
        if dangers := [question for question in questions if question["intent"]["name"] in DANGERS]:
            # Beside an emergency, nothing but what to do.
            questions = sorted(dangers, key=lambda question: question["intent"]["name"] == "adverse_reaction")[:1]
        elif len(questions) > 1:
            # "Phone 212 555 0142" beside a wish does not ask how to reach the clinic.
            told = self._tells(text) and "?" not in text
            answers = [q for q in questions if (told and _label(q) == _CONTACT) or self._tells(q["text"])]
            questions = [q for q in questions if q["intent"]["name"] not in _BESIDE_A_FORM or q not in answers] or questions[:1]
        choice = numbered(text, offered(last)) if last else None
        if form:
            label = choice.topic if choice else self._within(text, form)
            return [_for_form(text, [certain(text, label)] if label else questions, form)]
        if trouble := self._spotter.trouble(text):
            return [certain(text, trouble)]
        if choice:
            return [certain(text, choice.topic)]
        if task := self._task_told_by_details(text, questions[0], waits=waits):
            return [certain(text, task, questions[0])]
        if last and last.zone == "clarify":
            return self._clarified(text, questions, last)
        if last and (label := self._follow_up(text, last)):
            return [certain(text, label)]
        unsure = questions[0]["intent"]["name"] in _UNSURE
        if last and before and unsure and (label := await self._leaning(before, text, last)):
            return [certain(text, label)]
        if last and last.zone == "fallback" and all(q["intent"]["name"] == FALLBACK for q in questions):
            return [certain(text, "still_unclear", questions[0])]
        return questions

    def _or_contact(self, text: str, questions: list[dict[str, Any]], last: Reply | None) -> list[dict[str, Any]]:
        """The questions of somebody who waits for a person, or how to reach them, when that is what the text tells."""
        if any(question["intent"]["name"] in (*DANGERS, *TASKS) for question in questions):
            return questions
        asked = ASKED_PHONE if last and last.topics == [_QUIET] else None
        if not self._tells(text, asked):
            return questions
        others = [q for q in questions if q["intent"]["name"] in _BESIDE_A_FORM and not self._tells(q["text"], asked)]
        return [certain(text, "leave_contact") | {"task": _QUIET}, *others]

    def _or_no_texts(self, text: str, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The questions, or the wish for no more text messages, which counts wherever it is said."""
        wish = self._words.wish(text)
        if wish is None or "alarm" in questions[0] or questions[0]["intent"]["name"] in DANGERS:
            return questions
        return [certain(text, "end_texts" if wish.keyword == "stop" else "how_to_end_texts")]

    def _tells(self, text: str, asked: str | None = None) -> bool:
        """Whether a text says how somebody can be reached, or which visit is meant."""
        heard = self._heard(text, asked)
        return bool(heard.phone or heard.email or heard.reference or heard.no_phone)

    def _within(self, text: str, form: str) -> str | None:
        """What a text means to a form, as a whole or by how it begins: "forget it, too complicated"."""
        if label := self._follow_ups.within(text, form):
            return label
        begins, _, reason = text.replace(";", ",").replace(". ", ", ").partition(",")
        leaves = reason and self._follow_ups.within(begins, form) == _LEAVE
        means_more = "?" in reason or self._heard(reason) or self._follow_ups.within(reason, form) not in (None, _LEAVE)
        return _LEAVE if leaves and not means_more else None

    def _task_told_by_details(self, text: str, question: dict[str, Any], *, waits: bool) -> str | None:
        """What is to be done when a text does not say it, but who, when and what for: "friday 3pm, Anna Lee 212 555 0142"."""
        heard, intent = self._heard(text), question["intent"]["name"]
        if heard.only_details and intent in _BESIDE_A_FORM:
            return "book_appointment"
        # Who waits for a person tells by a number how to be reached.
        if intent not in _UNSURE or (waits and not heard.when and not heard.reference):
            return None
        if heard.reference and heard.phone:
            return "check_appointment"
        likely = [label for label in question.get("choices", []) if label in _OF_VISITS]
        if not (heard.phone or heard.reference):
            # Who says when does not ask when; and a day alone tells little in many words, and cancels nothing.
            says_when = heard.when and heard.when.definite and len(text.split()) <= _SHORT
            likely = [label for label in likely if says_when and label != "check_appointment"]
            likely = [] if "cancel_appointment" in likely else likely
        if len(likely) == 1:
            return str(likely[0])
        return "book_appointment" if heard.when and (heard.phone or heard.services) else None

    def _heard(self, text: str, asked: str | None = None) -> Said:
        return read(text, self.services.practice, self.services.offers.today, asked)

    def _follow_up(self, text: str, last: Reply) -> str | None:
        meaning = self._follow_ups.meaning(text, last.topics[-1])
        return self._full(meaning) if meaning else None

    async def _leaning(self, before: str, text: str, last: Reply) -> str | None:
        """The topic of a text that leans on what was answered before, read together with what was asked then."""
        if last.zone != "answer" or not leans(text):
            return None
        topics = [_label(question) for question in (await self._understand(f"{before}, {text}"))["questions"]]
        topics = [topic for topic in topics if "/" in topic]
        others = [topic for topic in topics if topic.partition("/")[2] not in last.topics]
        return next(iter(others or topics), None)

    def _clarified(self, text: str, questions: list[dict[str, Any]], last: Reply) -> list[dict[str, Any]]:
        """What a text means that follows a clarification: one of its choices, something else, or a new question."""
        choices = offered(last)
        if choice := titled(text, choices):
            return [certain(text, choice.topic)]
        first, intent = questions[0], questions[0]["intent"]["name"]
        if intent == "deny":
            return [certain(text, "talk_to_human", first)]
        if intent not in (CLARIFY, FALLBACK):
            return questions
        meant = [r["name"] for r in first["intent_ranking"] if r["name"] in {choice.topic for choice in choices}]
        # A second clarification of one question would try anybody's patience.
        return [certain(text, meant[0] if meant else "still_unclear", first)]

    async def _understand(self, text: str) -> dict[str, Any]:
        prediction: dict[str, Any] = await self._processor.parse_message(UserMessage(text))
        return prediction

    async def _answer(
        self,
        tracker: DialogueStateTracker,
        out: "_Collector",
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
        answered = {self._full(topic) for topic in asked}
        last = len(said) - 1
        return Reply(
            zone=min((zone for zone, _ in zones), key=_BY_URGENCY.index),
            safety=_danger(questions[0]),
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


# Rasa checks its own schema of an action's result at each call, which takes longer than the rest of the turn. The SDK,
# which runs in this process, has checked the events already.
RemoteAction._validate_action_result = lambda _, result: True


class InProcessActions(EndpointConfig):
    """Runs custom actions in this process; one that fails says so to the visitor instead of saying nothing."""

    def __init__(self, package: str, services: Services) -> None:
        super().__init__("in-process://actions")
        self._services = services
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(self, *_: Any, **call: Any) -> dict[str, Any]:
        """What the action named in the call returns: events and responses."""
        use(self._services)
        try:
            result: dict[str, Any] = await self._executor.run(call["json"])
            return result
        except Exception:
            # The call holds the conversation, so it is the traceback alone that is logged.
            log.exception("action=%s failed", call["json"]["next_action"])
            return {"events": [], "responses": [{"response": "utter_action_failed"}]}


class _Collector(OutputChannel):
    """An output channel that keeps what is said. Its name picks the variation of the wording."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.said: list[dict[str, Any]] = []

    def name(self) -> str:
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.said.append(message)


def _for_form(text: str, questions: list[dict[str, Any]], form: str) -> dict[str, Any]:
    """The questions of a message as one prediction for the form at work: what is urgent, or else what is asked beside it."""
    urgent = [question for question in questions if question["intent"]["name"] in _INSTEAD_OF_A_FORM]
    beside = [question for question in questions if question["intent"]["name"] in _BESIDE_A_FORM]
    kept = {**[*urgent, *beside[-1:], questions[0]][0], "text": text, "asked": _asked(beside)}
    return kept if urgent or beside else kept | {"task": FORMS[form]}


def _tasks_last(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions before the task, which goes on; of several tasks, the first. The task is told what is no part of it."""
    tasks = [question for question in questions if question["intent"]["name"] in TASKS]
    if not tasks:
        return questions
    others = [question for question in questions if question["intent"]["name"] in _BESIDE_A_FORM]
    return [*others, {"asked": _asked(others)} | tasks[0]]


def _asked(questions: list[dict[str, Any]]) -> list[dict[str, str]]:
    # What a clinician decides is said within the message, and no part that could be left out.
    return [{"label": (label := _label(q)), "text": "" if label == CLINICIAN else q["text"]} for q in questions]


def _label(question: dict[str, Any]) -> str:
    intent: str = question["intent"]["name"]
    selected = question["response_selector"].get(intent)
    return str(selected["response"]["intent_response_key"]) if selected else intent


def _danger(question: dict[str, Any]) -> Safety | None:
    """The level of the alarm that a message raised; for a danger that the topics alone tell of, its own."""
    level: Safety | None = question["alarm"]["level"] if "alarm" in question else None
    return level or DANGERS.get(question["intent"]["name"])


def _last_text(tracker: DialogueStateTracker) -> str | None:
    """What the visitor wrote before the message of this turn."""
    before = list(tracker.events)[: tracker.kept_events]
    return next((event.text for event in reversed(before) if isinstance(event, UserUttered)), None)


def _cut(text: str) -> str:
    # The beginning and the end of a text that is too long are still screened for danger.
    half = MAX_LENGTH // 2
    return text if len(text) <= MAX_LENGTH else f"{text[:half]} {text[-half:]}"


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
