"""All services of the clinic, put together once."""

import dataclasses
from collections.abc import Collection
from typing import Self

from sqlalchemy import Engine

from clinic import clock as clocks
from clinic import wording as words
from clinic.booking import Booking
from clinic.calendar_ics import CalendarFiles, Feeds
from clinic.clock import Clock
from clinic.consent import Consents
from clinic.facts import ClinicFacts
from clinic.handoff import Handoffs
from clinic.letters import Letters
from clinic.lookup import Lookup
from clinic.notices import Notices
from clinic.offers import Offers
from clinic.outbox import Outbox
from clinic.practice import Practice
from clinic.privacy import Privacy
from clinic.reminders import Reminders
from clinic.slots import Slots
from clinic.wording import Wording


@dataclasses.dataclass(frozen=True)
class Services:
    """What the conversation's side and the command line call."""

    practice: Practice
    clock: Clock
    facts: ClinicFacts
    slots: Slots
    offers: Offers
    booking: Booking
    lookup: Lookup
    handoffs: Handoffs
    consents: Consents
    privacy: Privacy
    outbox: Outbox
    letters: Letters
    reminders: Reminders
    files: CalendarFiles
    feeds: Feeds

    @classmethod
    def build(
        cls,
        engine: Engine,
        practice: Practice,
        *,
        channels: Collection[str] = (),
        clock: Clock = clocks.now,
        wording: Wording | None = None,
    ) -> Self:
        """Puts the services together; `channels` are those of `email`, `webhook`, `text`, `calendar` with a sender."""
        wording = wording or words.load()
        outbox = Outbox(engine, clock, channels)
        notices = Notices(outbox, clock)
        reminders = Reminders(engine, practice, clock, outbox)
        slots = Slots(engine, practice, clock)
        booking = Booking(engine, practice, clock, (notices.visit_changed, reminders.visit_changed), slots.timetable)
        files = CalendarFiles(practice, wording, clock)
        return cls(
            practice=practice,
            clock=clock,
            facts=ClinicFacts(practice),
            slots=slots,
            offers=Offers(slots, practice, clock),
            booking=booking,
            lookup=Lookup(engine, practice, clock),
            handoffs=Handoffs(engine, practice, clock, (notices.handoff_changed,)),
            consents=Consents(engine, clock),
            privacy=Privacy(engine, booking, clock),
            outbox=outbox,
            letters=Letters(engine, practice, wording, clock),
            reminders=reminders,
            files=files,
            feeds=Feeds(engine, practice, files, clock),
        )
