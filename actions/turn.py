"""A turn as actions see it: what the visitor wrote, what it seems to be, and what was going on."""

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import services
from clinic import said
from clinic.said import Said

Events = list[dict[str, Any]]
Slots = dict[str, Any]

#: the slot with what a clinician must decide before any visit
CONCERN = "clinician_concern"
#: the intent of a button of a form
PICK = "pick"
_ASKS = re.compile(
    r"^(?:(?:and|but|also|ok|so|wait|hi|hello|just)\b[ ,]*)*"
    r"(?:what|how|when|where|who|which|why|is|are|do|does|did|can|could|should|will|would|may)\b",
    re.IGNORECASE,
)

_ASKS_ABOUT = re.compile(
    r"^(?:(?:and|but|so|ok|hi|hello|wait)\b[ ,]*)*(?!(?:what|how) about\b)(?:what|whats|how|why|which|who|is|are|does|did)\b",
    re.IGNORECASE,
)


class Turn:
    """The visitor's last message and what is known of it."""

    def __init__(self, tracker: Tracker) -> None:
        message = tracker.latest_message
        self.tracker, self.slots = tracker, tracker.slots
        self.conversation: str = tracker.sender_id
        self.intent: str = message["intent"]["name"]
        #: the questions beside the answer to a form's own, as {"label", "text"}
        self.asked: list[dict[str, str]] = message.get("asked") or []
        last = next(event for event in reversed(tracker.events) if event["event"] == "user")
        # As it was written; what the understanding makes of it is in small letters.
        self.text: str = last.get("text") or ""
        self.channel: str = last.get("input_channel") or "web"
        #: the number that a text message came from
        self.sender: str | None = (last.get("metadata") or {}).get("phone")
        self.requested: str | None = tracker.slots.get("requested_slot") if tracker.active_loop else None
        #: what a chosen button stands for
        self.picked_kind, _, self.picked = str(message.get("picked") or "").partition("=")

    @property
    def questions(self) -> list[str]:
        """The parts of the message that ask something, and not only name what could be asked about."""
        parts = [question["text"] for question in self.asked if question["text"]]
        return [part for part in parts if _ASKS.match(part) or _asked_in(self.text, part)]

    @property
    def asks(self) -> bool:
        """Whether the message as a whole is a question about something, and not one for a time: "do you have friday?"."""
        return self.text.rstrip().endswith("?") and bool(_ASKS_ABOUT.match(self.text))

    def was_told(self, response: str) -> bool:
        """Whether a response was said in this conversation of late."""
        said = (event.get("metadata") or {} for event in self.tracker.events if event["event"] == "bot")
        return any(metadata.get("utter_action") == response for metadata in said)

    def read(self, asked: str | None, text: str | None = None) -> Said:
        """What the message, or a part of it, says about a visit; what belongs to a question of its own counts for nothing."""
        here = services()
        if self.picked_kind:
            return Said()
        rest = self.text if text is None else text
        for question in self.questions:
            rest = _without(rest, question)
        found = said.read(rest, here.practice, here.offers.today, asked)
        if rest.strip(" .,!?\n") or not self.questions:
            return found
        whole = said.read(self.text, here.practice, here.offers.today)
        sure = whole.name if whole.sure_name else None
        return Said(name=sure, sure_name=whole.sure_name, phone=whole.phone, email=whole.email, reference=whole.reference)


def word(domain: dict[str, Any], response: str, key: str) -> Any:
    """A word that stands in the metadata of a response."""
    return domain["responses"][response][0]["metadata"][key]


def yes_or_no(domain: dict[str, Any], response: str) -> list[dict[str, str]]:
    """The two buttons below what is read back."""
    return [button(word(domain, response, "yes_button"), "yes"), button(word(domain, response, "no_button"), "no")]


def forgotten(names: tuple[str, ...]) -> Events:
    """Events that empty slots."""
    return [SlotSet(name, None) for name in names]


def button(title: str, kind: str, value: str = "") -> dict[str, str]:
    """A button that says what was chosen."""
    return {"title": title, "payload": f"{PICK}:{kind}={value}"}


def hand_over(dispatcher: CollectingDispatcher, turn: Turn, domain: dict[str, Any], reason: str) -> None:
    """Asks for a person, and tells the visitor when one will be there.

    `reason` is one of the keys in `clinic/wording.yml`. Who waits already is not asked again how they can be reached.
    """
    here, slots = services(), turn.slots
    asked_before = here.handoffs.of(turn.conversation) is not None
    contact = contact_in(turn, turn.read(None), domain)
    contact["name"] = contact["name"] or slots.get("booking_name")
    contact["phone"] = contact["phone"] or turn.sender or slots.get("booking_phone") or slots.get("visit_phone")
    contact["email"] = contact["email"] or slots.get("booking_email")
    request = here.handoffs.open(turn.conversation, channel=turn.channel, reason=reason, **contact)
    there = here.handoffs.attendance()
    opens = there.opens_at
    if there.open_now:
        dispatcher.utter_message(response="utter_talk_to_human")
    elif opens is None:
        dispatcher.utter_message(response="utter_talk_to_human_some_time")
    elif opens.date() == here.offers.today:
        dispatcher.utter_message(response="utter_talk_to_human_today", opens=here.facts.time(opens))
    else:
        said = "utter_talk_to_human_holiday" if there.closed_for else "utter_talk_to_human_later"
        dispatcher.utter_message(response=said, opens=here.facts.moment(opens), closed_for=there.closed_for)
    if not (asked_before or request.phone or request.email):
        dispatcher.utter_message(response="utter_ask_contact")


def contact_in(turn: Turn, heard: Said, domain: dict[str, Any]) -> dict[str, Any]:
    """How the visitor says they can be reached, as a request for a person keeps it.

    Who texts is written to at the number that the texts come from; another one to call is a note to staff.
    """
    elsewhere = heard.phone if turn.sender and heard.phone != turn.sender else None
    note = word(domain, "utter_contact_passed_on", "note").format(phone=elsewhere) if elsewhere else ""
    phone = None if elsewhere else heard.phone
    return {"name": heard.name, "phone": phone, "email": heard.email, "summary": note}


def _asked_in(text: str, part: str) -> bool:
    """Whether a question mark ends a part of a text."""
    found = text.lower().find(part.strip(" ?!."))
    return text[found + len(part.strip(" ?!.")) :].lstrip(" .!").startswith("?") if found >= 0 else "?" in text


def _without(text: str, part: str) -> str:
    """A text without a part, which may stand in it in other letters or other words for the same."""
    bare = part.strip(" ?!.")
    found = text.lower().find(bare)
    if found >= 0:
        return text[:found] + "\n" + text[found + len(bare) :]
    return "" if len(part) >= 0.8 * len(text) else text
