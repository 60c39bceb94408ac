"""Calendar feeds that staff subscribe to."""

import datetime as dt

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from clinic.models.base import Base, Instant


class Feed(Base):
    """A secret that opens the calendar of one resource until it is revoked."""

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    resource: Mapped[str] = mapped_column(String(64), index=True)
    #: SHA-256 of the secret, which is shown once and kept nowhere
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(Instant)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Instant)
