"""What the forms have in common: questions are answered and the form goes on, and nobody is asked a fourth time."""

from abc import abstractmethod
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import REQUESTED_SLOT, FormValidationAction

from actions.turn import Events, Slots, Turn, hand_over
from clinic import said
from clinic.said import ASKED_PHONE

#: what ends the form by a rule, and nothing else of the message counts
_ENDS = frozenset(("emergency", "self_harm", "adverse_reaction", "talk_to_human", "leave"))
#: what is served by a rule even when the message says something for the form, too
_FIRST = _ENDS | {"clinician_decides"}
_RETRIEVAL = frozenset(("faq", "clinic"))
#: what is served by a rule when the message says nothing for the form
_THEN = frozenset(("bot_challenge", "ask_source", "tell_more"))
#: said without meaning an answer
_ANSWER = "answer"
_SMALL_TALK = frozenset(("greet", "thank", "repeat", "affirm"))
BAD_ANSWERS = "bad_answers"
PHONES = ("booking_phone", "visit_phone")
EXPLAIN_AT, PERSON_AT = 2, 3


class Form(FormValidationAction):
    """A form that reads each message as a whole, and asks for what is still missing."""

    #: intents on which the form is left when the message says nothing for it
    leaves_on = frozenset(("deny",))

    @abstractmethod
    def missing(self, slots: Slots) -> str | None:
        """The slot to ask for next; None when there is nothing left to do."""

    @abstractmethod
    def take(self, dispatcher: CollectingDispatcher, turn: Turn, domain: dict[str, Any]) -> Slots | None:
        """What the message changes; None when it says nothing for the form."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """Reads the message, unless a rule has just served it."""
        turn = Turn(tracker)
        if _interrupted(tracker):
            return [SlotSet(REQUESTED_SLOT, self.missing(turn.slots))]
        if turn.intent == "talk_to_human" and turn.requested == "booking_name" and said.is_called(turn.text):
            # "Call me Max" asks for nobody.
            turn.intent = _ANSWER
        changes = None if turn.intent in _ENDS else self.take(dispatcher, turn, domain)
        if turn.picked_kind == "why" and turn.requested:
            dispatcher.utter_message(response=f"utter_explain_{turn.requested}")
            return [SlotSet(BAD_ANSWERS, 0), SlotSet(REQUESTED_SLOT, turn.requested)]
        if self._for_a_rule(turn, changes):
            for question in turn.asked[:-1]:
                dispatcher.utter_message(response=f"utter_{question['label']}")
            kept = {**(changes or {}), BAD_ANSWERS: 0}
            return [*_events(kept), ActionExecutionRejected(self.form_name())]
        if changes is None and turn.intent not in _SMALL_TALK and turn.requested:
            changes = self._bad_answer(dispatcher, turn, domain)
            if changes is None:
                return [SlotSet(BAD_ANSWERS, 0), SlotSet(REQUESTED_SLOT, None)]
        else:
            changes = {**(changes or {}), BAD_ANSWERS: 0}
        turn.slots.update(changes)
        return [*_events(changes), SlotSet(REQUESTED_SLOT, self.missing(turn.slots))]

    def _for_a_rule(self, turn: Turn, changes: Slots | None) -> bool:
        if not turn.requested:
            return False
        if turn.intent in _FIRST:
            return True
        if turn.intent in _RETRIEVAL:
            return bool(turn.questions) or changes is None
        return changes is None and turn.intent in _THEN | self.leaves_on

    def _bad_answer(self, dispatcher: CollectingDispatcher, turn: Turn, domain: dict[str, Any]) -> Slots | None:
        """Counts an answer that is none; None when a person has been asked for."""
        count = int(turn.slots.get(BAD_ANSWERS) or 0) + 1
        asked = str(turn.requested)
        if count >= PERSON_AT:
            dispatcher.utter_message(response="utter_not_getting_on")
            hand_over(dispatcher, turn, domain, "bad_answers")
            return None
        if asked in PHONES and turn.read(ASKED_PHONE).no_phone:
            dispatcher.utter_message(response="utter_contact_not_read")
        elif count == EXPLAIN_AT:
            dispatcher.utter_message(response=f"utter_explain_{asked}")
        else:
            asks = turn.text.rstrip().endswith("?")
            dispatcher.utter_message(response="utter_not_known_here" if asks else "utter_not_an_answer")
        return {BAD_ANSWERS: count}


def _events(changes: Slots) -> Events:
    return [SlotSet(name, value) for name, value in changes.items()]


def _interrupted(tracker: Tracker) -> bool:
    """Whether the message was read already, and a rule has served it since."""
    for event in reversed(tracker.events):
        if event["event"] == "user":
            return False
        if event["event"] == "action_execution_rejected":
            return True
    return False
