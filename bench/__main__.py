"""Stipple beside stock Rasa 3.6.21, in one run, in turn: `make bench`.

    python -m bench [--examples N | --examples all]

Trains both on the same data, with at most N examples of each topic (20 unless told otherwise: with all of them, stock trains
for an hour or more on two cores), and measures training, start, replies, memory, accuracy, and a long conversation.
Writes docs/bench.md and its chart. All of it stays on this machine, in .cache/bench.
"""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import booking, folders, report, web
from bench.contestants import Contestant, Stipple, Stock
from bench.measure import TURNS, Measured, measure
from bench.process import Failed

FOLDER, DOCS = Path(".cache/bench"), Path("docs")
EXAMPLES, MESSAGES = 20, 500


def main() -> None:
    """Measures both, and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=_number_or_all, default=EXAMPLES, help=f"examples of a topic, or all ({EXAMPLES})")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"messages whose replies are timed ({MESSAGES})")
    parser.add_argument("--turns", type=int, default=TURNS[-1], help=f"turns of the long conversation ({TURNS[-1]})")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder to write the page and the chart to")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    made = folders.prepare(FOLDER, given.examples)
    print(f"bench: {made.examples:,} examples of {made.labels} topics and other intents", flush=True)
    # Stipple first: what is wrong with it shows within minutes, and not when stock is done.
    contestants: list[Contestant] = [Stipple(made.stipple.absolute()), Stock(made.stock.absolute())]
    measured: list[Measured] = []
    try:
        timed = booking.measure()
        print("bench: booking is measured", flush=True)
        chatted = web.measure()
        print("bench: the website chat is measured", flush=True)
        for contestant in contestants:
            measured.append(measure(contestant, made, given.messages, given.turns, _teller(contestant.name)))
            (FOLDER / "figures.json").write_text(json.dumps([m.as_json() for m in measured], indent=1))
    except Failed as error:
        sys.exit(f"bench: {error}")
    ours, stock = measured
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    print(report.write(given.docs, command, load, made, given.examples, stock, ours, timed, chatted))
    print(f"bench: wrote {given.docs / report.PAGE} and {given.docs / report.CHART}")


def _teller(name: str) -> Callable[[str], None]:
    began = time.perf_counter()
    return lambda what: print(f"bench: {time.perf_counter() - began:6.0f} s  {name} {what}", flush=True)


def _number_or_all(text: str) -> int | None:
    if text == "all":
        return None
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    main()
