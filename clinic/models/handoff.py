"""Requests for a person."""

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant

_UNCLOSED = text("status <> 'closed'")


class Handoff(Base):
    """A visitor's request for a person. A conversation has at most one that is not closed."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index(
            "uq_handoff_conversation_id_unclosed",
            "conversation_id",
            unique=True,
            sqlite_where=_UNCLOSED,
            postgresql_where=_UNCLOSED,
        ),
        Index("ix_handoff_status_created_at", "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: not a foreign key: the request is kept before the conversation's first turn is
    conversation_id: Mapped[str] = mapped_column(String(64), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    #: key of the reason, such as `asked` or `two_bad_answers`
    reason: Mapped[str] = mapped_column(String(64))
    #: `emergency`, `today` or `routine`
    urgency: Mapped[str] = mapped_column(String(16))
    name: Mapped[str | None] = mapped_column(String(200))
    #: E.164
    phone: Mapped[str | None] = mapped_column(String(16), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    #: the last turns, for whoever takes over
    summary: Mapped[str] = mapped_column(Text)
    #: `open`, `claimed` or `closed`
    status: Mapped[str] = mapped_column(String(16))
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(Instant)
    claimed_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    #: 1 at first, one more with each change
    version: Mapped[int] = mapped_column(Integer)


class HandoffMessage(Base):
    """One message between the visitor and the person who took over."""

    __tablename__ = "handoff_message"

    #: rises within a conversation
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    handoff_id: Mapped[str] = mapped_column(ForeignKey("handoff.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime] = mapped_column(Instant)
    #: `visitor` or `staff`
    author: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
