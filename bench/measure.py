"""What is measured of a system, one thing after another, each bounded in count and time."""

import http.client
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.contestants import Contestant, Question, Refused, Say, right
from bench.folders import SEED, Folders
from bench.process import Failed, Process
from bot.topics import KINDS

QUESTIONS, NLU = Path("tests/questions"), Path("data/nlu")
#: turns of a visitor's conversation
VISIT = 10
WARM_UP = 30
STARTS = 3
TURNS = (10, 100, 1000)
#: the long conversation goes round so many questions, and a turn's time is the median of as many around it
ROUND = 11
#: seconds: for training, for a start, for the replies, for the long conversation
TRAINING, START, REPLIES, CLIMB = 4 * 3600.0, 300.0, 900.0, 1800.0
#: seconds between two tries to reach a server that starts
TRY = 0.05


@dataclass
class Measured:
    """The figures of one system; None for what was not reached."""

    name: str
    #: seconds
    training: float = 0.0
    start: float = 0.0
    #: milliseconds
    p50: float = 0.0
    p99: float = 0.0
    #: messages a second
    throughput: float = 0.0
    #: bytes
    memory: int = 0
    training_memory: int = 0
    #: shares of the held-out questions: all of them, and those on topics that have an answer of their own
    accuracy: float = 0.0
    accuracy_topics: float = 0.0
    #: messages that got no text back
    silent: int = 0
    #: milliseconds of each turn of one long conversation
    turns: list[float] = field(default_factory=list)

    def at_turn(self, turn: int) -> float | None:
        """The time of a turn: the median of those around it."""
        around = self.turns[turn - ROUND // 2 - 1 : turn + ROUND // 2]
        return statistics.median(around) if len(around) == ROUND else None

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        return asdict(self)


def measure(contestant: Contestant, folders: Folders, messages: int, turns: int, tell: Callable[[str], None]) -> Measured:
    """Trains a system, starts it, talks with it, and stops it.

    Raises:
        Failed: it cannot be trained or started, or does not answer in time.
    """
    found = Measured(contestant.name)
    tell("trains")
    with contestant.training() as process:
        found.training = process.finish(TRAINING)
        found.training_memory = process.peak
    starts = []
    for number in range(STARTS):
        tell(f"starts, {number + 1} of {STARTS}")
        with contestant.serving() as server:
            starts.append(_until_right(contestant, server, folders))
            if number == STARTS - 1:
                _talk(contestant, found, folders, messages, turns, tell)
                # What follows is not a visitor's traffic.
                found.memory = server.peak
                tell("is asked the held-out questions")
                _ask(contestant, found)
    found.start = statistics.median(starts)
    return found


def questions() -> list[Question]:
    """The held-out questions."""
    found = []
    for path in sorted(QUESTIONS.glob("[a-z]*.yml")):
        for channel, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found += [Question(text, path.stem, channel) for text in texts]
    return found


def _until_right(contestant: Contestant, server: Process, folders: Folders) -> float:
    client = contestant.client()
    try:
        while time.perf_counter() - server.began < START:
            try:
                reply = contestant.talk(client)(folders.question)
                if folders.answer in reply:
                    return time.perf_counter() - server.began
                raise Failed(f"{contestant.name} starts with a wrong reply to '{folders.question}': {reply!r}")
            except (OSError, http.client.HTTPException, Refused):
                server.check()
                time.sleep(TRY)
    finally:
        client.close()
    raise Failed(f"{contestant.name} did not start within {START:.0f} s")


def _talk(
    contestant: Contestant, found: Measured, folders: Folders, messages: int, turns: int, tell: Callable[[str], None]
) -> None:
    client = contestant.client()
    texts = [question.text for question in questions()]
    chance = random.Random(SEED)
    chosen = chance.choices(texts, k=WARM_UP + messages)
    try:
        tell(f"replies to {messages} messages")
        for text in chosen[:WARM_UP]:
            contestant.talk(client)(text)
        times, began = [], time.perf_counter()
        for first in range(WARM_UP, len(chosen), VISIT):
            say = contestant.talk(client)
            for text in chosen[first : first + VISIT]:
                times.append(_timed(say, text, found))
            if time.perf_counter() - began > REPLIES:
                break
        found.throughput = len(times) / (time.perf_counter() - began)
        found.p50, found.p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        tell(f"talks on for {turns} turns")
        # Learned questions of different topics, so that both answer each of them.
        cycle = chance.sample(folders.learned, ROUND)
        _climb(contestant.talk(client), cycle, turns + ROUND // 2, found)
    finally:
        client.close()


def _climb(say: Say, cycle: Sequence[str], turns: int, found: Measured) -> None:
    began = time.perf_counter()
    for turn in range(turns):
        found.turns.append(_timed(say, cycle[turn % len(cycle)], found))
        if time.perf_counter() - began > CLIMB:
            break


def _timed(say: Say, text: str, found: Measured) -> float:
    """Milliseconds from sending a message to having read the reply."""
    began = time.perf_counter()
    reply = say(text)
    took = (time.perf_counter() - began) * 1000
    found.silent += not reply
    return took


def _ask(contestant: Contestant, found: Measured) -> None:
    asked = questions()
    client = contestant.client()
    try:
        guesses = contestant.topics(client, asked)
    finally:
        client.close()
    found.accuracy = right(guesses, asked)
    own = {path.stem for kind in KINDS for path in (NLU / kind).glob("*.yml")}
    answered = [(guess, question) for guess, question in zip(guesses, asked, strict=True) if question.topic in own]
    found.accuracy_topics = right([guess for guess, _ in answered], [question for _, question in answered])
