"""10,000 attempts on 500 slots from 8 processes, left alone and killed at random: no overlap, and no promise lost.

    python -m bench.stress_booking [--short] [--database sqlite|postgresql]

Each attempt holds one of the slots and confirms it. A worker writes a line to its ledger once a booking has been
acknowledged; at the end each line must be a booked visit. With `--short`, 1,000 attempts on 50 slots.
"""

import argparse
import contextlib
import datetime as dt
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from clinic import database, errors
from clinic.booking import Booking
from clinic.models import Appointment, Claim
from clinic.practice import Practice
from clinic.slots import Slots
from clinic.visits import Visitor
from tests import services as servers

WORKERS = 8
START = dt.datetime(2026, 3, 2, 13, 0, tzinfo=dt.UTC)
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PRACTICE = Practice.model_validate(
    {
        "name": "Stress",
        "country": "US",
        "time_zone": "America/New_York",
        "address": "-",
        "phone": "+12125550142",
        "urgent_phone": "+12125550143",
        "email": "hello@larkfield-skin.example",
        "emergency": {"number": "911", "crisis_line": "988", "crisis_name": "-"},
        "hours": {day: ["09:00-17:00"] for day in WEEK},
        "public_holidays": False,
        "services": [{"id": "visit", "name": "Visit", "minutes": 30}],
        "resources": [{"id": f"p{n}", "name": f"P{n}", "kind": "practitioner", "services": ["visit"]} for n in range(4)],
        "booking": {"step_minutes": 30, "max_holds": 10},
    }
)


def places(count: int) -> list[tuple[str, dt.datetime]]:
    """The first slots of the practice, as (practitioner, start)."""
    engine = database.connect("sqlite://")
    database.migrate(engine)
    slots = Slots(engine, PRACTICE, lambda: START)
    starts = [slot.starts_at for slot in slots.search("visit", dt.date(2026, 3, 3), dt.date(2026, 4, 30))]
    every = [(who.id, start) for start in starts for who in PRACTICE.practitioners("visit")]
    return every[:count]


def work(url: str, ledger: str, name: str, attempts: int, wanted: list[tuple[str, dt.datetime]]) -> None:
    """One worker: tries to book random slots, and notes what was acknowledged."""
    engine = database.connect(url)
    booking = Booking(engine, PRACTICE, lambda: START)
    draw = random.Random(name)
    with Path(ledger).open("a", encoding="utf-8") as lines:
        for attempt in range(attempts):
            who, starts_at = draw.choice(wanted)
            holder = f"{name}-{attempt}"
            with contextlib.suppress(errors.SlotTaken):
                held = booking.hold("visit", starts_at, holder=holder, channel="web", practitioner=who, key=holder)
                visitor = Visitor(name, "+12125550199")
                visit = booking.confirm(held.id, visitor, holder=holder, key=f"{holder}-yes")
                lines.write(f"booked {visit.id}\n")
            lines.write("tried\n")
            lines.flush()


def run(url: str, attempts: int, count: int, kill: int) -> dict[str, float]:
    """All workers on one database, `kill` of them killed and replaced until all attempts are made; figures of it."""
    folder = Path(tempfile.mkdtemp(prefix="stress"))
    # Workers start in no time from a server that has imported the clinic, and share no connection with anyone.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.stress_booking"])
    wanted = places(count)
    engine = database.connect(url)
    database.migrate(engine)
    began, kills, generation = time.monotonic(), 0, 0
    running: dict[int, multiprocessing.process.BaseProcess] = {}
    left = dict.fromkeys(range(WORKERS), attempts // WORKERS)
    # Spread over the run, however long that takes.
    kills_at = sorted(random.sample(range(attempts // 20, attempts * 3 // 4), kill))
    while True:
        for worker in range(WORKERS):
            process = running.get(worker)
            if process is not None and process.is_alive():
                continue
            ledger = folder / f"{worker}"
            left[worker] = attempts // WORKERS - _tried(ledger)
            if process is not None and process.exitcode not in (0, -signal.SIGKILL):
                raise RuntimeError(f"a worker ended with {process.exitcode}")
            if left[worker] > 0:
                generation += 1
                arguments = (url, str(ledger), f"w{worker}g{generation}", left[worker], wanted)
                running[worker] = context.Process(target=work, args=arguments)
                running[worker].start()
        alive = [process for process in running.values() if process.is_alive()]
        if not alive and not any(n > 0 for n in left.values()):
            break
        if alive and kills < kill and sum(map(_tried, folder.iterdir())) >= kills_at[kills]:
            victim = random.choice(alive)
            if victim.pid:
                os.kill(victim.pid, signal.SIGKILL)
                victim.join()
                kills += 1
        time.sleep(0.02)
    seconds = time.monotonic() - began
    acknowledged = {line.split()[1] for path in folder.iterdir() for line in path.read_text().splitlines() if " " in line}
    return _check(url, acknowledged, count) | {
        "kills": kills,
        "seconds": round(seconds, 1),
        "per_s": round(attempts / seconds),
    }


def _tried(ledger: Path) -> int:
    return ledger.read_text().count("tried") if ledger.exists() else 0


def _check(url: str, acknowledged: set[str], count: int) -> dict[str, float]:
    engine = database.connect(url)
    with engine.connect() as connection:
        rows = connection.execute(select(Appointment.__table__)).all()
        claims = connection.execute(select(func.count()).select_from(Claim)).scalar_one()
    booked = {row.id for row in rows if row.status == "booked"}
    ticks = [(row.practitioner, tick) for row in rows for tick in range(row.first_tick, row.end_tick)]
    engine.dispose()
    return {
        "booked": len(booked),
        "slots": count,
        "acknowledged": len(acknowledged),
        "holds_left": len(rows) - len(booked),
        "overlaps": len(ticks) - len(set(ticks)),
        "lost": len(acknowledged - booked),
        "orphan_claims": claims - len(ticks),
    }


@contextlib.contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="stress") as folder:
            yield f"sqlite:///{folder}/stipple.db"
    else:
        with servers.postgres() as url:
            yield url


def main(arguments: list[str]) -> int:
    """Runs the stress test and prints figures; 1 when something overlapped, was lost or was left behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--short", action="store_true", help="a tenth of the attempts")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only one of the two")
    options = parser.parse_args(arguments)
    attempts, count, kills = (1000, 50, 10) if options.short else (10_000, 500, 60)
    bad = False
    for kind in [options.database] if options.database else ["sqlite", "postgresql"]:
        for kill in (0, kills):
            with _database(kind) as url:
                figures = run(url, attempts, count, kill)
            print(f"{kind}{' with kills' if kill else ''}: " + ", ".join(f"{k}={v}" for k, v in figures.items()))
            bad = bad or any(figures[name] for name in ("overlaps", "lost", "orphan_claims"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
