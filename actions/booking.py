"""Booking a visit: what for, when, who, and a yes to all of it."""

import datetime as dt
import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import times
from actions.appointments import known
from actions.forms import Form
from actions.services import services
from actions.times import Times
from actions.turn import CONCERN, Events, Slots, Turn, button, forgotten, word, yes_or_no
from clinic import consent
from clinic.errors import HoldExpired, SlotTaken, SlotUnavailable
from clinic.said import ASKED_NAME, ASKED_PHONE, ASKED_WHEN, Said, respelled
from clinic.visits import Visit, Visitor

CONFIRM = "booking_confirmed"
#: asks for the number and says what it is for; not said to who texts, or gives it unasked
ASK_PHONE = "utter_ask_booking_form_booking_phone"
#: in the order in which they are asked for
STEPS = ("booking_service", "booking_start", "booking_name", "booking_phone", CONFIRM)
STATE = (
    *STEPS,
    "booking_changing",
    "booking_services",
    "booking_wish",
    "booking_days",
    "booking_offer",
    "booking_with",
    "booking_email",
    "booking_no_texts",
)
ASKED = {"booking_start": ASKED_WHEN, "booking_name": ASKED_NAME, "booking_phone": ASKED_PHONE}
_NUMBER = re.compile(r"\d{1,2}(?:[:.]\d\d)?")
#: the things that may be named as wrong
_NAMED = {
    "booking_service": re.compile(r"\b(?:service|treatment|what for)\b", re.IGNORECASE),
    "booking_start": re.compile(r"\b(?:time|day|date|when)\b", re.IGNORECASE),
    "booking_name": re.compile(r"\bname\b", re.IGNORECASE),
    "booking_phone": re.compile(r"\b(?:phone|mobile|cell|number)\b", re.IGNORECASE),
}
_SAME = re.compile(r"\b(?:same|as before|as last time)\b", re.IGNORECASE)
#: a hold is renewed when it has less than this left
NEARLY_OVER = dt.timedelta(minutes=2)


