"""Bringing in a person, and leaving what was begun."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import appointments, booking
from actions.services import services
from actions.turn import Events, Turn, forgotten, hand_over


class ActionHandOver(Action):
    """Asks for a person."""

    def name(self) -> str:
        return "action_hand_over"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        turn = Turn(tracker)
        hand_over(dispatcher, turn, turn.text)
        return _dropped(tracker)


class ActionLeave(Action):
    """Leaves a form, as the visitor wishes."""

    def name(self) -> str:
        return "action_leave"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
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
