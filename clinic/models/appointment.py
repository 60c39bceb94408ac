"""Visits to the clinic, what they occupy, and what has happened to them."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class Appointment(Base):
    """A visit, from the hold on. The states are those of FHIR's Appointment; a hold is `proposed`."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("first_tick < end_tick", name="ticks_in_order"),
        CheckConstraint("(status = 'proposed') = (hold_expires_at IS NOT NULL)", name="only_holds_expire"),
        # A search for slots reads what is ahead, a sweep reads holds that have run out.
        Index("ix_appointment_end_tick", "end_tick"),
        Index("ix_appointment_hold_expires_at", "hold_expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: what a visitor quotes
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    service: Mapped[str] = mapped_column(String(64))
    practitioner: Mapped[str] = mapped_column(String(64))
    room: Mapped[str | None] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(Instant)
    ends_at: Mapped[dt.datetime] = mapped_column(Instant)
    #: the start as it was promised: the clinic's wall clock and the zone's name at that time
    promised: Mapped[str] = mapped_column(String(64))
    #: five-minute ticks since 1970, buffers included, the end left out
    first_tick: Mapped[int] = mapped_column(Integer)
    end_tick: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    #: 1 for the hold, one more with each change; also the calendar entry's SEQUENCE
    version: Mapped[int] = mapped_column(Integer)
    #: the conversation that the visit was asked for in
    holder: Mapped[str] = mapped_column(String(64), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    hold_expires_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    renewed: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str | None] = mapped_column(String(200))
    #: E.164
    phone: Mapped[str | None] = mapped_column(String(16), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    #: key of the matter that a clinician must decide first
    pending_reason: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(Instant)


class AppointmentChange(Base):
    """What one version of a visit was, and who made it so. Rows are added, never changed."""

    __tablename__ = "appointment_change"

    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime] = mapped_column(Instant)
    #: one of `clinic.visits.Change`
    change: Mapped[str] = mapped_column(String(16))
    #: `visitor`, `staff` or `system`
    actor: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    practitioner: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(Instant)


class Claim(Base):
    """One tick of one resource, kept by one visit. The primary key is what makes overlap impossible."""

    __tablename__ = "claim"

    resource: Mapped[str] = mapped_column(String(64), primary_key=True)
    tick: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), index=True)


class BusyBlock(Base):
    """A time at which a resource's own calendar says that it is busy."""

    __tablename__ = "busy_block"
    __table_args__ = (Index("ix_busy_block_resource_end_tick", "resource", "end_tick"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    resource: Mapped[str] = mapped_column(String(64))
    first_tick: Mapped[int] = mapped_column(Integer)
    end_tick: Mapped[int] = mapped_column(Integer)


class ActionResult(Base):
    """What a visitor's action came to, so that the same action asked for again is answered, not done again."""

    __tablename__ = "action_result"

    #: SHA-256 of the idempotency key
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: SHA-256 of what was asked
    request: Mapped[str] = mapped_column(String(64))
    #: JSON: the visit as it was then, without name, phone or e-mail
    result: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(Instant, index=True)


class LookupTry(Base):
    """One look-up by reference and phone that found nothing."""

    __tablename__ = "lookup_try"
    __table_args__ = (
        Index("ix_lookup_try_holder_at", "holder", "at"),
        Index("ix_lookup_try_reference_at", "reference", "at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(12))
    at: Mapped[dt.datetime] = mapped_column(Instant)


class Reminder(Base):
    """One reminder of one version of a visit."""

    __tablename__ = "reminder"
    __table_args__ = (Index("ix_reminder_state_due_at", "state", "due_at"),)

    appointment_id: Mapped[str] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"), primary_key=True)
    #: hours before the visit, as `24h`
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    due_at: Mapped[dt.datetime] = mapped_column(Instant)
    #: `waiting`, `sent` (handed to the outbox) or `skipped`
    state: Mapped[str] = mapped_column(String(16))
