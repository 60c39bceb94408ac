"""What people look at now and then: alarms that were raised, and questions that got no answer."""

import datetime as dt

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class SafetyAlarm(Base):
    """One turn in which the safety gate raised an alarm: which rules, and what was answered; never what was written."""

    __tablename__ = "safety_alarm"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), index=True)
    at: Mapped[dt.datetime] = mapped_column(Instant, index=True)
    #: `emergency`, `adverse_reaction` or `clinician`
    level: Mapped[str] = mapped_column(String(20))
    #: the ids of the rules that fired, with spaces between them
    rules: Mapped[str] = mapped_column(Text)
    #: the topics that were answered, with spaces between them
    answered: Mapped[str] = mapped_column(Text)


class UnansweredQuestion(Base):
    """A question that got no answer, or not the one that was wanted, without what tells who asked it."""

    __tablename__ = "unanswered_question"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Instant, index=True)
    channel: Mapped[str] = mapped_column(String(16))
    #: redacted
    text: Mapped[str] = mapped_column(Text)
    #: the question answered before it, redacted, when it was read in the light of that
    after: Mapped[str | None] = mapped_column(Text)
    #: `fallback`, `clarify` or `feedback`
    reason: Mapped[str] = mapped_column(String(16))
    #: the topic that seemed likeliest
    guess: Mapped[str] = mapped_column(String(64))
    #: `open`, `taught` or `dismissed`
    state: Mapped[str] = mapped_column(String(16), index=True)
    #: the topic that it was taught to
    topic: Mapped[str | None] = mapped_column(String(64))
