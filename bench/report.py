"""The figures beside the targets: a table, a page, and a chart."""

import datetime as dt
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import web
from bench.booking import Timed
from bench.folders import Folders
from bench.measure import TURNS, Measured

PAGE, CHART = Path("bench.md"), Path("pictures/bench.svg")
STOCK_COLOUR, OUR_COLOUR, TARGET_COLOUR = "#9a9a9a", "#8a4b3c", "#222222"

INTRODUCTION = """\
# Stipple beside stock Rasa

Written by `make bench`. Stock is Rasa 3.6.21 in an environment of its own (Python 3.10, TensorFlow 2.12) with the default
pipeline (DIET, a ResponseSelector for each retrieval intent) and the default policies (Memoization, Rule, UnexpecTED, TED).
Both systems learned the same examples, answers and rules of `data/`, and were measured on the same machine in one run, first
the one, then the other.
"""

NOTES = """\
How it was measured:

- **Training**: `rasa train` and `stipple train` from the start of the command to its end. Stipple's sentence encoder is built
  once when it is set up; that is no part of it. Our data has rules and no stories, so stock's TED and UnexpecTED have nothing
  to learn from, which makes its training shorter.
- **Start**: from starting the server until it has given the right answer to a question that both learned. Median of three.
- **Replies**: one client on one connection asks held-out questions, ten in each conversation; stock by its REST channel, with
  conversations in memory; Stipple by `POST /chat/messages`, with conversations in SQLite on disk. Stipple's limits on how much
  a visitor may ask are raised for it.
- **Memory**: the most that the server and its children held at any time (resident set, looked at five times a second).
- **Accuracy**: the share of the held-out questions in `tests/questions` whose topic comes first. Where stock falls back, it is
  counted as right when the question was out of scope, and also when the topic that it likes best but does not answer is the
  right one. Stipple also has its safety patterns (`data/safety`), which stock has no place for: the second line leaves the
  messages out for which they exist, and small talk and tasks with them.
- **Booking**: Stipple alone, on SQLite. The search goes through 90 days of 5 practitioners with 2,000 visits between them;
  turns are those of conversations that end in a visit.
- **Website chat**: Stipple alone, in Chromium on the same machine, on the demo clinic's page. An answer is painted when the
  browser has drawn the frame that holds it. Replies are those of `POST /chat/messages` to two visitors on the one process.
- **Long conversation**: the time of a turn is the median of the eleven around it; the same eleven questions go round.
"""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    stock: str
    stipple: str
    ratio: str
    target: str
    #: None where there is no target
    met: bool | None

    @property
    def verdict(self) -> str:
        """Whether the target was met, in words."""
        return {None: "", True: "met", False: "not met"}[self.met]


def rows(stock: Measured, ours: Measured) -> list[Row]:
    """Everything that was measured, with its target."""

    def times(
        what: str, get: Callable[[Measured], float], show: str, most: float | None = None, least: float | None = None
    ) -> Row:
        mine, theirs = get(ours), get(stock)
        ratio = mine / theirs if theirs else float("nan")
        target, met = "", None
        if most is not None:
            target, met = f"at most {most:g} times", ratio <= most
        elif least is not None:
            target, met = f"at least {least:g} times", ratio >= least
        return Row(what, show.format(theirs), show.format(mine), f"{ratio:.3g} times", target, met)

    def points(what: str, get: Callable[[Measured], float], least: float | None = None) -> Row:
        ahead = (get(ours) - get(stock)) * 100
        met = ahead >= least if least is not None else None
        target = f"at least {least:+g} points" if least is not None else ""
        return Row(what, f"{get(stock):.1%}", f"{get(ours):.1%}", f"{ahead:+.1f} points", target, met)

    found = [
        times("training", lambda m: m.training, "{:.1f} s", most=0.1),
        times("start until the first right reply", lambda m: m.start, "{:.1f} s", most=0.2),
        times("reply over HTTP, p50", lambda m: m.p50, "{:.1f} ms", most=0.2),
        times("reply over HTTP, p99", lambda m: m.p99, "{:.1f} ms"),
        times("messages a second, one after another", lambda m: m.throughput, "{:.0f}", least=6),
        times("peak memory, serving", lambda m: m.memory / 1e6, "{:.0f} MB", most=0.35),
        times("peak memory, training", lambda m: m.training_memory / 1e6, "{:.0f} MB"),
        points("accuracy on held-out questions", lambda m: m.accuracy, least=15),
        points("accuracy on those about topics", lambda m: m.accuracy_topics),
    ]
    for turn in TURNS:
        mine, theirs = ours.at_turn(turn), stock.at_turn(turn)
        ratio = f"{mine / theirs:.3g} times" if mine and theirs else ""
        found.append(Row(f"reply at turn {turn:,} of a conversation", _ms(theirs), _ms(mine), ratio, "", None))
    first, last = TURNS[0], TURNS[-1]
    growth = [end / begin if (end := m.at_turn(last)) and (begin := m.at_turn(first)) else None for m in (stock, ours)]
    shown = [f"{value:.2f} times" if value else "not reached" for value in growth]
    met = growth[1] <= 1.2 if growth[1] else None
    found.append(Row(f"turn {last:,} beside turn {first}", shown[0], shown[1], "", "Stipple at most 1.2 times", met))
    return found


