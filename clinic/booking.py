"""Holding, booking, moving and cancelling visits: a slot is never given twice, and what was confirmed is never lost."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from clinic import database
from clinic.claims import Claims, drop_expired
from clinic.clock import Clock
from clinic.errors import AlreadyRenewed, HoldExpired, NotAllowed, NotFound, Stale, TooManyHolds, UnknownService
from clinic.models import Appointment
from clinic.once import Once
from clinic.practice import Practice, Service
from clinic.timetable import Timetable, extent, moment_of
from clinic.visits import AHEAD, Actor, Change, Visit, Visitor, Visits, new_reference, tidy_reference

#: told of each change in the transaction that makes it: the visit as it is now, and what happened
Listener = Callable[[Connection, Visit, Change, Actor], None]
Outcome = Literal["checked-in", "arrived", "fulfilled", "noshow"]

# How the clinic's day may go on from each state.
_NEXT: dict[str, tuple[str, ...]] = {
    "booked": ("checked-in", "arrived", "fulfilled", "noshow"),
    "checked-in": ("arrived", "fulfilled", "noshow"),
    "arrived": ("fulfilled", "noshow"),
}


class Booking:
    """Books visits.

    Each method is one transaction. `key` names the visitor's action: the same key asked for again returns what the
    action came to the first time (KeyReused when it was another action). `holder` is the conversation.
    """

    def __init__(
        self,
        engine: Engine,
        practice: Practice,
        clock: Clock,
        listeners: Sequence[Listener] = (),
        timetable: Timetable | None = None,
    ) -> None:
        self._engine = engine
        self._practice = practice
        self._clock = clock
        self._listeners = listeners
        self._visits = Visits(practice)
        self._claims = Claims(timetable or Timetable(practice))
        self._once = Once(engine, self._visits, clock)

    def hold(
        self,
        service: str,
        starts_at: dt.datetime,
        *,
        holder: str,
        channel: str,
        practitioner: str | None = None,
        instead_of: str | None = None,
        key: str | None = None,
    ) -> Visit:
        """Keeps a slot for a few minutes; `instead_of` is a hold of the same holder's that is given up for it.

        Raises:
            UnknownService, UnknownResource: the practice has none such.
            SlotUnavailable: the clinic does not offer this start.
            SlotTaken: nobody who could is free.
            TooManyHolds: the holder keeps as many slots as one may.
        """
        known = self._service(service)

        def work(connection: Connection) -> Visit:
            now = self._clock()
            if connection.dialect.name == "postgresql":
                # Two holds of one holder must not be counted at the same time; SQLite has one writer anyway.
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(holder))))
            if instead_of is not None:
                self._let_go(connection, instead_of, holder)
            drop_expired(connection, now, Appointment.holder == holder)
            held = select(func.count()).where(Appointment.holder == holder, Appointment.status == "proposed")
            if connection.execute(held).scalar_one() >= self._practice.booking.max_holds:
                raise TooManyHolds
            visit_id = uuid.uuid4().hex

            def write(who: str, room: str | None, first: int, end: int) -> None:
                connection.execute(
                    insert(Appointment).values(
                        id=visit_id,
                        reference=new_reference(),
                        service=service,
                        status="proposed",
                        version=1,
                        holder=holder,
                        channel=channel,
                        hold_expires_at=now + self._hold_time,
                        created_at=now,
                        **self._place(known, starts_at, who, room, first, end),
                    )
                )

            self._claims.take(connection, visit_id, known, starts_at, now, practitioner, write)
            return self._made(connection, visit_id, "held", "visitor")

        return self._once.do(key, ("hold", service, starts_at.astimezone(dt.UTC), practitioner), work)

    def renew(self, hold_id: str, *, holder: str, key: str | None = None) -> Visit:
        """Keeps a held slot for as long again, from now; once.

        Raises:
            HoldExpired: the hold is over.
            AlreadyRenewed: it was renewed before.
        """

        def work(connection: Connection) -> Visit:
            hold = self._live_hold(connection, hold_id, holder)
            if hold.renewed:
                raise AlreadyRenewed
            return self._change(
                connection, hold, "renewed", "visitor", renewed=True, hold_expires_at=self._clock() + self._hold_time
            )

        return self._once.do(key, ("renew", hold_id), work)

    def release(self, hold_id: str, *, holder: str) -> None:
        """Gives up a hold. Does nothing when it is over already, or has become a visit."""
        database.write(self._engine, lambda connection: self._let_go(connection, hold_id, holder))

    def release_all(self, *, holder: str) -> None:
        """Gives up all holds of a holder's."""
        mine = delete(Appointment).where(Appointment.holder == holder, Appointment.status == "proposed")
        database.write(self._engine, lambda connection: connection.execute(mine))

    def confirm(
        self, hold_id: str, visitor: Visitor, *, holder: str, pending_reason: str | None = None, key: str | None = None
    ) -> Visit:
        """Makes a hold a visit: booked or, with the key of a matter that a clinician decides, pending.

        Raises:
            HoldExpired: the hold is over.
        """

        def work(connection: Connection) -> Visit:
            hold = self._live_hold(connection, hold_id, holder)
            return self._change(
                connection,
                hold,
                "pending" if pending_reason else "booked",
                "visitor",
                status="pending" if pending_reason else "booked",
                hold_expires_at=None,
                name=visitor.name.strip()[:200],
                phone=visitor.phone,
                email=visitor.email,
                pending_reason=pending_reason,
            )

        return self._once.do(key, ("confirm", hold_id, pending_reason), work)

    def reschedule(
        self,
        visit_id: str,
        starts_at: dt.datetime,
        *,
        version: int,
        practitioner: str | None = None,
        actor: Actor = "visitor",
        key: str | None = None,
    ) -> Visit:
        """Moves a visit: the new slot is claimed and the old one freed together, or nothing changes.

        Raises:
            NotFound: there is no such visit.
            Stale: it has changed since that version.
            NotAllowed: it is over or cancelled.
            UnknownService, UnknownResource, SlotUnavailable, SlotTaken: as for a hold.
        """

        def work(connection: Connection) -> Visit:
            now = self._clock()
            visit = self._current(connection, visit_id, version)
            self._must_be_ahead(visit, now)
            known = self._service(visit.service)

            def write(who: str, room: str | None, first: int, end: int) -> None:
                self._update(connection, visit, **self._place(known, starts_at, who, room, first, end))

            self._claims.take(connection, visit_id, known, starts_at, now, practitioner, write)
            return self._made(connection, visit_id, "moved", actor)

        request = ("reschedule", visit_id, starts_at.astimezone(dt.UTC), practitioner)
        return self._once.do(key, request, work)

    def cancel(self, visit_id: str, *, version: int, actor: Actor = "visitor", key: str | None = None) -> Visit:
        """Cancels a visit: its time is free again, its row and history stay.

        Raises:
            NotFound: there is no such visit.
            Stale: it has changed since that version.
            NotAllowed: it is over or cancelled.
        """

        def work(connection: Connection) -> Visit:
            visit = self._current(connection, visit_id, version)
            self._must_be_ahead(visit, self._clock())
            self._claims.free(connection, visit_id)
            return self._change(connection, visit, "cancelled", actor, status="cancelled")

        return self._once.do(key, ("cancel", visit_id), work)

    def approve(self, visit_id: str, *, version: int) -> Visit:
        """Books a pending visit, which a clinician has allowed.

        Raises:
            NotFound, Stale: there is no such visit, or it has changed since that version.
            NotAllowed: it is not pending.
        """

        def work(connection: Connection) -> Visit:
            visit = self._current(connection, visit_id, version)
            if visit.status != "pending":
                raise NotAllowed(visit.status)
            return self._change(connection, visit, "approved", "staff", status="booked")

        return database.write(self._engine, work)

    def doubt(self, visit_id: str, reason: str) -> Visit:
        """Makes a booked visit pending, with the key of a matter that a clinician decides and has not decided yet.

        Any other visit stays as it is.

        Raises:
            NotFound: there is no such visit.
        """

        def work(connection: Connection) -> Visit:
            visit = self._visits.get(connection, visit_id, lock=True)
            if visit.status == "pending" or not visit.waits_for_clinician(reason) or visit.starts_at <= self._clock():
                return visit
            return self._change(connection, visit, "pending", "visitor", status="pending", pending_reason=reason)

        return database.write(self._engine, work)

    def acknowledge(self, visit_id: str, *, version: int, key: str | None = None) -> Visit:
        """Notes that the visitor has answered a reminder: they will come.

        Raises:
            NotFound, Stale: there is no such visit, or it has changed since that version.
            NotAllowed: it is over or cancelled.
        """

        def work(connection: Connection) -> Visit:
            visit = self._current(connection, visit_id, version)
            self._must_be_ahead(visit, self._clock())
            return self._change(connection, visit, "acknowledged", "visitor")

        return self._once.do(key, ("acknowledge", visit_id), work)

    def record(self, visit_id: str, outcome: Outcome, *, version: int) -> Visit:
        """Notes how a visit went on.

        Raises:
            NotFound, Stale: there is no such visit, or it has changed since that version.
            NotAllowed: its state does not lead there.
        """

        def work(connection: Connection) -> Visit:
            visit = self._current(connection, visit_id, version)
            if outcome not in _NEXT.get(visit.status, ()):
                raise NotAllowed(visit.status)
            return self._change(connection, visit, "recorded", "staff", status=outcome)

        return database.write(self._engine, work)

    def get(self, visit_id: str) -> Visit:
        """The visit of an id.

        Raises:
            NotFound: there is none.
        """
        return database.read(self._engine, lambda connection: self._visits.get(connection, visit_id))

    def named(self, reference: str) -> Visit:
        """The visit of a reference, as people write it.

        Raises:
            NotFound: there is none.
        """
        mine = (Appointment.reference == tidy_reference(reference), Appointment.status != "proposed")
        found = database.read(self._engine, lambda connection: self._visits.where(connection, *mine))
        if not found:
            raise NotFound(reference)
        return found[0]

    def history(self, visit_id: str) -> list[dict[str, Any]]:
        """What has happened to a visit, in order: version, at, change, actor, status, practitioner and starts_at."""
        return database.read(self._engine, lambda connection: self._visits.history(connection, visit_id))

    def upcoming(self, phone: str) -> list[Visit]:
        """The visits ahead of a phone number in E.164 form, by start; for channels that prove the number."""
        ahead = (Appointment.phone == phone, Appointment.status.in_(AHEAD), Appointment.starts_at > self._clock())
        return database.read(self._engine, lambda connection: self._visits.where(connection, *ahead))

    def holds(self, holder: str) -> list[Visit]:
        """The slots that a holder keeps at the moment, by start."""
        mine = (Appointment.holder == holder, Appointment.hold_expires_at > self._clock())
        return database.read(self._engine, lambda connection: self._visits.where(connection, *mine))

    def agenda(self, first: dt.datetime, last: dt.datetime) -> list[Visit]:
        """The visits, pending ones included, that start from one aware moment up to, and without, another."""
        when = (Appointment.starts_at >= first, Appointment.starts_at < last)
        taken = Appointment.status.not_in(("proposed", "cancelled", "entered-in-error"))
        return database.read(self._engine, lambda connection: self._visits.where(connection, taken, *when))

    def sweep(self) -> int:
        """Deletes the holds that have run out; returns how many."""
        return database.write(self._engine, lambda connection: drop_expired(connection, self._clock()))

    @property
    def _hold_time(self) -> dt.timedelta:
        return dt.timedelta(minutes=self._practice.booking.hold_minutes)

    def _service(self, service: str) -> Service:
        known = self._practice.service(service)
        if known is None or not self._practice.practitioners(service):
            raise UnknownService(service)
        return known

    def _place(
        self, service: Service, starts_at: dt.datetime, practitioner: str, room: str | None, first: int, end: int
    ) -> dict[str, Any]:
        local = starts_at.astimezone(self._practice.zone)
        return {
            "practitioner": practitioner,
            "room": room,
            "starts_at": local,
            "ends_at": moment_of(end - extent(service).after),
            "promised": f"{local:%Y-%m-%d %H:%M} {self._practice.time_zone}",
            "first_tick": first,
            "end_tick": end,
        }

    def _live_hold(self, connection: Connection, hold_id: str, holder: str) -> Visit:
        try:
            hold = self._visits.get(connection, hold_id, lock=True)
        except NotFound as error:
            raise HoldExpired from error
        over = hold.hold_expires_at is None or hold.hold_expires_at <= self._clock()
        if over or hold.holder != holder:
            raise HoldExpired
        return hold

    def _current(self, connection: Connection, visit_id: str, version: int) -> Visit:
        visit = self._visits.get(connection, visit_id, lock=True)
        if visit.version != version:
            raise Stale
        return visit

    def _must_be_ahead(self, visit: Visit, now: dt.datetime) -> None:
        if visit.status not in AHEAD or visit.starts_at <= now:
            raise NotAllowed(visit.status)

    def _let_go(self, connection: Connection, hold_id: str, holder: str) -> None:
        mine = (Appointment.id == hold_id, Appointment.holder == holder, Appointment.status == "proposed")
        connection.execute(delete(Appointment).where(*mine))

    def _change(self, connection: Connection, visit: Visit, change: Change, actor: Actor, **values: Any) -> Visit:
        self._update(connection, visit, **values)
        return self._made(connection, visit.id, change, actor)

    def _update(self, connection: Connection, visit: Visit, **values: Any) -> None:
        connection.execute(update(Appointment).where(Appointment.id == visit.id).values(version=visit.version + 1, **values))

    def _made(self, connection: Connection, visit_id: str, change: Change, actor: Actor) -> Visit:
        visit = self._visits.get(connection, visit_id)
        self._visits.record(connection, visit, change, actor, self._clock())
        for listener in self._listeners:
            listener(connection, visit, change, actor)
        return visit
