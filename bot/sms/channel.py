"""What becomes of a text that comes in: stored, put in its turn, read for words that have a meaning of their own, answered."""

import asyncio
import dataclasses
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from sqlalchemy import Connection

from bot.reply import Reply, UnknownChoice
from bot.sms import replies
from bot.sms.replies import URGENT, Written
from bot.sms.wording import SmsWording
from bot.sms.words import Meaning, Words
from clinic.errors import ClinicError
from clinic.inbox import Answer, Inbox, Incoming, Stored, Task, Thread
from clinic.services import Services
from clinic.texting import Texting
from clinic.visits import Visit

log = logging.getLogger(__name__)

CHANNEL = "sms"
TEXT = "text"
#: the topic of a turn that brings in a person
PERSON = "talk_to_human"
#: Twilio gives up on a reply after 15 seconds; one that takes longer than this goes out by its API
PATIENCE = 10.0
#: how often a text looks whether its turn has come, when another process has the one before
LOOK_AGAIN = 0.03
#: texts that are at work at a time: of a burst, the first are answered while the last still wait, and not all at its end
AT_ONCE = 8
SWEEP_EVERY = 5.0


class Turns(Protocol):
    """The engine, as far as the channel uses it."""

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
        """Runs one turn and keeps it; the same message id again gives the same reply."""

    def form(self, conversation: str) -> str | None:
        """The form that is at work in a conversation."""


class Pseudonyms:
    """Stands in for numbers where they are not to be seen: conversations' ids and the log."""

    def __init__(self, key: str) -> None:
        self._key = hmac.new(key.encode(), b"stipple.sms", hashlib.sha256).digest()

    def conversation(self, number: str) -> str:
        """The id of a number's conversation."""
        return f"sms-{hmac.new(self._key, number.encode(), hashlib.sha256).hexdigest()[:40]}"

    def short(self, number: str) -> str:
        """Enough of it to tell numbers apart in a log."""
        return self.conversation(number)[4:14]


