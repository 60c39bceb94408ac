"""How long booking takes on SQLite: `python -m bench.booking`, and part of `python -m bench`.

The booking service's database holds 2,000 visits of 5 practitioners over 90 days; conversations start with an empty one.
"""

import dataclasses
import datetime as dt
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
from sqlalchemy import Engine, func, insert, select

from bench.serving import Server
from bench.stress_booking import PRACTICE, START, WEEK
from clinic import database
from clinic.models import Appointment, Claim
from clinic.practice import Practice
from clinic.services import Services
from clinic.visits import Visitor

PRACTITIONERS, VISITS, DAYS, ROUNDS, JOURNEYS = 5, 2000, 90, 200, 30


@dataclasses.dataclass(frozen=True)
class Timed:
    """What something takes, in milliseconds: half of the times up to `p50`, all but one in twenty up to `p95`."""

    what: str
    p50: float
    p95: float
    #: of p50
    target: float

    @classmethod
    def of(cls, what: str, figures: Sequence[float], target: float) -> Self:
        """From each time that was measured."""
        return cls(what, statistics.median(figures), statistics.quantiles(figures, n=20)[-1], target)


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


def services_alone(folder: Path) -> list[Timed]:
    """The booking service's own times, without a conversation around it."""
    engine = database.connect(f"sqlite:///{folder}/booking.db")
    database.migrate(engine)
    services = Services.build(engine, practice(), channels=("email", "text"), clock=lambda: START)
    fill(engine, services)
    first, last = START.date(), START.date() + dt.timedelta(DAYS)
    services.slots.search("visit", first, last)
    search = [timed(lambda: services.slots.search("visit", first, last)) for _ in range(40)]
    near = [timed(lambda: services.slots.nearest("visit", START + dt.timedelta(days=20))) for _ in range(40)]
    book = []
    for n, slot in enumerate(services.slots.search("visit", first, last)[: ROUNDS * 2 : 2]):

        def act(holder: str = f"c{n}", starts_at: dt.datetime = slot.starts_at) -> None:
            held = services.booking.hold("visit", starts_at, holder=holder, channel="web", key=f"{holder}/1")
            services.booking.confirm(held.id, Visitor("A", "+12125550199"), holder=holder, key=f"{holder}/2")

        book.append(timed(act))
    engine.dispose()
    return [
        Timed.of(f"slot search over {DAYS} days", search, 20),
        Timed.of("three nearest slots", near, 20),
        Timed.of("hold and confirm", book, 25),
    ]


def conversations(folder: Path) -> Timed:
    """The turns of bookings in conversation, over HTTP."""
    server = Server(folder, limit_messages="100000/minute", limit_address="100000/minute", limit_sessions="100000/minute")
    server.start()
    figures = []
    try:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for journey in range(JOURNEYS + 1):
                client.headers["Authorization"] = f"Bearer {client.post('/chat/sessions').json()['token']}"
                choice = ""
                for text in ("book a consultation", "in two weeks", "", "Ana Lima, 212 555 0199", "yes"):
                    body = {"id": uuid.uuid4().hex, **({"text": text} if text else {"choice": choice})}
                    began = time.perf_counter()
                    answer = client.post("/chat/messages", json=body).json()
                    # The first journey warms up.
                    figures += [(time.perf_counter() - began) * 1000] if journey else []
                    choice = next((offered["id"] for said in answer["messages"] for offered in said["choices"]), "")
    finally:
        server.stop()
    booked = database.connect(server.database_url)
    with booked.connect() as connection:
        done = connection.execute(select(func.count()).where(Appointment.status == "booked")).scalar_one()
    booked.dispose()
    assert done == JOURNEYS + 1, f"{done} of {JOURNEYS + 1} conversations ended in a visit"
    return Timed.of("turn of a booking, over HTTP", figures, 25)


def measure() -> list[Timed]:
    """All of it, in a folder that is not kept."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        return [*services_alone(Path(folder)), conversations(Path(folder) / "server")]


def main() -> None:
    """Measures and prints."""
    for each in measure():
        print(f"{each.what}: p50 {each.p50:.1f} ms, p95 {each.p95:.1f} ms (target p50 {each.target:g} ms)")


if __name__ == "__main__":
    main()
