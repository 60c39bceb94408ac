"""Whatever the order of what visitors and staff do: no overlap, no lost hold or visit, no orphan claim."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, delete, select

from clinic import database, errors
from clinic.booking import Booking
from clinic.models import Appointment, Base, Claim
from clinic.practice import Practice
from clinic.slots import FREED, Slots
from clinic.visits import Visit, Visitor

DAY = dt.date(2026, 3, 3)
HOLDERS = st.sampled_from(["ana", "ben", "cleo"])
SERVICES = st.sampled_from(["face", "consultation"])
PLACES = st.integers(0, 40)
REFUSALS = (errors.SlotTaken, errors.SlotUnavailable, errors.TooManyHolds, errors.Stale, errors.NotAllowed)


class BookingMachine(RuleBasedStateMachine):
    """Acts on the booking service and keeps its own account of what must be there."""

    engine: Engine
    practice: Practice
    start: dt.datetime

    def __init__(self) -> None:
        super().__init__()
        self.now = self.start
        self.holds: dict[str, Visit] = {}
        self.visits: dict[str, Visit] = {}
        self.keys: dict[str, tuple[str, dt.datetime, Visit]] = {}

    @initialize()
    def begin(self) -> None:
        with self.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(delete(table))
        self.booking = Booking(self.engine, self.practice, lambda: self.now)
        self.slots = Slots(self.engine, self.practice, lambda: self.now)

    def start_at(self, place: int) -> dt.datetime:
        return dt.datetime.combine(DAY, dt.time(9), self.practice.zone) + dt.timedelta(minutes=15 * place)

    @rule(service=SERVICES, place=PLACES, holder=HOLDERS, key=st.none() | st.sampled_from(["k1", "k2"]))
    def hold(self, service: str, place: int, holder: str, key: str | None) -> None:
        wanted = self.start_at(place)
        offered = {slot.starts_at for slot in self.slots.search(service, DAY, DAY)}
        name = f"{holder}/{key}" if key else None
        try:
            held = self.booking.hold(service, wanted, holder=holder, channel="web", key=name)
        except errors.KeyReused:
            assert name in self.keys
            assert self.keys[name][:2] != (service, wanted)
            return
        except errors.TooManyHolds:
            assert sum(hold.holder == holder for hold in self.live()) >= self.practice.booking.max_holds
            return
        except REFUSALS:
            assert wanted not in offered
            return
        if name in self.keys:
            assert held.id == self.keys[name][2].id
            return
        assert wanted in offered
        self.holds[held.id] = held
        if name:
            self.keys[name] = (service, wanted, held)

    @rule(data=st.data())
    def confirm(self, data: Any) -> None:
        if not self.holds:
            return
        hold = data.draw(st.sampled_from(list(self.holds.values())))
        visitor = Visitor("Someone", "+12125550199")
        try:
            visit = self.booking.confirm(hold.id, visitor, holder=hold.holder)
        except errors.HoldExpired:
            assert hold not in self.live()
            del self.holds[hold.id]
            return
        assert hold in self.live()
        del self.holds[hold.id]
        self.visits[visit.id] = visit

    @rule(data=st.data())
    def renew(self, data: Any) -> None:
        live = list(self.live())
        if not live:
            return
        hold = data.draw(st.sampled_from(live))
        try:
            self.holds[hold.id] = self.booking.renew(hold.id, holder=hold.holder)
        except errors.AlreadyRenewed:
            assert hold.renewed

    @rule(data=st.data())
    def release(self, data: Any) -> None:
        if self.holds:
            hold = self.holds.pop(data.draw(st.sampled_from(list(self.holds))))
            self.booking.release(hold.id, holder=hold.holder)

    @rule(data=st.data(), service=SERVICES, place=PLACES)
    def hold_instead(self, data: Any, service: str, place: int) -> None:
        live = list(self.live())
        if not live:
            return
        old = data.draw(st.sampled_from(live))
        try:
            held = self.booking.hold(service, self.start_at(place), holder=old.holder, channel="web", instead_of=old.id)
        except REFUSALS:
            # What was held stays, as `every_promise_is_kept` sees.
            return
        del self.holds[old.id]
        self.holds[held.id] = held

    @rule(data=st.data(), reason=st.sampled_from(["pregnancy", "medicine"]))
    def doubt(self, data: Any, reason: str) -> None:
        if not self.visits:
            return
        visit = self.visits[data.draw(st.sampled_from(list(self.visits)))]
        after = self.booking.doubt(visit.id, reason)
        assert (after == visit) == (visit.status != "booked" or visit.pending_reason == reason)
        assert after.status == visit.status or after.status == "pending"
        self.visits[visit.id] = after

    @rule(data=st.data())
    def approve(self, data: Any) -> None:
        waiting = [visit.id for visit in self.visits.values() if visit.status == "pending"]
        if waiting:
            visit = self.visits[data.draw(st.sampled_from(waiting))]
            self.visits[visit.id] = self.booking.approve(visit.id, version=visit.version)

    @rule(data=st.data(), place=PLACES, stale=st.booleans())
    def move(self, data: Any, place: int, stale: bool) -> None:
        if not self.visits:
            return
        visit = self.visits[data.draw(st.sampled_from(list(self.visits)))]
        version = visit.version - stale
        try:
            moved = self.booking.reschedule(visit.id, self.start_at(place), version=version)
        except REFUSALS:
            return
        assert not stale
        assert visit.status != "cancelled"
        self.visits[visit.id] = moved

    @rule(data=st.data(), stale=st.booleans())
    def cancel(self, data: Any, stale: bool) -> None:
        if not self.visits:
            return
        visit = self.visits[data.draw(st.sampled_from(list(self.visits)))]
        try:
            self.visits[visit.id] = self.booking.cancel(visit.id, version=visit.version - stale)
        except (errors.Stale, errors.NotAllowed):
            assert stale or visit.status == "cancelled"

    @rule(minutes=st.integers(1, 4))
    def wait(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        self.booking.sweep()

    def live(self) -> list[Visit]:
        return [hold for hold in self.holds.values() if hold.hold_expires_at and hold.hold_expires_at > self.now]

    @invariant()
    def nothing_overlaps_and_no_claim_is_an_orphan(self) -> None:
        with self.engine.connect() as connection:
            rows = connection.execute(select(Appointment.__table__).where(Appointment.status.not_in(FREED))).all()
            claims = {(row.resource, row.tick, row.appointment_id) for row in connection.execute(select(Claim.__table__))}
        expected = [
            (resource, tick, row.id)
            for row in rows
            for resource in (row.practitioner, row.room)
            if resource
            for tick in range(row.first_tick, row.end_tick)
        ]
        assert claims == set(expected)
        assert len({claim[:2] for claim in expected}) == len(expected)

    @invariant()
    def every_promise_is_kept(self) -> None:
        for hold in self.live():
            assert self.booking.get(hold.id) == hold
        for visit in self.visits.values():
            assert self.booking.get(visit.id) == visit
            assert len(self.booking.history(visit.id)) == visit.version


def test_any_order_of_actions(engine: Engine, practice: Practice, clock: Any, tmp_path: Path) -> None:
    class Here(BookingMachine):
        pass

    Here.engine, Here.practice, Here.start = engine, practice, clock()
    default = settings.get_current_profile_name() == "default"
    run_state_machine_as_test(
        Here,
        settings=settings(
            settings(),
            max_examples=12 if default else settings().max_examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_transaction_is_tried_again_only_when_it_gave_way(engine: Engine) -> None:
    tries = []

    def work(connection: Any) -> int:
        tries.append(1)
        if len(tries) < 3:
            raise database.OperationalError("", {}, Exception("database is locked"))
        return len(tries)

    assert database.write(engine, work) == 3
    tries.clear()

    def broken(connection: Any) -> int:
        tries.append(1)
        raise database.OperationalError("", {}, Exception("no such table"))

    with pytest.raises(database.OperationalError):
        database.write(engine, broken)
    assert len(tries) == 1
