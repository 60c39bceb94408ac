"""What visitors agreed to: added to, never changed."""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from clinic import database
from clinic.clock import Clock
from clinic.models import Consent

#: the purpose of texts that the visitor did not just ask for
TEXTS = "texts"


@dataclasses.dataclass(frozen=True)
class Said:
    """One yes or no. `wording` is the version of the words that the visitor saw."""

    phone: str
    purpose: str
    given: bool
    wording: str
    channel: str
    conversation_id: str | None
    at: dt.datetime


class Consents:
    """Keeps what visitors agreed to, by phone number in E.164 form and purpose; the last word counts."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def record(
        self,
        phone: str,
        purpose: str,
        given: bool,
        *,
        wording: str,
        channel: str,
        conversation_id: str | None = None,
    ) -> None:
        """Adds a yes or a no."""
        row = insert(Consent).values(
            phone=phone,
            purpose=purpose,
            given=given,
            wording=wording,
            channel=channel,
            conversation_id=conversation_id,
            at=self._clock(),
        )
        database.write(self._engine, lambda connection: connection.execute(row))

    def given(self, phone: str, purpose: str) -> bool:
        """Whether the last word on a purpose was yes; False when there was none."""
        return database.read(self._engine, lambda connection: given(connection, phone, purpose))

    def history(self, phone: str) -> list[Said]:
        """All that was said from a number, in order."""
        columns = [column for column in Consent.__table__.columns if column.name != "id"]
        query = select(*columns).where(Consent.phone == phone).order_by(Consent.id)
        rows: list[Any] = database.read(self._engine, lambda connection: list(connection.execute(query)))
        return [Said(**row._asdict()) for row in rows]


def given(connection: Connection, phone: str, purpose: str) -> bool:
    """Whether the last word on a purpose was yes, read in a transaction of the caller's."""
    return _last_word(connection, phone, purpose) is True


def refused(connection: Connection, phone: str, purpose: str) -> bool:
    """Whether the last word on a purpose was no, read in a transaction of the caller's."""
    return _last_word(connection, phone, purpose) is False


def _last_word(connection: Connection, phone: str, purpose: str) -> bool | None:
    words = select(Consent.given).where(Consent.phone == phone, Consent.purpose == purpose).order_by(Consent.id.desc())
    return connection.execute(words.limit(1)).scalar_one_or_none()
