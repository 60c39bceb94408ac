"""How long the booking service takes on SQLite: `python -m bench.booking`. The targets stand beside the figures.

The database holds 2,000 visits of 5 practitioners over 90 days.
"""

import datetime as dt
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, insert

from bench.stress_booking import PRACTICE, START, WEEK
from clinic import database
from clinic.models import Appointment, Claim
from clinic.practice import Practice
from clinic.services import Services
from clinic.visits import Visitor

PRACTITIONERS, VISITS, DAYS, ROUNDS = 5, 2000, 90, 200


def practice() -> Practice:
    """Five practitioners, open every day, a start each quarter of an hour."""
    resources = [{"id": f"p{n}", "name": f"P{n}", "kind": "practitioner", "services": ["visit"]} for n in range(PRACTITIONERS)]
    return Practice.model_validate(
        PRACTICE.model_dump() | {"resources": resources, "hours": {day: ["09:00-18:00"] for day in WEEK}, "booking": {}}
    )


def fill(engine: Engine, services: Services) -> None:
    """Books at random, half an hour each, without overlaps."""
    first = START.date() + dt.timedelta(days=1)
    starts = [slot.starts_at for slot in services.slots.search("visit", first, first + dt.timedelta(DAYS))][::2]
    draw = random.Random(1)
    visits: list[dict[str, Any]] = []
    for n in range(PRACTITIONERS):
        for starts_at in draw.sample(starts, VISITS // PRACTITIONERS):
            tick = int(starts_at.timestamp()) // 300
            visits.append(
                {
                    "id": uuid.uuid4().hex,
                    "reference": f"{len(visits):06}",
                    "service": "visit",
                    "practitioner": f"p{n}",
                    "starts_at": starts_at,
                    "ends_at": starts_at + dt.timedelta(minutes=30),
                    "promised": "",
                    "first_tick": tick,
                    "end_tick": tick + 6,
                    "status": "booked",
                    "version": 2,
                    "holder": "bench",
                    "channel": "web",
                    "created_at": START,
                }
            )
    claims = [
        {"resource": visit["practitioner"], "tick": tick, "appointment_id": visit["id"]}
        for visit in visits
        for tick in range(visit["first_tick"], visit["end_tick"])
    ]
    with engine.begin() as connection:
        connection.execute(insert(Appointment), visits)
        connection.execute(insert(Claim), claims)


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that a call takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        engine = database.connect(f"sqlite:///{folder}/stipple.db")
        database.migrate(engine)
        services = Services.build(engine, practice(), channels=("email", "text"), clock=lambda: START)
        fill(engine, services)
        first, last = START.date(), START.date() + dt.timedelta(DAYS)
        services.slots.search("visit", first, last)
        search = [timed(lambda: services.slots.search("visit", first, last)) for _ in range(40)]
        near = [timed(lambda: services.slots.nearest("visit", START + dt.timedelta(days=20))) for _ in range(40)]
        book = []
        for n, slot in enumerate(services.slots.search("visit", first, last)[: ROUNDS * 2 : 2]):

            def turn(holder: str = f"c{n}", starts_at: dt.datetime = slot.starts_at) -> None:
                held = services.booking.hold("visit", starts_at, holder=holder, channel="web", key=f"{holder}/1")
                services.booking.confirm(held.id, Visitor("A", "+12125550199"), holder=holder, key=f"{holder}/2")

            book.append(timed(turn))
        engine.dispose()
    for name, figures, target in (
        ("slot search over 90 days", search, "20 ms"),
        ("three nearest slots", near, "20 ms"),
        ("hold and confirm", book, "25 ms"),
    ):
        p95 = statistics.quantiles(figures, n=20)[-1]
        print(f"{name}: p50 {statistics.median(figures):.1f} ms, p95 {p95:.1f} ms (target p50 {target})")


if __name__ == "__main__":
    main()
