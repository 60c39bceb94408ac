"""The two systems that are measured, behind one face: train, serve, talk, and say what a question is about."""

import http.client
import json
import os
import subprocess
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import stock
from bench.folders import FALLBACK
from bench.process import Process
from bench.serving import free_port

OUT_OF_SCOPE = "out_of_scope"
#: seconds that a client waits for a reply, and for all held-out questions together
REPLY_PATIENCE, ACCURACY_PATIENCE = 60, 1200
NEVER = "1000000/second"

#: says a text, and gives the reply
Say = Callable[[str], str]


class Refused(Exception):
    """A request got no good response."""


@dataclass(frozen=True)
class Question:
    """A held-out question, and the topic that it is about."""

    text: str
    topic: str
    channel: str


class Client:
    """One client on one connection, which it keeps."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REPLY_PATIENCE)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        """Sends JSON and gives the JSON that comes back.

        Raises:
            Refused: the status is not one of success.
            OSError, http.client.HTTPException: there is no server.
        """
        content = json.dumps(body).encode()
        try:
            self._connection.request("POST", path, content, {"Content-Type": "application/json"} | (headers or {}))
            with self._connection.getresponse() as response:
                said = response.read()
        except (OSError, http.client.HTTPException):
            # The next request begins with a fresh connection.
            self._connection.close()
            raise
        if not 200 <= response.status < 300:
            raise Refused(f"{path}: {response.status} {said[:200]!r}")
        return json.loads(said)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


class Contestant(ABC):
    """A system in a folder of its own."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()

    @contextmanager
    def training(self) -> Iterator[Process]:
        """The process that trains."""
        with Process(self._train_command(), self.folder, self._environment(), self.folder / "train.log") as process:
            yield process

    @contextmanager
    def serving(self) -> Iterator[Process]:
        """The server's process."""
        with Process(self._serve_command(), self.folder, self._environment(), self.folder / "serve.log") as process:
            yield process

    def client(self) -> Client:
        """A client of the server."""
        return Client(self.port)

    @abstractmethod
    def talk(self, client: Client) -> Say:
        """Begins a conversation."""

    @abstractmethod
    def topics(self, client: Client, questions: list[Question]) -> list[tuple[str, ...]]:
        """What each question is taken to be about; of several topics, each counts as its guess."""

    @abstractmethod
    def _train_command(self) -> list[str | Path]: ...

    @abstractmethod
    def _serve_command(self) -> list[str | Path]: ...

    @abstractmethod
    def _environment(self) -> dict[str, str]: ...


class Stock(Contestant):
    """Rasa 3.6.21 as it comes: `rasa train`, `rasa run`, the REST channel."""

    name = "stock Rasa"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._rasa = stock.rasa()

    def talk(self, client: Client) -> Say:
        sender = uuid.uuid4().hex

        def say(text: str) -> str:
            replies = client.post("/webhooks/rest/webhook", {"sender": sender, "message": text})
            return "\n".join(reply.get("text", "") for reply in replies)

        return say

    def topics(self, client: Client, questions: list[Question]) -> list[tuple[str, ...]]:
        return [self._guess(client.post("/model/parse", {"text": question.text})) for question in questions]

    def _guess(self, prediction: dict[str, Any]) -> tuple[str, ...]:
        """The topic; where stock falls back, both that it is out of scope and the likeliest intent count."""
        ranking = [intent["name"] for intent in prediction["intent_ranking"]]
        intent = next((name for name in ranking if name != FALLBACK), FALLBACK)
        selected = prediction.get("response_selector", {}).get(intent, {}).get("response", {}).get("intent_response_key")
        topic = (selected or intent).rpartition("/")[2]
        return (OUT_OF_SCOPE, topic) if prediction["intent"]["name"] == FALLBACK else (topic,)

    def _train_command(self) -> list[str | Path]:
        return [self._rasa, "train", "--data", "data", "--out", "models", "--fixed-model-name", "stock"]

    def _serve_command(self) -> list[str | Path]:
        # The API is what tells a question's intent without a reply; it adds routes, and nothing to a message.
        return [self._rasa, "run", "--enable-api", "-i", "127.0.0.1", "-p", str(self.port), "--model", "models"]

    def _environment(self) -> dict[str, str]:
        return {"RASA_TELEMETRY_ENABLED": "false"}


class Stipple(Contestant):
    """Stipple as it comes: `stipple train`, `stipple serve`, the website API."""

    name = "Stipple"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._stipple = Path(sys.executable).with_name("stipple")
        self._data = folder / "var"
        self._data.mkdir()
        built = Path(os.environ.get("STIPPLE_FOLDER", "var")).absolute() / "encoder"
        (self._data / "encoder").symlink_to(built)

    def talk(self, client: Client) -> Say:
        token = client.post("/chat/sessions", {})["token"]
        headers = {"Authorization": f"Bearer {token}"}

        def say(text: str) -> str:
            replies = client.post("/chat/messages", {"id": uuid.uuid4().hex, "text": text}, headers)
            return "\n".join(message["text"] for message in replies["messages"])

        return say

    def topics(self, client: Client, questions: list[Question]) -> list[tuple[str, ...]]:
        lines = "".join(json.dumps({"text": q.text, "channel": q.channel}) + "\n" for q in questions)
        asked = subprocess.run(
            [self._stipple, "ask", "--jsonl"],
            cwd=self.folder,
            env=os.environ | self._environment(),
            input=lines,
            capture_output=True,
            text=True,
            check=True,
            timeout=ACCURACY_PATIENCE,
        )
        # As `stipple eval` counts: of several questions found in one message, the first.
        return [(json.loads(line)["topics"][0],) for line in asked.stdout.splitlines()]

    def _train_command(self) -> list[str | Path]:
        return [self._stipple, "train"]

    def _serve_command(self) -> list[str | Path]:
        return [self._stipple, "serve"]

    def _environment(self) -> dict[str, str]:
        settings = {
            "host": "127.0.0.1",
            "port": self.port,
            "folder": self._data,
            "database_url": f"sqlite:///{self._data / 'stipple.db'}",
            "panel": Path("bot/web/panel.yml").absolute(),
            "log_level": "warning",
        } | dict.fromkeys(("limit_messages", "limit_address", "limit_sessions"), NEVER)
        return {"RASA_TELEMETRY_ENABLED": "false"} | {f"STIPPLE_{name.upper()}": str(value) for name, value in settings.items()}


def right(guesses: Iterable[tuple[str, ...]], questions: Iterable[Question]) -> float:
    """The share of questions whose topic was guessed."""
    hits = [question.topic in guess for guess, question in zip(guesses, questions, strict=True)]
    return sum(hits) / len(hits)
