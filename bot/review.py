"""What a clinic looks at now and then: the alarms of a month, and the questions that nobody answered.

Nothing is learned by itself: a question becomes an example of a topic when a person has looked at it and says so.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, insert, select, update

from bot.nlu.text import normalise
from bot.redaction import redacted
from bot.reply import Reply
from bot.topics import read_examples
from clinic.models import SafetyAlarm, UnansweredQuestion

NLU = Path("data/nlu")
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

    def unanswered(self, text: str, reply: Reply, channel: str, reason: str) -> None:
        """Keeps a question, without what tells who asked it."""
        values = {
            "at": dt.datetime.now(dt.UTC),
            "channel": channel,
            "text": redacted(text),
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

    def teach(self, question_id: int, topic: str, folder: Path = NLU) -> Path:
        """Adds a question to the examples of a topic, and returns the file; the next training learns it.

        Raises:
            CannotTeach: there is no such open question or topic, or the example stands there already.
        """
        text = self._text(question_id)
        path = next((p for p in folder.rglob("*.yml") if p.stem == topic), None)
        if path is None:
            raise CannotTeach(f"there is no topic {topic}")
        if "[" in text:
            raise CannotTeach(f"question {question_id} holds something redacted: write an example of your own into {path}")
        if normalise(text) in {normalise(example.text) for _, examples in read_examples(path) for example in examples}:
            raise CannotTeach(f"{path} has this example already")
        before, mark, answers = path.read_text(encoding="utf-8").partition("responses:\n")
        path.write_text(f"{before.rstrip()}\n      - {text}\n{mark}{answers}", encoding="utf-8")
        self._set(question_id, TAUGHT, topic)
        return path

    def dismiss(self, question_id: int) -> None:
        """Takes a question off the list.

        Raises:
            CannotTeach: there is no such open question.
        """
        self._text(question_id)
        self._set(question_id, DISMISSED, None)

    def _text(self, question_id: int) -> str:
        query = select(UnansweredQuestion.text).where(UnansweredQuestion.id == question_id, UnansweredQuestion.state == OPEN)
        with self._engine.connect() as connection:
            text = connection.scalar(query)
        if text is None:
            raise CannotTeach(f"there is no open question {question_id}")
        return text

    def _set(self, question_id: int, state: str, topic: str | None) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(UnansweredQuestion).where(UnansweredQuestion.id == question_id).values(state=state, topic=topic)
            )
