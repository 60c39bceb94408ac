"""Bringing in a person, and leaving what was begun."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import appointments, booking
from actions.services import services
from actions.turn import Events, Turn, contact_in, forgotten, hand_over
from clinic.said import ASKED_PHONE


class ActionHandOver(Action):
    """Asks for a person."""

    def name(self) -> str:
        return "action_hand_over"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        hand_over(dispatcher, Turn(tracker), domain, "asked")
        return _dropped(tracker)


class ActionPassOnContact(Action):
    """Adds to a request for a person how the visitor can be reached, or corrects it."""

    def name(self) -> str:
        return "action_pass_on_contact"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        turn, here = Turn(tracker), services()
        heard = turn.read(ASKED_PHONE)
        if not (heard.phone or heard.email):
            dispatcher.utter_message(response="utter_contact_not_read")
            return []
        here.handoffs.reach(turn.conversation, **contact_in(turn, heard, domain))
        told = [here.facts.phone(heard.phone)] if heard.phone else []
        dispatcher.utter_message(
            response="utter_contact_passed_on", contact=", ".join([*told, *([heard.email] if heard.email else [])])
        )
        return []


class ActionLeave(Action):
    """Leaves a form, as the visitor wishes."""

    def name(self) -> str:
        return "action_leave"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        if tracker.slots.get("visit_task") and (visit := appointments.known(tracker.slots)):
            dispatcher.utter_message(response="utter_left_visit", when=services().facts.moment(visit.starts_at))
        else:
            dispatcher.utter_message(response="utter_left")
        return _dropped(tracker)


class ActionDrop(Action):
    """Leaves a form without a word, because something more urgent was said."""

    def name(self) -> str:
        return "action_drop"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        return _dropped(tracker)


def _dropped(tracker: Tracker) -> Events:
    """Frees what was held, and forgets what was said for a form."""
    services().booking.release_all(holder=tracker.sender_id)
    return forgotten((*booking.STATE, *appointments.STATE))
