"""Who is told when something happens: rows for the outbox, in the transaction in which it happens."""

import datetime as dt

from sqlalchemy import Connection

from clinic.clock import Clock
from clinic.handoff import REPLY, HandoffChange, Request
from clinic.outbox import Outbox
from clinic.visits import Actor, Change, Visit

#: changes of a visit that people are told of
ANNOUNCED: tuple[Change, ...] = ("booked", "pending", "approved", "moved", "cancelled")
#: how long an urgent request may wait for someone before the clinic is told again
UNCLAIMED_AFTER = dt.timedelta(minutes=10)


class Notices:
    """Listens to bookings and handoffs."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    def visit_changed(self, connection: Connection, visit: Visit, change: Change, actor: Actor) -> None:
        """Tells staff, their systems and calendars, and the visitor of a change."""
        if change not in ANNOUNCED:
            return
        what = f"visit_{change}"
        add = self._outbox.add
        add(connection, "email", f"staff.{what}", visit.id, visit.version)
        add(connection, "webhook", f"staff.{what}", visit.id, visit.version)
        add(connection, "calendar", "staff.calendar", visit.id, visit.version)
        if visit.email:
            add(connection, "email", f"visitor.{what}", visit.id, visit.version)
        # Who books by text reads the outcome in the reply; what staff do has no reply.
        if visit.phone and (visit.channel != "sms" or actor == "staff"):
            add(connection, "text", f"visitor.{what}", visit.id, visit.version)

    def handoff_changed(self, connection: Connection, request: Request, change: HandoffChange, number: int) -> None:
        """Tells staff of a request and what the visitor writes, and the visitor of their replies."""
        add = self._outbox.add
        add(connection, "webhook", f"staff.handoff_{change}", request.id, number)
        if change in ("opened", "raised"):
            add(connection, "email", "staff.handoff_opened", request.id, number)
            if request.urgency != "routine":
                later = self._clock() + UNCLAIMED_AFTER
                add(connection, "email", "staff.handoff_unclaimed", request.id, number, later)
                add(connection, "webhook", "staff.handoff_unclaimed", request.id, number, later)
        elif change == "visitor_wrote":
            add(connection, "email", "staff.handoff_visitor_wrote", request.id, number)
        elif change == "staff_replied" and request.channel == "sms":
            add(connection, "text", REPLY, request.id, number)
