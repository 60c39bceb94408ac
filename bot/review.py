"""What a clinic looks at now and then: the alarms of a month, and the questions that nobody answered.

Nothing is learned by itself: a question becomes an example of a topic when a person has looked at it and says so.
"""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, insert, select, update

from bot.nlu import follow_ups
from bot.nlu.follow_ups import Precedent
from bot.nlu.text import normalise
from bot.redaction import redacted
from bot.reply import Reply
from bot.topics import read_examples
from clinic.models import SafetyAlarm, UnansweredQuestion

NLU, FOLLOW_UPS = Path("data/nlu"), Path("data/follow_ups")
OPEN, TAUGHT, DISMISSED = "open", "taught", "dismissed"


class CannotTeach(Exception):
    """The question cannot become an example; the message says why."""


class Review:
    """Keeps alarms and unanswered questions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def alarm(self, conversation_id: str, level: str, rules: Sequence[str], answered: Sequence[str]) -> None:
        """Keeps that rules fired in a conversation, and which topics were answered."""
        values = {
            "conversation_id": conversation_id,
            "at": dt.datetime.now(dt.UTC),
            "level": level,
            "rules": " ".join(rules),
            "answered": " ".join(answered),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(SafetyAlarm).values(values))

    def alarms(self, since: dt.datetime) -> list[SafetyAlarm]:
        """The alarms since a moment, the oldest first."""
        query = select(SafetyAlarm.__table__).where(SafetyAlarm.at >= since).order_by(SafetyAlarm.at)
        with self._engine.connect() as connection:
            return [SafetyAlarm(**row._mapping) for row in connection.execute(query)]

    def unanswered(self, text: str, reply: Reply, channel: str, reason: str, after: str | None = None) -> None:
        """Keeps a question, without what tells who asked it; `after` is the one before it, if it was read in its light."""
        values = {
            "at": dt.datetime.now(dt.UTC),
            "channel": channel,
            "text": redacted(text),
            "after": after and redacted(after),
            "reason": reason,
            "guess": reply.ranking[0][0] if reply.ranking else "",
            "state": OPEN,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(UnansweredQuestion).values(values))

    def questions(self) -> list[UnansweredQuestion]:
        """The questions that nobody has looked at yet, the oldest first."""
        query = select(UnansweredQuestion.__table__).where(UnansweredQuestion.state == OPEN).order_by(UnansweredQuestion.id)
        with self._engine.connect() as connection:
            return [UnansweredQuestion(**row._mapping) for row in connection.execute(query)]

    def teach(self, question_id: int, topic: str, alone: bool = False) -> Path:
        """Adds a question to what its topic is recognised by, and returns the file; the next training learns it.

        Args:
            question_id: which one.
            topic: the bare id of what it asks.
            alone: whether one that was read in the light of another becomes an example by itself all the same.

        Raises:
            CannotTeach: there is no such open question or topic, or it stands there already.
        """
        text, before = self._asked(question_id)
        after = None if alone else before
        path = next((p for p in NLU.rglob("*.yml") if p.stem == topic), None)
        if path is None:
            raise CannotTeach(f"there is no topic {topic}")
        if after:
            path = FOLLOW_UPS / path.name
        if "[" in text + (after or ""):
            raise CannotTeach(f"question {question_id} holds something redacted: write an example of your own into {path}")
        if after:
            _add_precedent(path, Precedent(after, text, topic))
        else:
            _add_example(path, text)
        self._set(question_id, TAUGHT, topic)
        return path

    def dismiss(self, question_id: int) -> None:
        """Takes a question off the list.

        Raises:
            CannotTeach: there is no such open question.
        """
        self._asked(question_id)
        self._set(question_id, DISMISSED, None)

    def _asked(self, question_id: int) -> tuple[str, str | None]:
        """The question and the one before it."""
        asked = select(UnansweredQuestion.text, UnansweredQuestion.after)
        query = asked.where(UnansweredQuestion.id == question_id, UnansweredQuestion.state == OPEN)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise CannotTeach(f"there is no open question {question_id}")
        return row.text, row.after

    def _set(self, question_id: int, state: str, topic: str | None) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(UnansweredQuestion).where(UnansweredQuestion.id == question_id).values(state=state, topic=topic)
            )


def _add_example(path: Path, text: str) -> None:
    if normalise(text) in {normalise(example.text) for _, examples in read_examples(path) for example in examples}:
        raise CannotTeach(f"{path} has this example already")
    before, mark, answers = path.read_text(encoding="utf-8").partition("responses:\n")
    path.write_text(f"{before.rstrip()}\n      - {text}\n{mark}{answers}", encoding="utf-8")


def _add_precedent(path: Path, precedent: Precedent) -> None:
    known = follow_ups.read_file(path) if path.exists() else []
    if _normalised(precedent) in map(_normalised, known):
        raise CannotTeach(f"{path} has this already")
    # Text in JSON's quotes is text in YAML's, too.
    after, says = (json.dumps(text, ensure_ascii=False) for text in (precedent.after, precedent.says))
    with path.open("a", encoding="utf-8") as file:
        file.write(f"- {{after: {after}, says: {says}}}\n")


def _normalised(precedent: Precedent) -> tuple[str, str]:
    return normalise(precedent.after), normalise(precedent.says)