def table(found: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| | stock Rasa | Stipple | Stipple beside stock | target | |", "| --- | ---: | ---: | ---: | --- | --- |"]
    lines += [f"| {r.what} | {r.stock} | {r.stipple} | {r.ratio} | {r.target} | {r.verdict} |" for r in found]
    return "\n".join(lines)


def booking_table(timed: Sequence[Timed]) -> str:
    """What stock has no counterpart to, as Markdown."""
    lines = ["| booking | p50 | p95 | target | |", "| --- | ---: | ---: | --- | --- |"]
    for each in timed:
        verdict = "met" if each.p50 <= each.target else "not met"
        lines.append(f"| {each.what} | {each.p50:.1f} ms | {each.p95:.1f} ms | p50 at most {each.target:g} ms | {verdict} |")
    return "\n".join(lines)


def web_table(timed: Sequence[web.Timed]) -> str:
    """How quick the website chat is, as Markdown."""
    lines = ["| website chat | p50 | p99 | target | |", "| --- | ---: | ---: | --- | --- |"]
    for each in timed:
        verdict = "met" if each.met else "not met"
        lines.append(
            f"| {each.what} | {each.p50:.1f} ms | {each.p99:.1f} ms | {each.at} at most {each.target:g} ms | {verdict} |"
        )
    return "\n".join(lines)


def write(
    folder: Path,
    command: str,
    load: float,
    folders: Folders,
    most: int | None,
    stock: Measured,
    ours: Measured,
    booking: Sequence[Timed],
    chat: Sequence[web.Timed],
) -> str:
    """Writes the page and the chart, and returns the tables; `load` is how busy the machine was before."""
    shown = "\n\n".join((table(rows(stock, ours)), booking_table(booking), web_table(chat)))
    cores = len(os.sched_getaffinity(0))
    usable = f"{cores} usable core" if cores == 1 else f"{cores} usable cores"
    many = "all examples" if most is None else f"at most {most} examples of each topic or other intent"
    facts = (
        f"`{command}` on {dt.datetime.now(dt.UTC):%d %B %Y}, on a machine with {usable}\n"
        f"({platform.system()}, {platform.machine()}) whose load was {load:.1f} before it began, with {many}:\n"
        f"{folders.examples:,} examples of {folders.labels} topics and intents, the same for both. Messages that got no reply:\n"
        f"stock {stock.silent}, Stipple {ours.silent}."
    )
    picture = f"![Stipple beside stock Rasa: shares of stock's figures, and reply time by turn]({CHART.as_posix()})"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text("\n".join((INTRODUCTION, facts, "", shown, "", picture, "", NOTES)), encoding="utf-8")
    draw(folder / CHART, stock, ours)
    return shown


def draw(path: Path, stock: Measured, ours: Measured) -> None:
    """Draws Stipple's share of stock's figures with the targets, and each turn's time of the long conversation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shares = [
        ("training", ours.training / stock.training, 0.1),
        ("start", ours.start / stock.start, 0.2),
        ("reply, p50", ours.p50 / stock.p50, 0.2),
        ("time a message,\none after another", stock.throughput / ours.throughput, 1 / 6),
        ("memory", ours.memory / stock.memory, 0.35),
    ]
    # Without the date and random names that would change the file each time.
    with pyplot.rc_context({"svg.hashsalt": "stipple", "font.size": 9}):
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
        places = range(len(shares))
        left.barh(places, [1.0] * len(shares), color=STOCK_COLOUR, alpha=0.35, label="stock Rasa = 1")
        left.barh(places, [share for _, share, _ in shares], color=OUR_COLOUR, height=0.5, label="Stipple")
        for place, (_, share, target) in enumerate(shares):
            left.plot([target, target], [place - 0.4, place + 0.4], color=TARGET_COLOUR, label="target" if not place else None)
            left.text(max(share, target) + 0.02, place, f"{share:.2f}", va="center")
        left.set_yticks(places, [name for name, *_ in shares])
        left.invert_yaxis()
        left.set_xlim(0, max(1.02, *(share + 0.12 for _, share, _ in shares)))
        left.set_title("Stipple's share of stock Rasa's figure: less is better")
        left.legend(loc="lower right")
        for measured, colour in ((stock, STOCK_COLOUR), (ours, OUR_COLOUR)):
            right.plot(range(1, len(measured.turns) + 1), measured.turns, color=colour, linewidth=0.8, label=measured.name)
        right.set_yscale("log")
        right.set_xlabel("turn of one conversation")
        right.set_ylabel("reply time in ms")
        right.set_title("Reply time as a conversation grows")
        right.legend(loc="center right")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def _ms(value: float | None) -> str:
    return f"{value:.1f} ms" if value is not None else "not reached"
