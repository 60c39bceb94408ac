"""Runs Rasa's commands, a start, a turn and a crash in one process, and notes every connection that leaves the machine.

    python tests/outside.py REPORT [COMMAND ...]

Each COMMAND is a `rasa` command line, or `turn` or `crash`. REPORT becomes a JSON list of [event, target].
"""

import atexit
import ipaddress
import json
import sys
from pathlib import Path
from typing import Any

LOOPBACK = {"localhost", "", "None"}
found: list[tuple[str, str]] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: CPython calls it before a socket does anything."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        # The address of a Unix socket is a path.
        if isinstance(address, tuple) and not local(str(address[0])):
            found.append((event, str(address[0])))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not local(str(arguments[0])):
        found.append((event, str(arguments[0])))


def local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK


def rasa(line: str) -> object:
    from rasa.__main__ import main

    sys.argv = ["rasa", *line.split()]
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


def turn() -> object:
    import asyncio

    from bot.engine import Engine
    from bot.settings import Settings

    engine = Engine.load(Settings.read())
    reply = asyncio.run(engine.turn("outside", "he is not breathing"))
    return 0 if reply.messages else 1


def run(report: Path, commands: list[str]) -> None:
    # Registered first, so called last: after whatever else wants to send something at the end.
    atexit.register(lambda: report.write_text(json.dumps(found)))
    sys.addaudithook(watch)
    for command in commands:
        if command == "crash":
            raise RuntimeError("a crash, on purpose")
        code = turn() if command == "turn" else rasa(command)
        print(f"\n===== {command}: {code}", flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
