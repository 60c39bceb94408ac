"""What visitors agreed to."""

import datetime as dt

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class Consent(Base):
    """One thing said once by one person: yes or no to a purpose. Rows are added, never changed; the last one counts."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_phone_purpose", "phone", "purpose"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: E.164
    phone: Mapped[str] = mapped_column(String(16))
    #: such as `texts` or `privacy_notice`
    purpose: Mapped[str] = mapped_column(String(32))
    given: Mapped[bool]
    #: version of the words that were agreed to
    wording: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(Instant)
