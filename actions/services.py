"""How actions reach the clinic's services."""

import functools
import os
from contextvars import ContextVar
from pathlib import Path

from clinic import database, practice
from clinic.services import Services

_in_use: ContextVar[Services | None] = ContextVar("services", default=None)


def use(services: Services) -> None:
    """Gives the actions of this task the services of whoever runs them in its own process."""
    _in_use.set(services)


def services() -> Services:
    """The services: those of the process that runs the actions or, in a server of their own, built from the same settings."""
    return _in_use.get() or _built()


@functools.cache
def _built() -> Services:
    engine = database.connect(os.environ.get("STIPPLE_DATABASE_URL", "sqlite:///var/stipple.db"))
    return Services.build(engine, practice.load(Path(os.environ.get("STIPPLE_CLINIC", "clinic.yml"))))
