"""Checking, moving and cancelling a visit that was booked before."""

import dataclasses
import datetime as dt
import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import times
from actions.forms import Form
from actions.services import services
from actions.times import Times, fits
from actions.turn import CONCERN, Events, Slots, Turn, button, forgotten, hand_over, yes_or_no
from clinic.errors import NotAllowed, NotFound, SlotTaken, SlotUnavailable, Stale, TooManyTries
from clinic.said import ASKED_PHONE, ASKED_REFERENCE, ASKED_WHEN
from clinic.visits import AHEAD, Visit
from clinic.wish import Wish

CHECK, MOVE, CANCEL = "check", "move", "cancel"
TASKS = {"check_appointment": CHECK, "reschedule_appointment": MOVE, "cancel_appointment": CANCEL}
ASKS_REFERENCE = {CHECK: "utter_check_appointment", MOVE: "utter_reschedule_appointment", CANCEL: "utter_cancel_appointment"}
#: what is said when a task is done, and of a visit that a clinician must confirm
DONE = {CHECK: "utter_visit_details", MOVE: "utter_moved", CANCEL: "utter_cancelled"}
DONE_PENDING = {CHECK: "utter_visit_details_pending", MOVE: "utter_moved_pending"}
CONFIRM = "visit_confirmed"
#: what is forgotten when the form is done; which visit it was about is not
STATE = (
    *("visit_task", "visit_reference", "visit_phone", "visit_choices", "visit_start", CONFIRM),
    *("visit_wish", "visit_days", "visit_offer", "visit_over"),
)
#: what was said about a new time
NEW_START = ("visit_start", "visit_wish", "visit_days", "visit_offer")
ASKED = {"visit_reference": ASKED_REFERENCE, "visit_phone": ASKED_PHONE, "visit_start": ASKED_WHEN}
#: what is asked for each task once the visit is found
STEPS: dict[str, tuple[str, ...]] = {CHECK: (), MOVE: ("visit_start", CONFIRM), CANCEL: (CONFIRM,)}
#: visits between which the visitor may choose
CHOICES = 5
_ANSWERS = frozenset(("affirm", "deny", "cancel_appointment"))
_NONE_AT_HAND = re.compile(
    r"\b(?:don'?t|do not|can'?t|cannot|haven'?t|have no|no|never got|lost|forgot|didn'?t|not sure|no idea|deleted)\b",
    re.IGNORECASE,
)
_SPEAKS_OF_IT = re.compile(r"\b(?:reference|ref|code|booking number)\b", re.IGNORECASE)
# The safety gate may take a time for an age, and what is booked is not unsettled by that: "I'm running 15 minutes late".
_OF_TIME = re.compile(r"\d ?(?:mins?|minutes?|hours?|hrs?|[ap]\.?m)\b|\d[:/]\d", re.IGNORECASE)
_NEW_TIME = re.compile(r"^.*\b(?:to|for|until|till|instead of \S+)\b", re.IGNORECASE)


