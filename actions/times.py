"""Settling on a time, for a booking or for a move: a wish becomes an offer, and an offer a start."""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.services import services
from actions.turn import Events, Slots, Turn, button, word
from clinic import when_moved
from clinic.offers import SOON, Offer
from clinic.said import Said
from clinic.wish import Wish

#: keeps a start for the visitor; whether it could be had
Keep = Callable[[str, dt.datetime], bool]


class Times:
    """Reads what a message says about the time. `journey` begins the names of the slots: `booking` or `visit`."""

    def __init__(
        self,
        journey: str,
        dispatcher: CollectingDispatcher,
        turn: Turn,
        keep: Keep,
        *,
        moving: str | None = None,
        practitioner: str | None = None,
    ) -> None:
        self._journey, self._dispatcher, self._turn, self._keep = journey, dispatcher, turn, keep
        self._moving, self._practitioner = moving, practitioner

    def take(self, heard: Said, service: str | None, *, again: bool = False) -> Slots:
        """What changes; nothing when the message does not speak of the time.

        Args:
            heard: what the message says.
            service: what the time is for; None when that is not known yet.
            again: whether the time must be looked at again, because something else has changed.
        """
        turn, offered = self._turn, self._starts("starts")
        if heard.when and heard.when.no_such_day:
            self._dispatcher.utter_message(response="utter_no_such_day")
            wish = next(iter(heard.when.options), Wish())
            return self._slots(wish=wish.as_json(), start=None, offer=None, days=None)
        settled = turn.slots.get(self._slot("start"))
        if service and settled and (shifted := self.shifted(service, dt.datetime.fromisoformat(settled))):
            return shifted
        asked = turn.requested == self._slot("start")
        if turn.picked_kind == "start" and service:
            return self._start(service, dt.datetime.fromisoformat(turn.picked))
        wish = self._wish()
        if turn.picked_kind == "days":
            wish = Wish.from_json(json.loads(turn.picked)).on_top_of(wish)
        elif heard.when and (days := turn.slots.get(self._slot("days"))) and not heard.when.options[0].first:
            # A time alone does not tell which of two days was meant.
            return self._slots(days=[heard.when.options[0].on_top_of(Wish.from_json(day)).as_json() for day in days])
        elif heard.when:
            options = heard.when.after(wish, self._spoken_of())
            if len(options) > 1:
                return self._slots(days=[option.as_json() for option in options], start=None, offer=None)
            wish = options[0]
        elif asked and service and offered and (way := when_moved.toward(turn.text)):
            return self._toward(service, offered, way)
        elif asked and service and (turn.picked_kind == "other" or (turn.intent == "deny" and offered)):
            return self._offer(service, wish, self._starts("seen"))
        elif asked and service and turn.intent == "affirm" and offered:
            # A yes to several is asked once more which of them.
            return self._start(service, offered[0]) if len(offered) == 1 else self._slots(start=None)
        elif not (again and wish != Wish()):
            return {}
        kept = self._slots(wish=wish.as_json(), days=None)
        if service is None:
            return kept
        # "The ten o'clock one", "thursday then": one of those that were offered.
        picks = heard.when and (heard.when.options[0].at or heard.when.options[0].first)
        fitting = [start for start in offered if fits(start, wish)] if picks else []
        return kept | (self._start(service, fitting[0]) if len(fitting) == 1 else self._offer(service, wish, []))

    def shifted(self, service: str, start: dt.datetime) -> Slots:
        """What changes by "an hour later" than a start, or than the one settled on since; nothing when that is not said."""
        settled = self._turn.slots.get(self._slot("start"))
        wish = when_moved.shifted(self._turn.text, dt.datetime.fromisoformat(settled) if settled else start)
        return self._slots(wish=wish.as_json(), days=None) | self._offer(service, wish, []) if wish else {}

    def _toward(self, service: str, offered: list[dt.datetime], way: str) -> Slots:
        """What there is later, or earlier, than all that was offered: on that day, or else on the days after or before."""
        first, last = min(offered), max(offered)
        if first.date() == last.date():
            span = Wish(begins=last.time()) if way == "later" else Wish(ends=first.time())
            wish = dataclasses.replace(span, first=first.date(), last=first.date())
        elif way == "later":
            wish = Wish(last.date() + dt.timedelta(days=1), last.date() + SOON).on_top_of(self._wish())
        else:
            wish = Wish(services().offers.today, first.date() - dt.timedelta(days=1)).on_top_of(self._wish())
        return self._slots(wish=wish.as_json(), days=None) | self._offer(service, wish, offered)

    def start_again(self, service: str, start: dt.datetime) -> Slots:
        """Takes a start that was agreed before; what there is instead when it cannot be had any more."""
        return self._start(service, start)

    def _offer(self, service: str, wish: Wish, seen: list[dt.datetime]) -> Slots:
        """What there is for a wish: taken at once when it is just that."""
        offer = services().offers.find(service, wish, without=seen, moving=self._moving, practitioner=self._practitioner)
        if offer.exact:
            return self._start(service, offer.slots[0].starts_at)
        return self._slots(start=None, offer=_kept(offer, seen))

    def _start(self, service: str, start: dt.datetime) -> Slots:
        exact = Wish(start.date(), start.date(), at=start.time())
        if self._keep(service, start):
            return self._slots(start=start.isoformat(), offer=None, days=None, wish=exact.as_json())
        self._dispatcher.utter_message(response="utter_slot_gone", when=services().facts.moment(start))
        offer = services().offers.find(service, exact, moving=self._moving, practitioner=self._practitioner)
        return self._slots(start=None, offer=_kept(offer, []) | {"reason": None})

    def _slot(self, name: str) -> str:
        return f"{self._journey}_{name}"

    def _slots(self, **values: Any) -> Slots:
        return {self._slot(name): value for name, value in values.items()}

    def _wish(self) -> Wish:
        return Wish.from_json(self._turn.slots.get(self._slot("wish")) or {})

    def _spoken_of(self) -> list[dt.date]:
        """The days that were offered, or asked about."""
        asked = [Wish.from_json(day).first for day in self._turn.slots.get(self._slot("days")) or []]
        return [*(start.date() for start in self._starts("starts")), *(day for day in asked if day)]

    def _starts(self, which: str) -> list[dt.datetime]:
        offer = self._turn.slots.get(self._slot("offer")) or {}
        return [dt.datetime.fromisoformat(start) for start in offer.get(which, [])]


