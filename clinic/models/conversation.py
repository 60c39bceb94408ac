"""Conversations, as append-only turns."""

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class Conversation(Base):
    """One visitor's conversation with the clinic on one channel."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: `web`, `sms` or `shell`
    channel: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[dt.datetime] = mapped_column(Instant, index=True)


class Turn(Base):
    """One message of a visitor and all that followed from it. Rows are added, never changed."""

    __tablename__ = "turn"
    __table_args__ = (
        # A message that arrives twice finds its first reply by this.
        Index("uq_turn_conversation_id_message_id", "conversation_id", "message_id", unique=True),
    )

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True)
    #: 1 for a conversation's first turn. Two turns that claim one number cannot both be kept.
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: the id that the sender gave to the message, when it gave one
    message_id: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(Instant)
    #: JSON: slots and active loop before the turn, from which a later turn can start reading
    before: Mapped[str] = mapped_column(Text)
    #: JSON: the dialogue engine's events of the turn, in order
    events: Mapped[str] = mapped_column(Text)
    #: JSON: what the visitor got, as it was sent
    reply: Mapped[str] = mapped_column(Text)