class ValidateVisitForm(Form):
    """Finds the visit, and reads what is to become of it."""

    def name(self) -> str:
        return "validate_visit_form"

    def missing(self, slots: Slots) -> str | None:
        if slots.get("visit_over"):
            return None
        if slots.get("visit_id"):
            steps = STEPS[slots["visit_task"]]
        else:
            steps = ("visit_id",) if slots.get("visit_choices") else ("visit_reference", "visit_phone")
        return next((step for step in steps if not slots.get(step)), None)

    def take(self, dispatcher: CollectingDispatcher, turn: Turn, domain: dict[str, Any]) -> Slots | None:
        task, changes = self._task(turn)
        visit = known(turn.slots)
        found = visit is not None and not turn.requested
        if visit is None:
            visit, looked = self._look(dispatcher, turn, domain)
            changes |= looked
            found = visit is not None
        if task == MOVE and not changes.get("visit_over"):
            changes |= self._time(dispatcher, turn, visit, found)
        if visit is None:
            return changes or None
        answered = turn.requested == CONFIRM and not changes
        return (
            self._answered(dispatcher, turn, visit)
            if answered
            else {**changes, "visit_id": visit.id}
            if changes or found
            else None
        )

    def _task(self, turn: Turn) -> tuple[str, Slots]:
        """What is to be done, and what changes when that is something else than before: "actually, cancel it"."""
        before: str | None = turn.slots.get("visit_task") if turn.requested else None
        now = TASKS.get(turn.intent, before or CHECK)
        if before == CANCEL and turn.requested == CONFIRM and turn.intent not in _ANSWERS and turn.read(None).when:
            # "Tuesday at 10" instead of a yes to the end of a visit.
            now = MOVE
        if now == before or (before and now == CHECK):
            return before or now, {}
        return now, {"visit_task": now} | (dict.fromkeys(NEW_START) if before else {})

    def _look(self, dispatcher: CollectingDispatcher, turn: Turn, domain: dict[str, Any]) -> tuple[Visit | None, Slots]:
        """Looks for the visit by what was said: the phone that a text came from, or reference and phone."""
        heard = turn.read(ASKED.get(turn.requested or ""))
        reference = heard.reference or turn.slots.get("visit_reference")
        if turn.sender and not reference:
            return self._of_sender(dispatcher, turn, turn.sender)
        asked = turn.requested == "visit_reference" or (not turn.requested and _SPEAKS_OF_IT.search(turn.text))
        if asked and not heard.reference and _NONE_AT_HAND.search(turn.text):
            dispatcher.utter_message(response="utter_no_reference")
            return None, {"visit_over": True}
        phone = heard.phone or turn.slots.get("visit_phone") or turn.sender
        changes = {name: value for name, value in (("visit_reference", heard.reference), ("visit_phone", heard.phone)) if value}
        if not (reference and phone):
            return None, changes
        try:
            visit = services().lookup.find(reference, phone, holder=turn.conversation)
        except TooManyTries:
            dispatcher.utter_message(response="utter_too_many_tries")
            hand_over(dispatcher, turn, domain, "too_many_tries")
            return None, {"visit_over": True}
        if visit is None:
            dispatcher.utter_message(response="utter_visit_not_found")
            return None, {"visit_reference": None, "visit_phone": None}
        return visit, changes

    def _of_sender(self, dispatcher: CollectingDispatcher, turn: Turn, sender: str) -> tuple[Visit | None, Slots]:
        visits = services().booking.upcoming(sender)[:CHOICES]
        heard = turn.read(ASKED_WHEN if turn.requested == "visit_id" else None).when
        if turn.picked_kind == "visit":
            visits = [visit for visit in visits if visit.id == turn.picked]
        elif heard:
            visits = _meant(visits, heard.options)
        if not visits:
            dispatcher.utter_message(response="utter_no_visit")
            return None, {"visit_over": True}
        if len(visits) == 1:
            return visits[0], {"visit_choices": None}
        choices = [visit.id for visit in visits]
        return None, {} if choices == turn.slots.get("visit_choices") else {"visit_choices": choices}

    def _time(self, dispatcher: CollectingDispatcher, turn: Turn, visit: Visit | None, found: bool) -> Slots:
        """What the message says about the new time; at first it may name the old one, too."""
        text = _NEW_TIME.sub("", turn.text) if not turn.requested else turn.text
        heard = turn.read(ASKED.get(turn.requested or ""), text)
        if visit is None:
            # Reference and phone hold digits that are no dates.
            return {} if turn.requested else Times("visit", dispatcher, turn, _no).take(heard, None)
        times = Times("visit", dispatcher, turn, lambda _, start: _can_move(visit, start), moving=visit.id)
        if shifted := times.shifted(visit.service, visit.starts_at):
            return _elsewhere(shifted, visit)
        if heard.when:
            heard = dataclasses.replace(heard, when=heard.when.like(visit.starts_at))
        if heard.when and not turn.slots.get("visit_wish"):
            # "Can you make it 11:30?" means the visit's own day, "thursday" perhaps its own week.
            now = Wish(visit.starts_at.date(), visit.starts_at.date())
            heard = dataclasses.replace(heard, when=dataclasses.replace(heard.when, options=heard.when.after(now)))
        wishes = heard.when.options if heard.when else (Wish.from_json(turn.slots.get("visit_wish") or {}),)
        if found and any(wish != Wish() and fits(visit.starts_at, wish) for wish in wishes):
            return {"visit_wish": None}
        return _elsewhere(times.take(heard, visit.service, again=found), visit)

    def _answered(self, dispatcher: CollectingDispatcher, turn: Turn, visit: Visit) -> Slots | None:
        if turn.intent == "deny" or turn.picked_kind == "no":
            dispatcher.utter_message(response="utter_nothing_changed")
            return {"visit_over": True}
        again = "cancel_appointment" if turn.slots["visit_task"] == CANCEL else "reschedule_appointment"
        if turn.intent not in ("affirm", again) and turn.picked_kind != "yes":
            return None
        booking, key = services().booking, f"{turn.conversation}/{visit.id}/{visit.version}"
        try:
            if turn.slots["visit_task"] == CANCEL:
                booking.cancel(visit.id, version=visit.version, key=f"{key}/cancel")
            else:
                start = dt.datetime.fromisoformat(turn.slots["visit_start"])
                booking.reschedule(visit.id, start, version=visit.version, key=f"{key}/{start.isoformat()}")
                if concern := turn.slots.get(CONCERN):
                    booking.doubt(visit.id, concern)
        except (SlotTaken, SlotUnavailable):
            times = Times("visit", dispatcher, turn, _no, moving=visit.id)
            return times.start_again(visit.service, dt.datetime.fromisoformat(turn.slots["visit_start"]))
        except (Stale, NotAllowed):
            dispatcher.utter_message(response="utter_visit_changed")
            return {"visit_over": True}
        return {CONFIRM: True}


