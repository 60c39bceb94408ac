"""Doing a visitor's action once, however often it is asked for."""

import hashlib
import json
from collections.abc import Callable

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from clinic import database
from clinic.clock import Clock
from clinic.errors import KeyReused
from clinic.models import ActionResult
from clinic.visits import Visit, Visits


class Once:
    """Keeps what actions came to under the keys that callers gave them."""

    def __init__(self, engine: Engine, visits: Visits, clock: Clock) -> None:
        self._engine = engine
        self._visits = visits
        self._clock = clock

    def do(self, key: str | None, request: tuple[object, ...], work: Callable[[Connection], Visit]) -> Visit:
        """Does some work in a transaction or, when the key was used before, returns what it came to then.

        A piece of work that raises leaves no trace, so that its key can be tried again.

        Raises:
            KeyReused: the key was used for a different request.
        """
        if key is None:
            return database.write(self._engine, work)
        name, asked = _digest(key), _digest(repr(request))

        def attempt(connection: Connection) -> Visit:
            known = connection.execute(
                select(ActionResult.request, ActionResult.result).where(ActionResult.key == name)
            ).one_or_none()
            if known is not None:
                if known.request != asked:
                    raise KeyReused(name)
                return self._visits.of_facts(connection, json.loads(known.result))
            try:
                with connection.begin_nested():
                    connection.execute(insert(ActionResult).values(key=name, request=asked, result="", at=self._clock()))
            except IntegrityError as error:
                raise _Overtaken from error
            visit = work(connection)
            connection.execute(update(ActionResult).where(ActionResult.key == name).values(result=json.dumps(visit.facts())))
            return visit

        try:
            return database.write(self._engine, attempt)
        except _Overtaken:
            # The same action has just been done by someone else, and its result is there now.
            return database.write(self._engine, attempt)


class _Overtaken(Exception):
    """Another transaction has used the key in the meantime."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
