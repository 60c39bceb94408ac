"""Staff's shell: a conversation in the terminal, with the engine that visitors talk to."""

import uuid
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory
from rich.console import Console
from rich.text import Text

from bot import report
from bot.engine import Engine
from bot.reply import Choice, Reply
from bot.sms_text import segments
from clinic import yaml

WORDING = Path(__file__).parent / "shell.yml"
CHANNELS = ("web", "sms")


class Shell:
    """Reads lines, answers them, and obeys `:commands`."""

    def __init__(self, engine: Engine, console: Console) -> None:
        self._engine, self._console = engine, console
        self._say: dict[str, str] = yaml.read(WORDING)
        self._channel = "web"
        self._last: Reply | None = None
        self._conversation = ""
        self._reset()

    async def run(self, history: Path) -> None:
        """Talks until the end of input, `:quit` or control-D."""
        history.parent.mkdir(parents=True, exist_ok=True)
        commands = WordCompleter([f":{name}" for name in self._commands()] + [f":channel {c}" for c in CHANNELS], sentence=True)
        prompt: PromptSession[str] = PromptSession(history=FileHistory(str(history)), completer=commands)
        self._console.print(self._say["hello"], style="dim")
        while True:
            try:
                line = await prompt.prompt_async(f"{self._channel}> ")
            except (EOFError, KeyboardInterrupt):
                return
            if line.strip() == ":quit":
                return
            await self.read(line)

    async def read(self, line: str) -> None:
        """Answers one line, or obeys it."""
        name, _, argument = line.strip().removeprefix(":").partition(" ")
        if not line.strip().startswith(":"):
            await self._answer(line)
        elif name in self._commands():
            self._commands()[name](argument.strip())
        else:
            self._console.print(self._say["unknown"].format(command=line.strip()), style="red")

    def _commands(self) -> dict[str, Callable[[str], None]]:
        return {
            "why": self._why,
            "sources": self._sources,
            "channel": self._switch,
            "reset": lambda _: self._reset(),
            "help": lambda _: self._console.print(self._say["help"]),
            "quit": lambda _: None,
        }

    def _reset(self) -> None:
        if self._conversation:
            self._engine.store.forget(self._conversation)
            self._console.print(self._say["reset"], style="dim")
        self._conversation, self._last = f"shell-{uuid.uuid4().hex}", None

    async def _answer(self, line: str) -> None:
        choice = self._numbered(line.strip())
        self._last = await self._engine.turn(
            self._conversation, line, choice=choice.id if choice else None, channel=self._channel
        )
        for message in self._last.messages:
            self._console.print(Text(message.text, style="green"))
            if self._channel == "sms":
                self._console.print(self._say["segments"].format(count=segments(message.text)), style="dim")
        for number, offered in enumerate(self._choices(), 1):
            self._console.print(f"  {number}. {offered.title}", style="cyan")

    def _choices(self) -> list[Choice]:
        return [choice for message in self._last.messages for choice in message.choices] if self._last else []

    def _numbered(self, line: str) -> Choice | None:
        offered = self._choices()
        return offered[int(line) - 1] if line.isdecimal() and 1 <= int(line) <= len(offered) else None

    def _why(self, _: str) -> None:
        self._console.print(report.why(self._last) if self._last else self._say["nothing"], style="dim")

    def _sources(self, _: str) -> None:
        found = self._last.sources if self._last else []
        for source in found:
            self._console.print(f"  {source.id}  {source.title}")
        if not found:
            self._console.print(self._say["no_sources"], style="dim")

    def _switch(self, channel: str) -> None:
        if channel in CHANNELS:
            self._channel = channel
        else:
            self._console.print(self._say["channels"], style="red")
