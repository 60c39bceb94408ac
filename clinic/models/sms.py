"""Text messages: what came in, what went out, and what stands in the way of texting a number."""

import datetime as dt

from sqlalchemy import Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class SmsNumber(Base):
    """What a number may answer to next. A row stands for a number that was told who texts it."""

    __tablename__ = "sms_number"

    #: as the carrier gives it, mostly E.164
    number: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_at: Mapped[dt.datetime] = mapped_column(Instant)
    #: JSON: ids of the choices that were offered last, in the order of their numbers
    offered: Mapped[str] = mapped_column(Text)
    #: what of the last answer is still unsent, for MORE
    rest: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[dt.datetime] = mapped_column(Instant, index=True)


class SmsInbound(Base):
    """One text that came in, stored before anything reads it. The ids are the order of arrival."""

    __tablename__ = "sms_inbound"
    __table_args__ = (
        Index("ix_sms_inbound_number_received_at", "number", "received_at"),
        Index("ix_sms_inbound_via_received_at", "via", "received_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: Twilio's MessageSid: a text that arrives again finds its first reply by it
    sid: Mapped[str] = mapped_column(String(64), unique=True)
    number: Mapped[str] = mapped_column(String(16))
    #: `text`, `picture`, `contact`, `location`, `file` or `empty`
    kind: Mapped[str] = mapped_column(String(16))
    #: `STOP`, `START` or `HELP` when Twilio has answered such a word itself
    opt_out_type: Mapped[str | None] = mapped_column(String(16))
    #: empty again as soon as the text is answered: the conversation keeps it then
    body: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[dt.datetime] = mapped_column(Instant)
    #: until when the process that answers it has it to itself
    lease_until: Mapped[dt.datetime | None] = mapped_column(Instant)
    #: JSON: the texts of the reply; null while it is not answered
    reply: Mapped[str | None] = mapped_column(Text)
    #: how the reply left: `twiml` or `outbox`; null while it has not
    via: Mapped[str | None] = mapped_column(String(8))


class SmsSent(Base):
    """One part of a message that went out through Twilio's API, and how far it got."""

    __tablename__ = "sms_sent"
    __table_args__ = (
        UniqueConstraint("outbox_id", "attempt", "part"),
        Index("ix_sms_sent_number_created_at", "number", "created_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    outbox_id: Mapped[str] = mapped_column(String(32))
    #: 1, or one more for each time that the network lost the message after it was accepted
    attempt: Mapped[int] = mapped_column(Integer)
    part: Mapped[int] = mapped_column(Integer)
    #: the outbox's kind, such as `visitor.reminder_24h`
    kind: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(16))
    #: Twilio's MessageSid; null while it is not known whether Twilio has accepted the part
    sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    #: the furthest of Twilio's states so far; `posting` before the first one
    status: Mapped[str] = mapped_column(String(16))
    rank: Mapped[int] = mapped_column(Integer)
    error_code: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[dt.datetime] = mapped_column(Instant)
    updated_at: Mapped[dt.datetime] = mapped_column(Instant)


class SmsStatus(Base):
    """One state that Twilio reported of one message, kept once however often it was reported."""

    __tablename__ = "sms_status"

    sid: Mapped[str] = mapped_column(String(64), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    error_code: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(Instant, index=True)


class SmsBlock(Base):
    """What must not be sent until somebody has put it right: everything, a kind of text, or texts to a number."""

    __tablename__ = "sms_block"

    #: `all`, `kind:<outbox kind>` or `number:<number>`
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    error_code: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(Instant)
