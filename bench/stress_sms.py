"""Text messages under stress: bursts of 200 a second from 500 numbers, every fifth one repeated, the server killed in the middle.

Plays Twilio on both sides: posts signed texts, again when the server does not answer, and takes the texts that the server
sends by its API. At the end each text has to have been answered once, and those of a number in the order they came in.

    python -m bench.stress_sms [--short]
"""

import argparse
import asyncio
import dataclasses
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import httpx
from sqlalchemy import Engine, select

from bench.serving import Server
from bot.sms.signature import sign
from bot.sms.simulate import PATH
from clinic import database
from clinic.models import OutboxMessage, SmsInbound, Turn
from tests.sms.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

PUBLIC, SENDER = "https://stipple.clinic.example", "+12125550100"
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
EVERY = 5
#: as Twilio waits for an answer, and how long it goes on asking a server that is away; all in seconds
PATIENCE, GIVES_UP, SETTLES = 15.0, 240.0, 240.0


@dataclasses.dataclass(frozen=True)
class Load:
    """How many texts arrive a second, for a second each time, how often, and how many seconds of rest come after each time."""

    a_second: int = 200
    bursts: int = 24
    rest: float = 4.0
    numbers: int = len(NUMBERS)


@dataclasses.dataclass
class Sent:
    """A text, and all that came back for it."""

    sid: str
    number: str
    body: str
    burst: int
    answers: list[str] = dataclasses.field(default_factory=list)
    #: until the first answer
    seconds: float = 0.0


def serving(folder: Path, twilio: FakeTwilio) -> Server:
    """A server, not started yet, whose texts go to a Twilio of ours."""
    return Server(
        folder,
        public_url=PUBLIC,
        twilio_account=ACCOUNT,
        twilio_token=TOKEN,
        twilio_sender=SENDER,
        twilio_api=twilio.url,
    )