class ValidateBookingForm(Form):
    """Reads what a message says for the booking."""

    leaves_on = frozenset(("deny", "cancel_appointment"))

    def name(self) -> str:
        return "validate_booking_form"

    def missing(self, slots: Slots) -> str | None:
        return next((step for step in STEPS if not slots.get(step)), None)

    def take(self, dispatcher: CollectingDispatcher, turn: Turn, domain: dict[str, Any]) -> Slots | None:
        heard = turn.read(ASKED.get(turn.requested or ""))
        if heard.several:
            dispatcher.utter_message(response="utter_one_at_a_time")
        if turn.requested == "booking_start" and not heard and (instead := turn.read(ASKED_NAME)).sure_name:
            # Who is asked for the time may well tell the name.
            heard = instead
        if turn.requested == "booking_name" and not heard and _NUMBER.fullmatch(turn.text.strip()):
            heard = turn.read(ASKED_WHEN)
        changes = self._who(turn, heard) | self._what_for(turn, heard)
        if not changes and turn.slots.get("booking_changing") and not heard:
            changes = self._to_change(turn)
        service = changes.get("booking_service") or turn.slots.get("booking_service")
        who = self._with(dispatcher, turn, heard, changes)
        # What is held gives way to what is wanted instead.
        held = next(iter(services().booking.holds(turn.conversation)), None)
        times = Times(
            "booking",
            dispatcher,
            turn,
            lambda service, start: hold(turn, service, start, who) is not None,
            moving=held.id if held else None,
            practitioner=who,
        )
        changes |= times.take(heard, service, again=bool({"booking_service", "booking_with"} & set(changes)))
        if changes and turn.slots.get("booking_changing"):
            changes["booking_changing"] = None
        if turn.requested == CONFIRM and not changes:
            return self._answered(turn, times, domain)
        if (start := changes.get("booking_start")) and self.missing(turn.slots | changes) != CONFIRM:
            dispatcher.utter_message(response="utter_kept", when=services().facts.moment(dt.datetime.fromisoformat(start)))
        # What is said once more is no bad answer.
        return changes or ({} if turn.slots.get("booking_service") in heard.services else None)

    def _who(self, turn: Turn, heard: Said) -> Slots:
        changes: Slots = {}
        known = turn.slots.get("booking_name")
        question = turn.intent in ("faq", "clinic")
        if heard.name and (heard.sure_name or not (known or question)):
            changes["booking_name"] = respelled(heard.name, known, turn.text) if known else heard.name
        if phone := heard.phone or (None if turn.slots.get("booking_phone") else turn.sender or _same_phone(turn)):
            changes["booking_phone"] = phone
        if heard.email:
            changes["booking_email"] = heard.email
        if heard.no_texts:
            changes["booking_no_texts"] = True
        return changes

    def _with(self, dispatcher: CollectingDispatcher, turn: Turn, heard: Said, changes: Slots) -> str | None:
        """Whom the visitor wants to see, if that is somebody who does the service; noted among the changes."""
        practice = services().practice
        service = changes.get("booking_service") or turn.slots.get("booking_service")
        who = heard.practitioner or turn.slots.get("booking_with")
        if who and service and who not in [one.id for one in practice.practitioners(service)]:
            dispatcher.utter_message(response="utter_not_with", practitioner=practice.called(who))
            who = None
        if who != turn.slots.get("booking_with"):
            changes["booking_with"] = who
        return who

    def _to_change(self, turn: Turn) -> Slots:
        """What is asked for again by who says only which thing is wrong: "the time"."""
        named = [slot for slot, pattern in _NAMED.items() if pattern.search(turn.text)]
        return {named[0]: None} if len(named) == 1 else {}

    def _what_for(self, turn: Turn, heard: Said) -> Slots:
        known = turn.slots.get("booking_service")
        if turn.asks and turn.requested:
            return {}
        picked = [turn.picked] if turn.picked_kind == "service" else [id_ for id_ in heard.services if id_ != known]
        if len(picked) == 1 and known not in heard.services:
            return {"booking_service": picked[0], "booking_services": None}
        if picked and not known:
            return {"booking_services": picked}
        return {}

    def _answered(self, turn: Turn, times: Times, domain: dict[str, Any]) -> Slots | None:
        if turn.intent == "affirm" or turn.picked_kind == "yes":
            return self._book(turn, times, domain)
        if turn.intent in ("deny", "reschedule_appointment") or turn.picked_kind == "no":
            return {"booking_changing": True}
        return None

    def _book(self, turn: Turn, times: Times, domain: dict[str, Any]) -> Slots:
        slots, service = turn.slots, turn.slots["booking_service"]
        start = dt.datetime.fromisoformat(slots["booking_start"])
        # A hold that ran out while the visitor thought is taken again, if nobody was quicker.
        held = hold(turn, service, start, slots.get("booking_with"))
        if held is None:
            return times.start_again(service, start)
        # Before the visit, whose confirmation by text asks for it.
        read = ASK_PHONE if turn.was_told(ASK_PHONE) else _read_back(slots)
        _agreed(turn, slots["booking_phone"], word(domain, read, "version"))
        visitor = Visitor(slots["booking_name"], slots["booking_phone"], slots.get("booking_email"))
        concern, key = slots.get(CONCERN), f"{turn.conversation}/{held.id}/confirm"
        try:
            visit = services().booking.confirm(held.id, visitor, holder=turn.conversation, pending_reason=concern, key=key)
        except HoldExpired:
            return times.start_again(service, start)
        return {CONFIRM: visit.id}


class ActionAskService(Action):
    """Asks what the visit is for."""

    def name(self) -> str:
        return "action_ask_booking_form_booking_service"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        practice = services().practice
        among = tracker.slots.get("booking_services") or [one.id for one in practice.services]
        known = [one for service in among if (one := practice.service(service))]
        dispatcher.utter_message(
            response="utter_book_appointment", buttons=[button(one.name, "service", one.id) for one in known]
        )
        return []


