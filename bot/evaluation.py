"""How well the understanding does on questions that it has never seen: those of tests/questions, or of a folder like it."""

import statistics
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import RootModel

from bot import evaluate_safety
from bot.engine import Engine
from bot.nlu.follow_ups import read as read_precedents
from bot.nlu.safety import Alarm
from bot.nlu.zones import OUT_OF_SCOPE
from bot.reply import Reply
from bot.settings import Settings
from clinic import yaml

QUESTIONS = Path("tests/questions")
BINS = 10
WORST = 15
T = TypeVar("T")


class _Questions(RootModel[dict[Literal["web", "sms"], list[str]]]):
    pass


class _Several(RootModel[dict[str, list[str]]]):
    pass


@dataclass(frozen=True)
class Asked:
    """A held-out question, the topic it is about, and what it got."""

    text: str
    topic: str
    channel: str
    reply: Reply

    @property
    def right(self) -> bool:
        """Whether the likeliest topic is the right one."""
        return self.reply.topics[0] == self.topic

    @property
    def right_or_offered(self) -> bool:
        """Whether the visitor got the right answer, or can get it with one tap."""
        offered = self.topic in self.reply.choices
        return offered if self.reply.zone == "clarify" else self.right

    @property
    def direct(self) -> bool:
        """Whether the reply answers as if the question were known."""
        return self.reply.zone not in ("clarify", "fallback")


@dataclass(frozen=True)
class Several:
    """A held-out message, the topics of its questions in the order asked, and those that were read."""

    text: str
    topics: list[str]
    got: list[str]

    @property
    def right(self) -> bool:
        """Whether just these were read, in this order."""
        return self.got == self.topics


@dataclass(frozen=True)
class Scores:
    """Shares between 0 and 1; `error` is the expected calibration error over ten equal bins (Guo et al. 2017)."""

    right: float
    right_web: float
    right_sms: float
    right_or_offered: float
    wrong_direct: float
    out_of_scope_answered: float
    error: float
    milliseconds: float


def load(settings: Settings) -> Engine:
    """An engine with the model of the settings, that keeps nothing beyond the process."""
    return Engine.load(settings.model_copy(update={"database_url": "sqlite://"}))


async def ask(engine: Engine, folder: Path = QUESTIONS) -> list[Asked]:
    """Asks each question of `<topic>.yml`, in a conversation of its own that is not kept."""
    asked: list[Asked] = []
    for text, topic, channel in _questions(folder):
        conversation = uuid.uuid4().hex
        asked.append(Asked(text, topic, channel, await engine.turn(conversation, text, channel=channel)))
        engine.store.forget(conversation)
    return asked


def _questions(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.glob("[a-z]*.yml")):
        for channel, questions in yaml.read_as(path, _Questions).root.items():
            yield from ((text, path.stem, channel) for text in questions)


def score(asked: list[Asked]) -> Scores:
    """The figures."""
    known = [a for a in asked if a.topic != OUT_OF_SCOPE]
    unknown = [a for a in asked if a.topic == OUT_OF_SCOPE]
    return Scores(
        right=_share(known, lambda a: a.right),
        right_web=_share([a for a in known if a.channel == "web"], lambda a: a.right),
        right_sms=_share([a for a in known if a.channel == "sms"], lambda a: a.right),
        right_or_offered=_share(known, lambda a: a.right_or_offered),
        wrong_direct=_share(known, lambda a: a.direct and not a.right),
        out_of_scope_answered=_share(unknown, lambda a: a.direct),
        error=calibration_error([(a.reply.confidence, a.right) for a in asked]),
        milliseconds=statistics.median(a.reply.ms for a in asked),
    )


