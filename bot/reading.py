"""What a message means where it stands: its questions, in the light of the reply before and of the form at work."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypedDict

from bot.context import Phrases, numbered, offered, titled
from bot.nlu.zones import CLARIFY, CLINICIAN, FALLBACK, OUT_OF_SCOPE, SELF_HARM, TASKS, certain, label_of
from bot.reply import Reply, Safety
from bot.sms.words import Words
from bot.tidy import MAX_LENGTH, TroubleSpotter
from bot.wording import ApprovedWording
from clinic.said import ASKED_PHONE, Said, read
from clinic.services import Services

# The intents of danger, and the topic of each.
DANGERS: dict[str, Safety] = {"emergency": "emergency", SELF_HARM: "emergency", "adverse_reaction": "adverse_reaction"}
LANGUAGES = Path("data/languages.yml")
# The forms, and the task that each is for.
FORMS = {"booking_form": "book_appointment", "visit_form": "check_appointment"}
# What a form is interrupted for: urgent matters at once, questions to answer before it goes on.
_INSTEAD_OF_A_FORM = frozenset((*DANGERS, "talk_to_human"))
_BESIDE_A_FORM = frozenset(("faq", "clinic", CLINICIAN))
# The intents of a text that may say what is wanted by its details alone.
_UNSURE = frozenset((CLARIFY, FALLBACK, OUT_OF_SCOPE))
# The task of bringing in a person.
PERSON = "talk_to_human"
_LEAVE = "leave"
# Words of a message that says little more than when.
_SHORT = 10
_OF_VISITS = frozenset(TASKS) - {PERSON}
_CHANGES = frozenset(("reschedule_appointment", "cancel_appointment"))
# How to reach the clinic.
_CONTACT = "clinic/contact"


class Answered(TypedDict):
    """A question that was answered before a message: its text, and the label of its topic."""

    text: str
    topic: str


# Gives Rasa's prediction for a text, with its `questions`, in the light of the question answered before, if there was one.
Understand = Callable[[str, Answered | None], Awaitable[dict[str, Any]]]


class Reading:
    """Reads the messages of conversations. One per process; it keeps nothing of any of them."""

    def __init__(self, understand: Understand, wording: ApprovedWording, services: Services) -> None:
        self._understand, self._wording, self._services = understand, wording, services
        self._spotter = TroubleSpotter(LANGUAGES)
        self._phrases = Phrases.load()
        self._words = Words.load()

    async def read(
        self, text: str, last: Reply | None, *, answered: Answered | None, form: str | None, waits: bool, channel: str
    ) -> list[dict[str, Any]]:
        """The questions of a tidied text, in the order asked, in the light of what was said; danger before anything else.

        Args:
            text: what the visitor wrote.
            last: the reply before.
            answered: the last question that was answered, if nothing but small talk came after it.
            form: the form that is at work.
            waits: whether the visitor waits for a person.
            channel: `web`, or `sms`, where the channel itself hears the words that end all texts.
        """
        questions = await self._in_context(text, last, form, answered, waits=waits)
        if form:
            return questions
        if waits:
            questions = self._or_contact(text, questions, last)
        return questions if channel == "sms" else self._or_no_texts(text, questions)

    async def _in_context(
        self, text: str, last: Reply | None, form: str | None, answered: Answered | None, *, waits: bool
    ) -> list[dict[str, Any]]:
        questions: list[dict[str, Any]] = (await self._understand(cut(text), answered))["questions"]
        if "alarm" in questions[0]:
            return [for_form(text, questions, form)] if form else questions
        if len(questions) > 1:
            # "Phone 212 555 0142" beside a wish does not ask how to reach the clinic.
            told = self._tells(text) and "?" not in text
            answers = [q for q in questions if (told and label_of(q) == _CONTACT) or self._tells(q["text"])]
            questions = [q for q in questions if q["intent"]["name"] not in _BESIDE_A_FORM or q not in answers] or questions[:1]
        choice = numbered(text, offered(last)) if last else None
        if form:
            if self._tells(text) and self._words.wish(text):
                # "212 555 0142, but don't text me" answers the form's question, and wants no person.
                questions = [certain(text, FALLBACK, questions[0])]
            label = choice.topic if choice else self._within(text, form) or _task_meant(questions[0], form)
            return [for_form(text, [certain(text, label)] if label else questions, form)]
        if trouble := self._spotter.trouble(text):
            return [certain(text, trouble)]
        if choice:
            return [certain(text, choice.topic)]
        if task := self._task_told_by_details(text, questions[0], waits=waits):
            return [certain(text, task, questions[0])]
        if last and last.zone == "clarify":
            return self._clarified(text, questions, last)
        if last and (label := self._set_phrase(text, last)):
            return [certain(text, label)]
        if last and last.zone == "fallback" and all(q["intent"]["name"] == FALLBACK for q in questions):
            return [certain(text, "still_unclear", questions[0])]
        return questions

    def _or_contact(self, text: str, questions: list[dict[str, Any]], last: Reply | None) -> list[dict[str, Any]]:
        """The questions of somebody who waits for a person, or how to reach them, when that is what the text tells."""
        if any(question["intent"]["name"] in (*DANGERS, *TASKS) for question in questions):
            return questions
        asked = ASKED_PHONE if last and last.topics == [PERSON] else None
        if not self._tells(text, asked):
            return questions
        others = [q for q in questions if q["intent"]["name"] in _BESIDE_A_FORM and not self._tells(q["text"], asked)]
        return [certain(text, "leave_contact") | {"task": PERSON}, *others]

    def _or_no_texts(self, text: str, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The questions, or the wish for no more text messages, which counts wherever it is said."""
        wish = self._words.wish(text)
        if wish is None or "alarm" in questions[0]:
            return questions
        return [certain(text, "end_texts" if wish.keyword == "stop" else "how_to_end_texts")]

    def _tells(self, text: str, asked: str | None = None) -> bool:
        """Whether a text says how somebody can be reached, or which visit is meant."""
        heard = self._heard(text, asked)
        return bool(heard.phone or heard.email or heard.reference or heard.no_phone)

    def _within(self, text: str, form: str) -> str | None:
        """What a text means to a form, as a whole or by how it begins: "forget it, too complicated"."""
        if label := self._phrases.within(text, form):
            return label
        begins, _, reason = text.replace(";", ",").replace(". ", ", ").partition(",")
        leaves = reason and self._phrases.within(begins, form) == _LEAVE
        means_more = "?" in reason or self._heard(reason) or self._phrases.within(reason, form) not in (None, _LEAVE)
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
        if not heard.when:
            return None
        # "Will my face be red on Saturday if I come Thursday?" names what can be booked, and books nothing.
        timed = any(option.at or option.begins for option in heard.when.options)
        wished = heard.services and (timed or len(text.split()) <= _SHORT)
        return "book_appointment" if heard.phone or wished else None

    def _heard(self, text: str, asked: str | None = None) -> Said:
        return read(text, self._services.practice, self._services.offers.today, asked)

    def _set_phrase(self, text: str, last: Reply) -> str | None:
        meaning = self._phrases.meaning(text, last.topics[-1])
        return self._wording.label(meaning) if meaning else None

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