class Channel:
    """Answers texts. One per process; safe to use from many tasks of one event loop."""

    def __init__(
        self,
        inbox: Inbox,
        texting: Texting,
        services: Services,
        wording: SmsWording,
        words: Words,
        pseudonyms: Pseudonyms,
        *,
        link: Callable[[str], str] = lambda topic: "",
        hourly: int = 60,
        twilio_answers: bool = False,
        on_turn: Callable[[Reply], None] = lambda reply: None,
        patience: float = PATIENCE,
    ) -> None:
        """Takes its parts.

        Args:
            inbox: keeps texts and replies.
            texting: keeps who may be texted.
            services: the clinic's, for visits and requests for a person.
            wording: what is said here.
            words: what is read here.
            pseudonyms: names conversations.
            link: gives the address of the page with a topic's answer, or nothing when there is none.
            hourly: how many texts of one number are answered within an hour.
            twilio_answers: whether Twilio answers its own words although it does not say so with each.
            on_turn: told of each turn.
            patience: seconds that a request waits for its reply.
        """
        self.engine: Turns | None = None
        self.pseudonyms = pseudonyms
        self._inbox, self._texting, self._services = inbox, texting, services
        self._wording, self._words = wording, words
        self._moment = services.facts.moment
        self._link, self._hourly, self._twilio_answers = link, hourly, twilio_answers
        self._on_turn, self._patience = on_turn, patience
        self._queues: dict[str, _Queue] = {}
        self._tasks: dict[str, asyncio.Task[Stored]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def receive(self, text: Incoming) -> tuple[str, ...]:
        """The texts that answer a text. One that arrives again gets the same texts, and nothing is done twice.

        Empty when there is nothing to say, or the reply goes out by Twilio's API because it takes too long.
        """
        task = self._tasks.get(text.sid)
        if task is None:
            stored, mine = self._inbox.receive(text)
            if stored.reply is not None:
                return self._handed(stored)
            task = asyncio.create_task(self._in_turn(text.number, text.sid, mine))
            self._tasks[text.sid] = task
            task.add_done_callback(lambda _: self._tasks.pop(text.sid, None))
        try:
            return self._handed(await asyncio.wait_for(asyncio.shield(task), self._patience))
        except TimeoutError:
            log.warning("event=sms.late number=%s", self.pseudonyms.short(text.number))
            if self._inbox.post(text.sid):
                return ()
            # It has just been answered after all, or an earlier request has left it to the outbox.
            late = self._inbox.look(text.sid)
            return self._handed(late) if late else ()

    async def sweep(self) -> int:
        """Answers the texts that a process left behind, by Twilio's API; returns how many there were."""
        overdue = [(number, sid) for number, sid in self._inbox.overdue() if sid not in self._tasks]
        for number, sid in overdue:
            await self._in_turn(number, sid, None, waited_for=False)
            if self._inbox.post(sid):
                log.warning("event=sms.recovered number=%s", self.pseudonyms.short(number))
        return len(overdue)

    async def sweep_forever(self) -> None:
        """Looks for texts that were left behind, again and again."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("event=sms.sweep_failed")
            await asyncio.sleep(SWEEP_EVERY)

    def _handed(self, stored: Stored) -> tuple[str, ...]:
        if stored.via is None:
            stored = self._inbox.hand_over(stored.sid)
        return stored.reply or () if stored.via == "twiml" else ()

    async def _in_turn(self, number: str, sid: str, mine: Task | None, waited_for: bool = True) -> Stored:
        """Answers a number's texts, the first one first, until that of an id is answered."""
        with self._queue(number) as queue:
            async with queue.lock:
                while True:
                    task = mine or self._inbox.take(number)
                    mine = None
                    if task is not None:
                        async with self._places:
                            await self._answer(task, waited_for and task.text.sid == sid)
                            # A turn waits for nothing, so that without this all of a burst would run before any answer leaves.
                            await asyncio.sleep(0)
                        if task.text.sid != sid:
                            continue
                    stored = self._inbox.look(sid)
                    if stored is None or stored.reply is not None:
                        # An erased text has no reply any more.
                        return stored or Stored(sid, (), "twiml")
                    await asyncio.sleep(LOOK_AGAIN)

    async def _answer(self, task: Task, waited_for: bool) -> None:
        started = time.perf_counter()
        also: list[Callable[[Connection], None]] = []
        try:
            answer = await self._reply(task, also)
        except Exception:
            # The traceback alone: what the text said stays out of the log.
            log.exception("event=sms.failed number=%s", self.pseudonyms.short(task.text.number))
            also.clear()
            answer = self._said("broken", task)
        self._inbox.answer(task.text, answer, waited_for=waited_for, also=also)
        log.info(
            "event=sms.answered number=%s kind=%s texts=%d ms=%.1f",
            *(self.pseudonyms.short(task.text.number), task.text.kind, len(answer.texts), (time.perf_counter() - started) * 1000),
        )

    async def _reply(self, task: Task, also: list[Callable[[Connection], None]]) -> Answer:
        """The order is the law's: words about texts, then safety (the engine's gate), then codes, then understanding."""
        text = task.text
        if self._words.is_reaction(text.body):
            # It repeats a text of ours, whose words are not theirs.
            return self._said("reaction", task) if self._form(text.number) else self._silent(task)
        meaning = self._meaning(text)
        if meaning and (meaning.whole or meaning.keyword == "help"):
            return self._keyword(task, meaning, also)
        if text.kind != TEXT and not text.body.strip():
            return self._introduced(task, Written(replies.whole(self._wording.text(text.kind))))
        if meaning is None and (coded := await self._code(task)):
            return coded
        reply = await self._turn(task, self._sentence(text))
        if meaning is not None and (reply is None or reply.safety not in URGENT):
            return self._keyword(task, meaning, also)
        if meaning is not None:
            # What is urgent is said instead of a confirmation; the wish is obeyed all the same.
            self._stop(task, also)
        return self._worded(task, reply)

    def _meaning(self, text: Incoming) -> Meaning | None:
        """What the text says about texts: by Twilio's word, or else by ours."""
        found = self._words.keyword(text.body) if text.body else None
        said = {"STOP": "stop", "START": "start", "HELP": "help"}.get(text.opt_out_type or "")
        if found and found.keyword == "yes" and not self._texting.opted_out(text.number):
            # "Yes" answers a question, unless there were no texts that could have asked one.
            return None
        if said == "stop":
            return found if found and found.keyword == "cancel" else Meaning("stop")
        if said == "start":
            return Meaning("start")
        return Meaning("help") if said == "help" else found

    def _keyword(self, task: Task, meaning: Meaning, also: list[Callable[[Connection], None]]) -> Answer:
        text = task.text
        twilio_has = bool(text.opt_out_type) or (self._twilio_answers and self._words.is_twilios(text.body))
        if meaning.keyword == "help":
            return self._silent(task) if twilio_has else self._said("help", task)
        if meaning.keyword in ("start", "yes"):
            also.append(lambda connection: self._opt(connection, text.number, True))
            asked = meaning.keyword == "yes" and self._form(text.number) is not None
            return self._silent(task) if twilio_has else self._said("started_within_form" if asked else "started", task)
        before = self._texting.opted_out(text.number)
        self._stop(task, also)
        if meaning.keyword == "cancel":
            self._ask_to_phone(text.number)
        if twilio_has or before:
            return self._silent(task)
        return self._said("stopped_by_cancel" if meaning.keyword == "cancel" else "stopped", task)

    def _stop(self, task: Task, also: list[Callable[[Connection], None]]) -> None:
        also.append(lambda connection: self._opt(connection, task.text.number, False))

    def _opt(self, connection: Connection, number: str, given: bool) -> None:
        conversation = self.pseudonyms.conversation(number)
        self._texting.opt(connection, number, given, self._wording.version, conversation)
        log.info("event=sms.opted given=%s number=%s", given, self.pseudonyms.short(number))

    def _ask_to_phone(self, number: str) -> None:
        """An urgent task for staff: by law no text may ask whether the visit was meant."""
        visits = ", ".join(
            f"{self._moment(visit.starts_at)} ({visit.reference})" for visit in self._services.booking.upcoming(number)
        )
        self._services.handoffs.open(
            self.pseudonyms.conversation(number),
            channel=CHANNEL,
            reason="texted_cancel",
            urgency="today",
            phone=number,
            summary=self._wording.note("texted_cancel", visits=visits or self._wording.note("no_visit")),
        )

    async def _code(self, task: Task) -> Answer | None:
        """The answer to a number or a letter that our texts asked for; None when the text is none."""
        text, thread = task.text, task.thread or Thread()
        told_of = self._texting.visit_told_of(text.number, task.answered_at)
        if not told_of and self._with_person(text.number):
            return None
        number = self._words.number(text.body)
        if number is not None and 1 <= number <= len(thread.offered):
            with suppress(UnknownChoice):
                return self._worded(task, await self._turn(task, "", thread.offered[number - 1]))
        code, visits = self._words.code(text.body), self._services.booking.upcoming(text.number)
        reminded = next((visit for visit in visits if visit.id == told_of), None)
        if reminded and self._words.agrees(text.body):
            code = "confirm"
        if code == "more":
            return self._more(thread)
        if code == "agent":
            return self._worded(task, await self._turn(task, self._words.sentences.agent))
        form = self._form(text.number)
        if code == "confirm" and not told_of and form:
            # It is what was just read back that is confirmed.
            return None
        if code in ("confirm", "move", "cancel") and visits:
            if code == "confirm":
                return self._confirmed(task, reminded or visits[0])
            sentences = self._words.sentences
            return self._worded(task, await self._turn(task, sentences.move if code == "move" else sentences.cancel))
        if form:
            # It may be the answer to what was asked.
            return None
        if number is not None:
            return self._hinted("no_such_number", task)
        return self._hinted("no_visit_ahead", task) if code and self._words.is_letter(text.body) else None

    def _sentence(self, text: Incoming) -> str:
        """What is put to the understanding: the text, or what a letter or a sign stands for."""
        sentences = self._words.sentences
        if self._with_person(text.number):
            return text.body
        if self._words.is_sign(text.body):
            return sentences.yes if self._form(text.number) else sentences.thanks
        if self._words.agrees(text.body):
            return sentences.yes
        return sentences.no if self._words.declines(text.body) else text.body

    def _more(self, thread: Thread) -> Answer:
        if not thread.rest:
            return Answer(replies.whole(self._wording.text("nothing_more")), thread)
        parts, rest = replies.go_on(thread.rest, self._wording.text("more"))
        return Answer(parts, Thread(thread.offered, rest))

    def _with_person(self, number: str) -> bool:
        return self._services.handoffs.with_person(self.pseudonyms.conversation(number))

    def _form(self, number: str) -> str | None:
        return self.engine.form(self.pseudonyms.conversation(number)) if self.engine else None

    def _confirmed(self, task: Task, visit: Visit) -> Answer:
        if visit.status == "pending":
            return Answer(replies.whole(self._wording.text("still_pending", when=self._moment(visit.starts_at))))
        try:
            visit = self._services.booking.acknowledge(visit.id, version=visit.version, key=f"sms:{task.text.sid}")
        except ClinicError:
            return self._said("nothing_to_confirm", task)
        return Answer(replies.whole(self._wording.text("confirmed", when=self._moment(visit.starts_at))))

    async def _turn(self, task: Task, text: str, choice: str | None = None) -> Reply | None:
        """The engine's reply; None when there is no engine."""
        if self.engine is None:
            return None
        conversation = self.pseudonyms.conversation(task.text.number)
        reply = await self.engine.turn(
            conversation, text, choice=choice, channel=CHANNEL, message_id=task.text.sid, phone=task.text.number
        )
        self._on_turn(reply)
        return reply

    def _worded(self, task: Task, reply: Reply | None) -> Answer:
        if reply is None:
            return self._said("broken", task)
        if reply.safety in URGENT:
            # Nothing stands beside it; who we are is said another time.
            written = replies.write(reply, "")
            return Answer(written.texts, introduced=task.thread is not None)
        if task.lately > self._hourly:
            # Two machines that answer each other would go on for ever.
            return self._said("too_many", task) if task.lately == self._hourly + 1 else self._silent(task)
        if reply.messages and reply.topics == [PERSON] and self._texting.opted_out(task.text.number):
            return self._hinted("person_by_phone", task)
        written = self._written(task, reply)
        if task.text.kind != TEXT:
            note = replies.whole(self._wording.text(task.text.kind))
            written = Written((*note, *written.texts), written.offered, written.rest)
        if task.thread is None and reply.topics == ["greet"]:
            # Who we are is the greeting.
            written = Written((), written.offered, written.rest)
        return self._introduced(task, written)

    def _written(self, task: Task, reply: Reply) -> Written:
        """The reply as texts: what is long goes on at MORE, and on the page that has all of it."""
        # A page has one answer: it is not the rest of several, nor of what a form asks.
        asks = self._form(task.text.number) is not None
        link = self._link(reply.topics[0]) if reply.zone == "answer" and len(reply.topics) == 1 and not asks else ""
        if not link:
            return replies.write(reply, self._wording.text("more"), asks=asks)
        written = replies.write(reply, self._wording.text("more_and_link", link=link), self._wording.text("page", link=link))
        if written.rest or not written.texts or link in written.texts[-1]:
            return written
        return dataclasses.replace(written, rest=self._wording.text("whole_answer", link=link))

    def _introduced(self, task: Task, written: Written) -> Answer:
        """The answer, after who we are when the number does not know that yet."""
        first = () if task.thread else replies.whole(self._wording.text("first_contact"))
        return Answer((*first, *written.texts), Thread(written.offered, written.rest))

    def _hinted(self, name: str, task: Task) -> Answer:
        """A text of ours after who we are; the choices of before stay."""
        thread = task.thread or Thread()
        return dataclasses.replace(self._introduced(task, Written(replies.whole(self._wording.text(name)))), thread=thread)

    def _said(self, name: str, task: Task) -> Answer:
        return Answer(replies.whole(self._wording.text(name)), task.thread or Thread(), introduced=task.thread is not None)

    def _silent(self, task: Task) -> Answer:
        return Answer((), task.thread or Thread(), introduced=task.thread is not None)

    @contextmanager
    def _queue(self, number: str) -> Iterator["_Queue"]:
        queue = self._queues.setdefault(number, _Queue())
        queue.waiting += 1
        try:
            yield queue
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                del self._queues[number]


class _Queue:
    """The texts of one number in this process, in the order in which they were stored."""

    def __init__(self) -> None:
        self.lock, self.waiting = asyncio.Lock(), 0
