"""Text messages under stress: bursts of 200 a second from 500 numbers, every fifth one retried, the server killed in the middle.

Plays Twilio on both sides: posts signed texts, again when the server does not answer, and takes the texts that the server
sends by its API. At the end each text has to have been answered once, and those of a number in the order they came in.

    python -m bench.stress_sms [--short]
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import Engine, select

from bot.sms.signature import sign
from bot.sms.simulate import PATH
from clinic import database
from clinic.models import SmsInbound, Turn
from tests.services import free_port
from tests.sms.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

PUBLIC, SENDER = "https://stipple.clinic.example", "+12125550100"
A_SECOND, PAUSE = 200, 4.0
# 500 numbers of those reserved for fiction
NUMBERS = [f"+1{area}555{n:04d}" for area in (212, 213, 312, 415, 617) for n in range(100, 200)]
QUESTIONS = (
    "does it hurt?",
    "how long does it take to heal",
    "what does it cost",
    "when are you open",
    "can i wear makeup",
    "hi",
)
#: as Twilio waits for an answer, and how long it goes on asking a server that is away
PATIENCE, GIVES_UP = 15.0, 240.0


@dataclass
class Sent:
    """A text, and all that came back for it."""

    sid: str
    number: str
    body: str
    answers: list[str] = field(default_factory=list)
    #: until the answer, when that came at once; texts that met the killed server do not count
    seconds: float | None = None


class Server:
    """`stipple serve` on a database of its own."""

    def __init__(self, folder: Path, api: str) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        shutil.copytree("var/encoder", folder / "encoder")
        self._environment = os.environ | {
            "STIPPLE_FOLDER": str(folder),
            "STIPPLE_DATABASE_URL": f"sqlite:///{folder / 'stipple.db'}",
            "STIPPLE_PORT": str(self.port),
            "STIPPLE_PUBLIC_URL": PUBLIC,
            "STIPPLE_TWILIO_ACCOUNT": ACCOUNT,
            "STIPPLE_TWILIO_TOKEN": TOKEN,
            "STIPPLE_TWILIO_SENDER": SENDER,
            "STIPPLE_TWILIO_API": api,
            "STIPPLE_LOG_LEVEL": "warning",
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts it and waits until it answers."""
        self._launch()
        async with httpx.AsyncClient() as client:
            for _ in range(2400):
                try:
                    if (await client.get(f"{self.base}/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def _launch(self) -> None:
        command = [sys.executable, "-c", "from bot.cli import main; main()", "serve"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """Ends it without a chance to tidy up."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


async def post(client: httpx.AsyncClient, base: str, text: Sent) -> None:
    """Posts a text until it is answered, and notes the answer."""
    fields = {
        "MessageSid": text.sid,
        "From": text.number,
        "To": SENDER,
        "Body": text.body,
        "NumMedia": "0",
        "AccountSid": ACCOUNT,
    }
    headers = {"X-Twilio-Signature": sign(TOKEN, PUBLIC + PATH, fields)}
    began, last = time.perf_counter(), ""
    while time.perf_counter() - began < GIVES_UP:
        try:
            answer = await client.post(base + PATH, data=fields, headers=headers)
            if answer.status_code == 200:
                text.answers.append(answer.text)
                if not last:
                    text.seconds = max(text.seconds or 0.0, time.perf_counter() - began)
                return
            last = f"{answer.status_code}: {answer.text}"
        except httpx.HTTPError as error:
            last = repr(error)
        await asyncio.sleep(0.5)
    raise RuntimeError(f"a text was not answered at all: {last}")


async def run(bursts: int, seed: int) -> dict[str, object]:
    """Does it all, and returns what was measured."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="stress-sms-"))
    twilio = FakeTwilio()
    server = Server(folder, twilio.url)
    texts: list[Sent] = []
    try:
        await server.start()
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
        async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
            waiting: list[asyncio.Task[None]] = []
            for burst in range(bursts):
                for n in range(A_SECOND):
                    text = Sent(f"SM{len(texts):032x}", chance.choice(NUMBERS), chance.choice(QUESTIONS))
                    texts.append(text)
                    waiting.append(asyncio.create_task(post(client, server.base, text)))
                    if n % 5 == 0:
                        waiting.append(asyncio.create_task(_retry(client, server.base, text, chance.uniform(0.0, 1.0))))
                    await asyncio.sleep(1 / A_SECOND)
                    if burst == bursts // 2 and n == A_SECOND // 2:
                        server.kill()
                        restart = asyncio.create_task(server.start())
                await asyncio.sleep(PAUSE)
            try:
                await asyncio.gather(restart, *waiting)
            except RuntimeError as error:
                raise RuntimeError(server.log.read_text()[-3000:]) from error
            # What was answered although nobody waited any more goes out by the API.
            await asyncio.sleep(
                30 if any(len(set(text.answers)) != 1 or "<Message" not in text.answers[0] for text in texts) else 1
            )
        return judge(texts, twilio, database.connect(f"sqlite:///{folder / 'stipple.db'}"), server.log)
    finally:
        server.kill()
        twilio.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _retry(client: httpx.AsyncClient, base: str, text: Sent, after: float) -> None:
    await asyncio.sleep(after)
    await post(client, base, text)


def judge(texts: list[Sent], twilio: FakeTwilio, base: Engine, log: Path) -> dict[str, object]:
    """Counts what went wrong; all of these counts have to be nothing."""
    with base.connect() as connection:
        stored = connection.execute(select(SmsInbound.sid, SmsInbound.number, SmsInbound.via).order_by(SmsInbound.id)).all()
        turns = connection.execute(select(Turn.conversation_id, Turn.message_id).order_by(Turn.number)).all()
    arrived: dict[str, list[str]] = defaultdict(list)
    for row in stored:
        arrived[row.number].append(row.sid)
    number_of = {text.sid: text.number for text in texts}
    answered: dict[str, list[str]] = defaultdict(list)
    for turn in turns:
        answered[number_of[turn.message_id]].append(turn.message_id)
    via = {row.sid: row.via for row in stored}
    late = Counter(sent["To"] for sent in twilio.texts)
    seconds = sorted(text.seconds for text in texts if text.seconds is not None)
    return {
        "texts": len(texts),
        "answers": sum(len(text.answers) for text in texts),
        "p50_ms": round(statistics.median(seconds) * 1000),
        "p99_ms": round(seconds[int(len(seconds) * 0.99)] * 1000),
        "by_api": sum(late.values()),
        "wrong": {
            "lost": len({text.sid for text in texts} - via.keys()),
            "doubled_turns": len(turns) - len({turn.message_id for turn in turns}),
            "without_turn": len(texts) - len({turn.message_id for turn in turns}),
            "out_of_order": sum(arrived[number] != answered[number] for number in arrived),
            "different_answers_to_a_retry": sum(len(set(text.answers)) > 1 for text in texts if via.get(text.sid) == "twiml"),
            "unanswered": sum("<Message" not in text.answers[-1] for text in texts if via.get(text.sid) == "twiml"),
            "not_handed_over": sum(each is None for each in via.values()),
            "by_both_ways": sum("<Message" in text.answers[-1] for text in texts if via.get(text.sid) == "outbox"),
            "late_and_never_sent": len({number_of[sid] for sid, each in via.items() if each == "outbox"} - late.keys()),
            "server_errors": log.read_text().count("Traceback"),
        },
    }


def main() -> None:
    """Runs it from the command line; ends with 1 when anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few bursts instead of two minutes of them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    result = asyncio.run(run(3 if options.short else 24, options.seed))
    print(json.dumps(result, indent=2))
    wrong = result["wrong"]
    sys.exit(1 if isinstance(wrong, dict) and any(wrong.values()) else 0)


if __name__ == "__main__":
    main()