def ask(dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any], journey: str) -> Events:
    """Asks which of two days, or which of the slots that are offered, or when at all."""
    facts, slots = services().facts, tracker.slots
    if days := slots.get(f"{journey}_days"):
        wishes = [(each, Wish.from_json(each)) for each in days]
        buttons = [
            button(facts.days(wish.first, wish.last), "days", json.dumps(each))
            for each, wish in wishes
            if wish.first and wish.last
        ]
        dispatcher.utter_message(response="utter_which_day", buttons=buttons)
        return []
    offer = slots.get(f"{journey}_offer")
    if not offer:
        dispatcher.utter_message(response="utter_when", buttons=[_day(day) for day in _free_days(slots, journey)])
        return []
    starts = [dt.datetime.fromisoformat(start) for start in offer["starts"]]
    if not starts:
        dispatcher.utter_message(response="utter_no_slots")
        return []
    if reason := offer["reason"]:
        wish = Wish.from_json(slots.get(f"{journey}_wish") or {})
        closed_for = services().practice.closed_because(wish.first) if reason == "closed" and wish.first else None
        who = slots.get(f"{journey}_with")
        if who and reason == "full":
            dispatcher.utter_message(response="utter_slot_full_with", practitioner=services().practice.called(who))
        else:
            said = f"utter_slot_{reason}_for" if closed_for else f"utter_slot_{reason}"
            dispatcher.utter_message(response=said, closed_for=closed_for)
    buttons = [button(facts.moment(start, short=True), "start", start.isoformat()) for start in starts]
    dispatcher.utter_message(response="utter_offer", buttons=[*buttons, button(word(domain, "utter_offer", "other"), "other")])
    # Why it is not what was asked for is said once.
    return [SlotSet(f"{journey}_offer", offer | {"reason": None})]


def _free_days(slots: Slots, journey: str) -> list[dt.date]:
    here, service, moving = services(), slots.get("booking_service"), None
    if journey == "visit":
        visit = here.booking.get(slots["visit_id"])
        service, moving = visit.service, visit.id
    return here.offers.days(service, moving=moving) if service else []


def _day(day: dt.date) -> dict[str, str]:
    return button(services().facts.days(day, day), "days", json.dumps(Wish(day, day).as_json()))


def fits(start: dt.datetime, wish: Wish) -> bool:
    """Whether a start is one that was wished for."""
    return (
        (not wish.first or not wish.last or wish.first <= start.date() <= wish.last)
        and (not wish.weekdays or start.weekday() in wish.weekdays)
        and (not wish.at or start.time() == wish.at)
        and (not wish.begins or start.time() >= wish.begins)
        and (not wish.ends or start.time() < wish.ends)
    )


def _kept(offer: Offer, seen: list[dt.datetime]) -> dict[str, Any]:
    """An offer as a slot keeps it."""
    starts = [slot.starts_at for slot in offer.slots]
    return {
        "starts": [start.isoformat() for start in starts],
        "reason": offer.reason,
        "seen": [start.isoformat() for start in [*seen, *starts]],
    }