async def run(server: Server, twilio: FakeTwilio, load: Load, seed: int = 1) -> dict[str, object]:
    """Puts a load on a server that answers already, kills it in the middle, and returns what was measured and what is wrong."""
    chance = random.Random(seed)
    texts: list[Sent] = []
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
        waiting: list[asyncio.Task[None]] = []
        restart: asyncio.Task[float] | None = None
        disturbed = {load.bursts // 2}
        for burst in range(load.bursts):
            if restart is not None and not restart.done():
                # What waits for the server to be back is answered together with the burst after.
                disturbed |= {burst, burst + 1}
            for n in range(load.a_second):
                number = chance.choice(NUMBERS[: load.numbers])
                texts.append(Sent(f"SM{len(texts):032x}", number, chance.choice(QUESTIONS), burst))
                waiting.append(asyncio.create_task(post(client, server.url, texts[-1])))
                if n % EVERY == 0:
                    again = post(client, server.url, texts[-1], after=chance.uniform(0.0, 1.0))
                    waiting.append(asyncio.create_task(again))
                await asyncio.sleep(1 / load.a_second)
            if restart is None and burst in disturbed:
                # Some of the burst are answered by now, the others are not.
                await until(lambda burst=burst: any(text.answers for text in texts if text.burst == burst))  # type: ignore[misc]
                server.kill()
                restart = asyncio.create_task(asyncio.to_thread(_start, server))
                disturbed.add(burst + 1)
            await asyncio.sleep(load.rest)
        assert restart is not None
        await asyncio.gather(*waiting)
        away = await restart
    base = database.connect(server.database_url)
    # What was answered although nobody waited any more goes out by the API.
    await until(lambda: settled(base))
    log = (server.folder / "log").read_text()
    found = {"away_s": round(away, 1), "by_api": len(twilio.texts), "wrong": wrong(texts, twilio, base, log)}
    return measured(texts, disturbed) | found


def _start(server: Server) -> float:
    """Starts it; how many seconds it took until it answered."""
    began = time.perf_counter()
    server.start()
    return time.perf_counter() - began


async def until(good: Callable[[], bool]) -> None:
    """Looks until something is so."""
    async with asyncio.timeout(SETTLES):
        while not good():  # noqa: ASYNC110 - what it looks at is another process's
            await asyncio.sleep(0.02)


async def post(client: httpx.AsyncClient, url: str, text: Sent, after: float = 0.0) -> None:
    """Posts a text until it is answered, and notes the answer."""
    await asyncio.sleep(after)
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
            answer = await client.post(url + PATH, data=fields, headers=headers)
            if answer.status_code == 200:
                text.answers.append(answer.text)
                text.seconds = text.seconds or time.perf_counter() - began
                return
            last = f"{answer.status_code}: {answer.text}"
        except httpx.HTTPError as error:
            last = repr(error)
        await asyncio.sleep(0.2)
    raise RuntimeError(f"a text was not answered at all: {last}")


def settled(base: Engine) -> bool:
    """Whether every text that came in has its reply, and every reply has left."""
    late = select(OutboxMessage.id).where(OutboxMessage.channel == "text", OutboxMessage.state.in_(("waiting", "sending")))
    open_ = select(SmsInbound.sid).where(SmsInbound.via.is_(None) | SmsInbound.reply.is_(None))
    with base.connect() as connection:
        return connection.execute(late.limit(1)).first() is None and connection.execute(open_.limit(1)).first() is None


def measured(texts: list[Sent], disturbed: set[int]) -> dict[str, object]:
    """How long answers took, apart from the bursts that met no server, and the one after them."""
    undisturbed = sorted(text.seconds for text in texts if text.burst not in disturbed) or [0.0]
    return {
        "texts": len(texts),
        "answers": sum(len(text.answers) for text in texts),
        "p50_ms": round(statistics.median(undisturbed) * 1000),
        "p99_ms": round(undisturbed[int(len(undisturbed) * 0.99)] * 1000),
        "longest_ms": round(undisturbed[-1] * 1000),
    }


def wrong(texts: list[Sent], twilio: FakeTwilio, base: Engine, log: str) -> dict[str, int]:
    """Counts what went wrong; all of these counts have to be nothing."""
    with base.connect() as connection:
        inbound = select(SmsInbound.sid, SmsInbound.number, SmsInbound.via, SmsInbound.reply).order_by(SmsInbound.id)
        stored = connection.execute(inbound).all()
        turns = connection.execute(select(Turn.conversation_id, Turn.message_id).order_by(Turn.number)).all()
    arrived: dict[str, list[str]] = defaultdict(list)
    for row in stored:
        arrived[row.number].append(row.sid)
    number_of = {text.sid: text.number for text in texts}
    answered: dict[str, list[str]] = defaultdict(list)
    for turn in turns:
        answered[number_of[turn.message_id]].append(turn.message_id)
    ways = {row.sid: row.via for row in stored}
    direct = [text for text in texts if ways.get(text.sid) == "twiml"]
    late = Counter((row.number, said) for row in stored if row.via == "outbox" for said in json.loads(row.reply))
    sent = Counter((text["To"], text["Body"]) for text in twilio.texts)
    return {
        "lost": len(number_of.keys() - ways.keys()),
        "doubled_turns": len(turns) - len({turn.message_id for turn in turns}),
        "without_turn": len(number_of.keys() - {turn.message_id for turn in turns}),
        "out_of_order": sum(arrived[number] != answered[number] for number in arrived),
        "different_answers_to_a_retry": sum(len(set(text.answers)) > 1 for text in direct),
        "unanswered": sum("<Message" not in text.answers[-1] for text in direct),
        "by_both_ways": sum("<Message" in text.answers[-1] for text in texts if ways.get(text.sid) == "outbox"),
        "late_and_never_sent": (late - sent).total(),
        "sent_more_than_once": (sent - late).total(),
        "server_errors": log.count("Traceback"),
    }


def main() -> None:
    """Runs it from the command line; ends with 1 when anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a few bursts instead of two minutes of them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    twilio = FakeTwilio()
    with tempfile.TemporaryDirectory(prefix="stress-sms-") as folder:
        server = serving(Path(folder), twilio)
        try:
            server.start()
            result = asyncio.run(run(server, twilio, Load(bursts=3 if options.short else 24), options.seed))
        finally:
            server.kill()
            twilio.close()
    print(json.dumps(result, indent=2))
    found = result["wrong"]
    sys.exit(1 if isinstance(found, dict) and any(found.values()) else 0)


if __name__ == "__main__":
    main()