class ActionAskStart(Action):
    """Asks when."""

    def name(self) -> str:
        return "action_ask_booking_form_booking_start"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return times.ask(dispatcher, tracker, domain, "booking")


class ActionAskConfirmed(Action):
    """Reads back what is going to be booked."""

    def name(self) -> str:
        return "action_ask_booking_form_booking_confirmed"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        here, slots = services(), tracker.slots
        if slots.get("booking_changing"):
            dispatcher.utter_message(response="utter_what_to_change")
            return []
        start = dt.datetime.fromisoformat(slots["booking_start"])
        for held in here.booking.holds(tracker.sender_id):
            if not held.renewed and held.hold_expires_at and held.hold_expires_at - here.clock() < NEARLY_OVER:
                here.booking.renew(held.id, holder=tracker.sender_id)
        service = here.practice.service(slots["booking_service"])
        who = slots.get("booking_with")
        read_back = _read_back(slots)
        before = known(slots)
        if before and before.starts_at == start:
            dispatcher.utter_message(response="utter_booked_then", reference=before.reference)
        dispatcher.utter_message(
            response=read_back,
            buttons=yes_or_no(domain, read_back),
            when=here.facts.moment(start),
            zone=here.facts.zone(start),
            service=f"{service.name if service else ''}{f' ({here.practice.called(who)})' if who else ''}",
            visitor=slots["booking_name"],
            visitor_phone=here.facts.phone(slots["booking_phone"]),
        )
        return []


class ActionCloseBooking(Action):
    """Says what the booking came to, and forgets what it was made of."""

    def name(self) -> str:
        return "action_close_booking"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        here, slots = services(), tracker.slots
        if not slots.get(CONFIRM):
            here.booking.release_all(holder=tracker.sender_id)
            return forgotten(STATE)
        visit = here.booking.get(slots[CONFIRM])
        dispatcher.utter_message(
            response="utter_pending" if visit.status == "pending" else "utter_booked",
            when=here.facts.moment(visit.starts_at),
            zone=here.facts.zone(visit.starts_at),
            reference=visit.reference,
            attachment=None if visit.status == "pending" else visit.id,
        )
        return [*forgotten(STATE), SlotSet("visit_id", visit.id)]


def hold(turn: Turn, service: str, start: dt.datetime, practitioner: str | None) -> Visit | None:
    """Keeps a slot, of a practitioner's if one is named, instead of what was kept before; None when it cannot be had."""
    booking = services().booking
    held = booking.holds(turn.conversation)
    same = [one for one in held if (one.service, one.starts_at) == (service, start) and practitioner in (None, one.practitioner)]
    if same:
        return same[0]
    instead = held[0].id if held else None
    holder, channel = turn.conversation, turn.channel
    try:
        return booking.hold(service, start, holder=holder, channel=channel, practitioner=practitioner, instead_of=instead)
    except (SlotTaken, SlotUnavailable):
        return None


def _same_phone(turn: Turn) -> str | None:
    """The number of the visit that was booked just before, when it is to be that."""
    if turn.requested != "booking_phone" or not _SAME.search(turn.text) or not turn.slots.get("visit_id"):
        return None
    return services().booking.get(turn.slots["visit_id"]).phone


def _read_back(slots: Slots) -> str:
    return "utter_read_back_pending" if slots.get(CONCERN) else "utter_read_back"


def _agreed(turn: Turn, phone: str, version: str) -> None:
    """Notes whether the visitor agreed to texts with their number, and to which words; a no of before stays."""
    consents, texts = services().consents, not turn.slots.get("booking_no_texts")
    said = [one for one in consents.history(phone) if one.purpose == consent.TEXTS]
    if not texts or not said or said[-1].given:
        consents.record(phone, consent.TEXTS, texts, wording=version, channel=turn.channel, conversation_id=turn.conversation)
