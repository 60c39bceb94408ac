"""Messages to people and systems, waiting to be sent."""

import datetime as dt

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class OutboxMessage(Base):
    """One message. It names what it is about; the words are put together from that when it is sent."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        UniqueConstraint("channel", "kind", "subject", "version"),
        Index("ix_outbox_message_state_due_at", "state", "due_at"),
    )

    #: also the idempotency id that receivers see
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: `email`, `webhook`, `text` or `calendar`
    channel: Mapped[str] = mapped_column(String(16))
    #: what it says, such as `staff.visit_booked`
    kind: Mapped[str] = mapped_column(String(64))
    #: id of the visit or the handoff that it is about
    subject: Mapped[str] = mapped_column(String(64))
    #: version of the visit or the handoff, or id of the handoff's message
    version: Mapped[int] = mapped_column(Integer)
    #: `waiting`, `sending`, `sent`, `dropped` (no longer true) or `dead`
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    #: when to try next; while it is being sent, when the sender counts as lost
    due_at: Mapped[dt.datetime] = mapped_column(Instant)
    created_at: Mapped[dt.datetime] = mapped_column(Instant)
    done_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    #: why the last attempt failed, without anything personal
    error: Mapped[str | None] = mapped_column(String(200))
