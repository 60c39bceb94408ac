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

#: the intent of a button of a form
PICK = "pick"
_ASKS = re.compile(
    r"^(?:(?:and|but|also|ok|so|wait|hi|hello|just)\b[ ,]*)*"
    r"(?:what|how|when|where|who|which|why|is|are|do|does|did|can|could|should|will|would|may)\b",
    re.IGNORECASE,
)
SUMMARY = 8


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

    def summary(self) -> str:
        """The last things that were said, for the person who takes over."""
        events = [event for event in self.tracker.events if event["event"] in ("user", "bot") and event.get("text")]
        return "\n".join(f"{event['event']}: {event['text']}" for event in events[-SUMMARY:])


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


def hand_over(dispatcher: CollectingDispatcher, turn: Turn, reason: str) -> None:
    """Asks for a person, and tells the visitor when one will be there."""
    here = services()
    contact = turn.read(None)
    here.handoffs.open(
        turn.conversation,
        channel=turn.channel,
        reason=reason[:200],
        name=contact.name or turn.slots.get("booking_name"),
        phone=contact.phone or turn.slots.get("booking_phone") or turn.slots.get("visit_phone") or turn.sender,
        email=contact.email or turn.slots.get("booking_email"),
        summary=turn.summary(),
    )
    attendance = here.handoffs.attendance()
    if attendance.open_now:
        dispatcher.utter_message(response="utter_talk_to_human")
    else:
        opens = here.facts.moment(attendance.opens_at) if attendance.opens_at else ""
        dispatcher.utter_message(response="utter_talk_to_human_later" if opens else "utter_talk_to_human_some_time", opens=opens)


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
