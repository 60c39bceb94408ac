"""How well the understanding does on questions that it has never seen (tests/questions)."""

import statistics
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
        for channel, questions in yaml.read(path).items():
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


async def several(engine: Engine, path: Path = QUESTIONS / "_several.yml") -> list[tuple[int, bool]]:
    """For each message of the file, how many questions it holds, and whether just these were read, in the order asked."""
    found: list[tuple[int, bool]] = []
    for topics, texts in yaml.read(path).items():
        wanted = topics.split(", ")
        for text in texts:
            found.append((len(wanted), (await engine.turn(uuid.uuid4().hex, text)).topics == wanted))
    return found


async def follow_ups(engine: Engine, folder: Path = QUESTIONS / "follow_ups") -> list[Asked]:
    """Asks each short message of `<topic>.yml` after the question that stands with it."""
    asked: list[Asked] = []
    for one in read_precedents(folder):
        conversation = uuid.uuid4().hex
        await engine.turn(conversation, one.after)
        asked.append(Asked(one.says, one.topic, "web", await engine.turn(conversation, one.says)))
    return asked


async def safety(engine: Engine, path: Path = QUESTIONS / "_safety.yml") -> evaluate_safety.Report:
    """Screens the messages of the file as the product does."""
    alarms = {text: await engine.alarms(text) for texts in yaml.read(path).values() for text in texts}
    return evaluate_safety.score(_Known(alarms), path)


@dataclass(frozen=True)
class _Known:
    alarms: dict[str, list[Alarm]]

    def screen(self, text: str) -> list[Alarm]:
        return self.alarms[text]


async def run(engine: Engine, plot: Path | None = None) -> str:
    """Asks all questions and returns the figures in lines; draws the confusions when a file is named."""
    asked = await ask(engine)
    more, after = await several(engine), await follow_ups(engine)
    if plot:
        draw(asked, plot)
    s = score(asked)
    lines = [
        f"questions                              {len(asked)}",
        f"right topic first                      {s.right:6.1%}   (website {s.right_web:.1%}, text messages {s.right_sms:.1%})",
        f"right answer, or among those offered   {s.right_or_offered:6.1%}",
        f"wrong answer given directly            {s.wrong_direct:6.1%}",
        f"out of scope, answered as if known     {s.out_of_scope_answered:6.1%}",
        f"expected calibration error             {s.error:6.3f}",
        f"whole turn, median                     {s.milliseconds:6.1f} ms",
        f"two or three questions, all right       {_exact(more, 2, 3):6.1%}",
        f"one question that looks like two        {_exact(more, 1):6.1%}",
        f"short follow-up, right topic first      {_share(after, lambda a: a.right):6.1%}   (of {len(after)})",
        f"short follow-up, right or offered       {_share(after, lambda a: a.right_or_offered):6.1%}",
        "",
        "most frequent confusions (asked about, taken for)",
    ]
    lines += [f"  {count:3d}  {right} -> {taken}" for (right, taken), count in confusions(asked)[:WORST]]
    return "\n".join(lines)


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


def _exact(messages: list[tuple[int, bool]], *counts: int) -> float:
    rights = [right for count, right in messages if count in counts]
    return sum(rights) / len(rights)


def _share(asked: list[Asked], holds: Callable[[Asked], bool]) -> float:
    return sum(map(holds, asked)) / len(asked) if asked else 0.0