class ActionAskReference(Action):
    """Asks for the visit's reference."""

    def name(self) -> str:
        return "action_ask_visit_form_visit_reference"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        dispatcher.utter_message(response=ASKS_REFERENCE[tracker.slots["visit_task"]])
        return []


class ActionAskVisit(Action):
    """Asks which of the visitor's visits is meant."""

    def name(self) -> str:
        return "action_ask_visit_form_visit_id"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        here = services()
        visits = [here.booking.get(visit_id) for visit_id in tracker.slots["visit_choices"]]
        buttons = [button(here.facts.moment(visit.starts_at, short=True), "visit", visit.id) for visit in visits]
        dispatcher.utter_message(response="utter_which_visit", buttons=buttons)
        return []


class ActionAskVisitStart(Action):
    """Asks when the visit should be instead."""

    def name(self) -> str:
        return "action_ask_visit_form_visit_start"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return times.ask(dispatcher, tracker, domain, "visit")


class ActionAskVisitConfirmed(Action):
    """Reads back what is going to be done."""

    def name(self) -> str:
        return "action_ask_visit_form_visit_confirmed"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        here, slots = services(), tracker.slots
        visit = here.booking.get(slots["visit_id"])
        values = {"when": here.facts.moment(visit.starts_at), "zone": here.facts.zone(visit.starts_at)}
        if slots["visit_task"] == CANCEL:
            dispatcher.utter_message(response="utter_confirm_cancel", buttons=yes_or_no(domain, "utter_confirm_cancel"), **values)
        else:
            new = dt.datetime.fromisoformat(slots["visit_start"])
            values |= {"new_when": here.facts.moment(new), "zone": here.facts.zone(new)}
            response = "utter_confirm_move_pending" if visit.waits_for_clinician(slots.get(CONCERN)) else "utter_confirm_move"
            dispatcher.utter_message(response=response, buttons=yes_or_no(domain, response), **values)
        return []


class ActionCloseVisit(Action):
    """Says what has become of the visit."""

    def name(self) -> str:
        return "action_close_visit"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        here, slots = services(), tracker.slots
        task, visit_id = slots.get("visit_task"), slots.get("visit_id")
        if visit_id and (slots.get(CONFIRM) or task == CHECK) and not slots.get("visit_over"):
            visit = here.booking.get(visit_id)
            service = here.practice.service(visit.service)
            dispatcher.utter_message(
                response=(DONE_PENDING if visit.status == "pending" else DONE)[task or CHECK],
                when=here.facts.moment(visit.starts_at),
                zone=here.facts.zone(visit.starts_at),
                service=service.name if service else "",
                practitioner=here.practice.called(visit.practitioner),
                reference=visit.reference,
                attachment=visit.id if visit.status == "booked" else None,
            )
            if task == CANCEL:
                return [*forgotten(STATE), SlotSet("visit_id", None)]
        return forgotten(STATE)


class ActionDoubtVisit(Action):
    """Leaves it to a clinician whether a visit that is booked already can be, after what the visitor has just told."""

    def name(self) -> str:
        return "action_doubt_visit"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        here, turn = services(), Turn(tracker)
        concern = turn.slots.get(CONCERN)
        if not concern or _OF_TIME.search(turn.text):
            return []
        ahead = here.booking.upcoming(turn.sender) if turn.sender else [visit for visit in [known(turn.slots)] if visit]
        for visit in ahead:
            if here.booking.doubt(visit.id, concern).version > visit.version:
                dispatcher.utter_message(response="utter_visit_doubted", when=here.facts.moment(visit.starts_at))
        return []


def known(slots: Slots) -> Visit | None:
    """The visit that was found in this conversation before, if it is still ahead."""
    try:
        visit = services().booking.get(slots.get("visit_id") or "")
    except NotFound:
        return None
    return visit if visit.status in AHEAD and visit.starts_at > services().clock() else None


def _meant(visits: list[Visit], wishes: tuple[Wish, ...]) -> list[Visit]:
    """The visits that a day or time names; by its weekday when it is some weeks away, and all of them when it names none."""
    exactly = [visit for visit in visits if any(fits(visit.starts_at, wish) for wish in wishes)]
    weekdays = {wish.first.weekday() for wish in wishes if wish.first and wish.first == wish.last}
    return exactly or [visit for visit in visits if visit.starts_at.weekday() in weekdays] or visits


def _elsewhere(changes: Slots, visit: Visit) -> Slots:
    """The changes, unless the new time is the old one."""
    same = changes.get("visit_start") == visit.starts_at.isoformat()
    return dict.fromkeys(NEW_START) if same else changes


def _can_move(visit: Visit, start: dt.datetime) -> bool:
    return services().slots.why_not(visit.service, start, moving=visit.id) is None


def _no(_service: str, _start: dt.datetime) -> bool:
    return False
