"""Ending text messages, for who asks for that anywhere but by text."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import appointments
from actions.services import services
from actions.turn import Events, Turn, word
from clinic import consent
from clinic.said import ASKED_PHONE


class ActionEndTexts(Action):
    """Notes that a visitor wants no texts; of a number that may be anybody's, staff are told."""

    def name(self) -> str:
        return "action_end_texts"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        turn, here = Turn(tracker), services()
        visit = appointments.known(tracker.slots)
        own = visit.phone if visit else None
        phone = turn.read(ASKED_PHONE).phone or own
        if phone is None:
            dispatcher.utter_message(response="utter_how_to_end_texts")
            return []
        if phone == own:
            response, version = "utter_end_texts", word(domain, "utter_end_texts", "version")
            here.consents.record(
                phone, consent.TEXTS, False, wording=version, channel=turn.channel, conversation_id=turn.conversation
            )
        else:
            response = "utter_end_texts_passed_on"
            here.handoffs.open(turn.conversation, channel=turn.channel, reason="no_texts", urgency="routine", phone=phone)
        dispatcher.utter_message(response=response, visitor_phone=here.facts.phone(phone))
        return []