def calibration_error(predictions: list[tuple[float, bool]]) -> float:
    """The mean distance between confidence and share of right guesses, over ten bins of confidence."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, right in predictions:
        bins[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
    gaps = (abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in bins if b)
    return sum(gaps) / len(predictions)


def confusions(asked: list[Asked]) -> list[tuple[tuple[str, str], int]]:
    """Pairs of (right topic, topic taken for it), the most frequent first."""
    return Counter((a.topic, a.reply.topics[0]) for a in asked if not a.right).most_common()


async def several(engine: Engine, folder: Path = QUESTIONS) -> list[Several]:
    """Asks each message of `_several.yml`."""
    found: list[Several] = []
    path = folder / "_several.yml"
    for topics, texts in yaml.read_as(path, _Several).root.items() if path.exists() else ():
        for text in texts:
            found.append(Several(text, topics.split(", "), (await engine.turn(uuid.uuid4().hex, text)).topics))
    return found


async def follow_ups(engine: Engine, folder: Path = QUESTIONS) -> list[Asked]:
    """Asks each short message of `follow_ups/<topic>.yml` after the question that stands with it."""
    asked: list[Asked] = []
    for one in read_precedents(folder / "follow_ups"):
        conversation = uuid.uuid4().hex
        await engine.turn(conversation, one.after)
        asked.append(Asked(one.says, one.topic, "web", await engine.turn(conversation, one.says)))
    return asked


async def safety(engine: Engine, folder: Path = QUESTIONS) -> evaluate_safety.Report:
    """Screens the messages of `_safety.yml` as the product does.

    Raises:
        clinic.yaml.BadFile: the file cannot be read.
    """
    path = folder / "_safety.yml"
    alarms = {text: await engine.alarms(text) for texts in yaml.read(path).values() for text in texts}
    return evaluate_safety.score(_Known(alarms), path)


@dataclass(frozen=True)
class _Known:
    alarms: dict[str, list[Alarm]]

    def screen(self, text: str) -> list[Alarm]:
        return self.alarms[text]


async def run(engine: Engine, folder: Path = QUESTIONS, plot: Path | None = None, misses: bool = False) -> str:
    """Asks all questions of a folder and returns the figures of what it holds, in lines.

    Args:
        engine: what is asked; see `load`.
        folder: has the files of tests/questions, or some of them.
        plot: where to draw the confusions.
        misses: tell each message that was not read as it should be, in place of the confusions.

    Raises:
        clinic.yaml.BadFile: a file is wrong, or the folder holds none.
    """
    asked, more, after = await ask(engine, folder), await several(engine, folder), await follow_ups(engine, folder)
    if not (asked or more or after):
        raise yaml.BadFile([f"{folder}: there are no questions in it; they stand in files like those of {QUESTIONS}"])
    lines: list[str] = []
    if asked:
        lines += _figures(score(asked), len(asked))
    if more:
        many, one = ([m for m in more if (len(m.topics) > 1) is several_asked] for several_asked in (True, False))
        lines += [
            f"two or three questions, all right       {_share(many, lambda m: m.right):6.1%}   (of {len(many)})",
            f"one question that looks like two        {_share(one, lambda m: m.right):6.1%}   (of {len(one)})",
        ]
    if after:
        lines += [
            f"short follow-up, right topic first      {_share(after, lambda a: a.right):6.1%}   (of {len(after)})",
            f"short follow-up, right or offered       {_share(after, lambda a: a.right_or_offered):6.1%}",
        ]
    if plot:
        draw(asked, plot)
    if misses:
        lines += ["", "not read as it should be (asked about, taken for, message)"]
        lines += [f"  {a.topic} -> {a.reply.topics[0]} ({a.reply.zone})  {a.text}" for a in [*asked, *after] if not a.right]
        lines += [f"  {', '.join(m.topics)} -> {', '.join(m.got)}  {m.text}" for m in more if not m.right]
    else:
        lines += ["", "most frequent confusions (asked about, taken for)"]
        lines += [f"  {count:3d}  {right} -> {taken}" for (right, taken), count in confusions(asked)[:WORST]]
    return "\n".join(lines)


def _figures(s: Scores, count: int) -> list[str]:
    return [
        f"questions                              {count}",
        f"right topic first                      {s.right:6.1%}   (website {s.right_web:.1%}, text messages {s.right_sms:.1%})",
        f"right answer, or among those offered   {s.right_or_offered:6.1%}",
        f"wrong answer given directly            {s.wrong_direct:6.1%}",
        f"out of scope, answered as if known     {s.out_of_scope_answered:6.1%}",
        f"expected calibration error             {s.error:6.3f}",
        f"whole turn, median                     {s.milliseconds:6.1f} ms",
    ]


def draw(asked: list[Asked], path: Path) -> None:
    """Draws which topics are taken for which; right guesses are left out, so that the wrong ones show."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    wrong = confusions(asked)
    rows, columns = sorted({pair[0] for pair, _ in wrong}), sorted({pair[1] for pair, _ in wrong})
    figure, axes = pyplot.subplots(figsize=(0.28 * len(columns) + 3, 0.24 * len(rows) + 2.5))
    across, down = [columns.index(taken) for (_, taken), _ in wrong], [rows.index(right) for (right, _), _ in wrong]
    axes.scatter(across, down, s=[60 * count for _, count in wrong], color="#8a4b3c")
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.set_xlabel("taken for")
    axes.set_ylabel("asked about")
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)


def _share(asked: list[T], holds: Callable[[T], bool]) -> float:
    return sum(map(holds, asked)) / len(asked) if asked else 0.0