def cut(text: str) -> str:
    # The beginning and the end of a text that is too long are still screened for danger.
    half = MAX_LENGTH // 2
    return text if len(text) <= MAX_LENGTH else f"{text[:half]} {text[-half:]}"


def for_form(text: str, questions: list[dict[str, Any]], form: str) -> dict[str, Any]:
    """The questions of a message as one prediction for the form at work: what is urgent, or else what is asked beside it."""
    urgent = [question for question in questions if question["intent"]["name"] in _INSTEAD_OF_A_FORM]
    beside = [question for question in questions if question["intent"]["name"] in _BESIDE_A_FORM]
    kept = {**[*urgent, *beside[-1:], questions[0]][0], "text": text, "asked": _asked(beside)}
    return kept if urgent or beside else kept | {"task": FORMS[form]}


def tasks_last(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions before the task, which goes on; of several tasks, the first. The task is told what is no part of it."""
    tasks = [question for question in questions if question["intent"]["name"] in TASKS]
    if not tasks:
        return questions
    others = [question for question in questions if question["intent"]["name"] in _BESIDE_A_FORM]
    return [*others, {"asked": _asked(others)} | tasks[0]]


def _task_meant(question: dict[str, Any], form: str) -> str | None:
    """What is likeliest to be done with the visit that a form is about, when a text says no more than "an hour later?"."""
    likeliest: str = question["intent_ranking"][0]["name"]
    unsure = form == "visit_form" and question["intent"]["name"] in (CLARIFY, FALLBACK)
    return likeliest if unsure and likeliest in _CHANGES else None


def _asked(questions: list[dict[str, Any]]) -> list[dict[str, str]]:
    # What a clinician decides is said within the message, and no part that could be left out.
    return [{"label": (label := label_of(q)), "text": "" if label == CLINICIAN else q["text"]} for q in questions]
