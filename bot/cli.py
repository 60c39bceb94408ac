"""The `stipple` command."""

import asyncio
import datetime as dt
import io
import json
import sys
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot import desk, logs, office, visits
from bot.settings import BadSetting, Settings
from bot.sms import cli as sms_cli
from clinic import database, practice
from clinic.yaml import BadFile

if TYPE_CHECKING:
    from bot.review import Review

Channel = Literal["web", "sms"]
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The clinic's front desk.")
app.add_typer(sms_cli.app, name="sms")
app.add_typer(office.outbox, name="outbox")
app.add_typer(office.privacy, name="privacy")
app.add_typer(office.calendar, name="calendar")
app.add_typer(desk.app, name="desk")
app.add_typer(visits.app, name="visits")


def main() -> None:
    """Runs a command; what a person can mend ends in a message of its own, without a traceback."""
    try:
        app()
    except (BadSetting, BadFile) as error:
        sys.exit(str(error))


@app.command()
def serve() -> None:
    """Serve the website and its API."""
    import uvicorn

    settings = _start()
    from bot.web.app import create

    print(f"Stipple listens on http://{settings.host}:{settings.port}", flush=True)
    app = create(settings, lambda: server.should_exit)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            ws="none",
            log_config=None,
            access_log=False,
            forwarded_allow_ips=settings.proxies,
        )
    )
    server.run()


@app.command()
def train() -> None:
    """Train the model, when what it is made from has changed."""
    settings = _start()
    from bot import training

    model = training.train(settings)
    print(f"trained {model}" if model else "the trained model is up to date")


@app.command()
def setup() -> None:
    """Build the sentence encoder and train the model, where that is not done yet."""
    settings = _start()
    from bot import training
    from bot.nlu import encoder_build

    if encoder_build.build(settings.folder / "encoder"):
        print("built the sentence encoder", flush=True)
    model = training.train(settings)
    print(f"trained {model}" if model else "the trained model is up to date")


@app.command()
def ask(
    text: Annotated[str | None, typer.Argument(help="What a visitor would ask.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Show the runners-up and their scores.")] = False,
    channel: Annotated[Channel, typer.Option(help="Whose wording to use.")] = "web",
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read a message a line, write a JSON object a line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write a JSON object.")] = False,
) -> None:
    """Answer a question, or with --jsonl many, each in a fresh conversation that is not kept."""
    if (text is None) != jsonl:
        raise typer.BadParameter("give a question, or --jsonl and the questions on standard input")
    settings = _start(quiet=True)
    from bot import report

    # Whatever the terminal's character set, and whatever is in the file.
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    messages = [{"text": text}] if text is not None else _lines(lines)

    async def answer() -> None:
        async for message, reply in _replies(settings, messages, channel):
            if jsonl or as_json:
                print(report.record(message["text"], reply), flush=True)
            else:
                print(report.lines(reply, message.get("channel", channel), why))

    asyncio.run(answer())


@app.command()
def shell() -> None:
    """Talk with the assistant in the terminal."""
    settings = _start(quiet=True)
    from rich.console import Console

    from bot.background import channels
    from bot.engine import Engine
    from bot.shell import Shell

    console = Console(highlight=False, markup=False)
    # What is booked here is booked, so the clinic is told of it.
    engine = Engine.load(settings, channels=channels(settings, practice.load(settings.clinic)))
    asyncio.run(Shell(engine, console).run(settings.folder / "shell-history"))


@app.command()
def check() -> None:
    """Validate all data: topics, answers, facts, wording, the clinic's file."""
    from bot import check as checks

    findings = checks.check(Path())
    print(checks.report(findings))
    raise typer.Exit(0 if findings.sound else 1)


@app.command(name="eval")
def evaluate(
    what: Annotated[Literal["questions", "safety"], typer.Argument(help="What to score.")] = "questions",
    folder: Annotated[Path, typer.Option(help="The messages, in files like those of tests/questions.")] = Path("tests/questions"),
    plot: Annotated[Path | None, typer.Option(help="Write a picture of the confusions to this file.")] = None,
    misses: Annotated[bool, typer.Option("--misses", help="Tell each message that was not read as it should be.")] = False,
) -> None:
    """Score the understanding on messages that it never learned."""
    settings = _start(quiet=True)
    from bot import evaluation

    engine = evaluation.load(settings)
    if what == "safety":
        print(asyncio.run(evaluation.safety(engine, folder)).table())
    else:
        print(asyncio.run(evaluation.run(engine, folder, plot, misses)))


unanswered = typer.Typer(no_args_is_help=False, help="Questions that got no answer, for a person to look at.")
app.add_typer(unanswered, name="unanswered")


@unanswered.callback(invoke_without_command=True)
def list_unanswered(context: typer.Context) -> None:
    """List the questions that nobody has looked at yet."""
    if context.invoked_subcommand is None:
        for question in _review().questions():
            print(f"{question.id:5d}  {question.at:%Y-%m-%d}  {question.channel:4}  {question.reason:8}  {question.text}")
            if question.after:
                print(f"       after: {question.after}")
            print(f"       likeliest: {question.guess}")


@unanswered.command()
def teach(
    question: int,
    topic: str,
    alone: Annotated[bool, typer.Option("--alone", help="Also one that came after another: as an example by itself.")] = False,
) -> None:
    """Make a question an example of a topic, together with the question before it if it came after one; train afterwards."""
    from bot.review import CannotTeach

    try:
        print(f"added to {_review().teach(question, topic, alone)}; `stipple train` learns it")
    except CannotTeach as error:
        sys.exit(str(error))


@unanswered.command()
def dismiss(question: int) -> None:
    """Take a question off the list."""
    from bot.review import CannotTeach

    try:
        _review().dismiss(question)
    except CannotTeach as error:
        sys.exit(str(error))


@app.command()
def alarms(days: Annotated[int, typer.Option(help="How many days back.")] = 31) -> None:
    """List the safety alarms of a month: level, rules, what was answered; for a clinician's review."""
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    for alarm in _review().alarms(since):
        print(f"{alarm.at:%Y-%m-%d %H:%M}  {alarm.level:16}  {alarm.rules}  answered: {alarm.answered}")


def _review() -> "Review":
    from bot.review import Review

    settings = _start(quiet=True)
    engine = database.connect(settings.database_url)
    database.migrate(engine)
    return Review(engine)


def _start(quiet: bool = False) -> Settings:
    settings = Settings.read()
    logs.configure("error" if quiet else settings.log_level)
    return settings


def _lines(stream: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Each line as a message: JSON with "text" and maybe "channel", or plain text."""
    for line in stream:
        line = line.rstrip("\r\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = line
        if isinstance(message, dict) and isinstance(message.get("text"), str):
            known = message.get("channel") in ("web", "sms")
            yield {"text": message["text"]} | ({"channel": message["channel"]} if known else {})
        else:
            yield {"text": line}


async def _replies(
    settings: Settings, messages: Iterable[dict[str, Any]], channel: Channel
) -> AsyncIterator[tuple[dict[str, Any], Any]]:
    from bot.engine import Engine

    engine = Engine.load(settings.model_copy(update={"database_url": "sqlite://"}))
    await engine.check()
    for message in messages:
        conversation = uuid.uuid4().hex
        yield message, await engine.turn(conversation, message["text"], channel=message.get("channel", channel))
        engine.store.forget(conversation)
