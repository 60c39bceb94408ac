"""Finding a visit by what a visitor quotes, with few tries, so that references cannot be guessed."""

import datetime as dt
import hmac

from sqlalchemy import Connection, Engine, func, insert, or_, select

from clinic import database
from clinic.clock import Clock
from clinic.errors import TooManyTries
from clinic.models import Appointment, LookupTry
from clinic.practice import Practice
from clinic.visits import AHEAD, Visit, Visits, tidy_reference

WINDOW = dt.timedelta(hours=1)
#: failed tries in an hour, by one conversation and for one reference by anyone
TRIES_BY_HOLDER = 5
TRIES_FOR_REFERENCE = 10


class Lookup:
    """Finds visits by reference and phone."""

    def __init__(self, engine: Engine, practice: Practice, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._visits = Visits(practice)

    def find(self, reference: str, phone: str, *, holder: str) -> Visit | None:
        """The visit ahead of a reference, as a visitor writes it, and a phone in E.164 form; None for any other pair.

        Raises:
            TooManyTries: too many went wrong in the last hour, whether or not this one would be right.
        """
        wanted = tidy_reference(reference)

        def work(connection: Connection) -> Visit | None:
            now = self._clock()
            if connection.dialect.name == "postgresql":
                # Tries made at the same time must not all see the same count; SQLite has one writer anyway.
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(wanted))))
            tries = connection.execute(
                select(LookupTry.holder, LookupTry.reference).where(
                    or_(LookupTry.holder == holder, LookupTry.reference == wanted), LookupTry.at > now - WINDOW
                )
            ).all()
            by_holder = sum(row.holder == holder for row in tries)
            for_reference = sum(row.reference == wanted for row in tries)
            if by_holder >= TRIES_BY_HOLDER or for_reference >= TRIES_FOR_REFERENCE:
                raise TooManyTries
            ahead = (
                Appointment.reference == wanted,
                Appointment.status.in_(AHEAD),
                Appointment.starts_at > now,
            )
            for visit in self._visits.where(connection, *ahead):
                if hmac.compare_digest((visit.phone or "").encode(), phone.encode()):
                    return visit
            connection.execute(insert(LookupTry).values(holder=holder, reference=wanted, at=now))
            return None

        return database.write(self._engine, work)
