"""Who the clinic's messages go to: a mail server and a web server within the test, which keep what they get."""

import asyncio
import contextlib
import email
import email.policy
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any, TypeVar

from aiosmtpd.controller import Controller

from tests.services import free_port

#: seconds; only a peer that is away is given up sooner
PATIENCE = 30.0
Seen = TypeVar("Seen")


def wait_for(look: Callable[[], Seen]) -> Seen:
    """Looks until there is something to see."""
    ends = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return seen


class Inbox:
    """What a mail server received; it answers with `answer`, from letter number `slow` on only once `go_on` is set."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.slow: int | None = None
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.answer = "250 OK"
        self.recipient_answer = "250 OK"
        self.port = free_port()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        if self.slow is not None and len(self.letters) >= self.slow:
            self.reached.set()
            await asyncio.to_thread(self.go_on.wait, PATIENCE)
        return self.answer


@contextlib.contextmanager
def mail_server() -> Iterator[Inbox]:
    """A mail server of one's own, without encryption or login."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port, ready_timeout=PATIENCE)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


class Receiver:
    """What a web server was posted; it answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.posts: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((dict(self.headers), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"


@contextlib.contextmanager
def web_server() -> Iterator[Receiver]:
    """A web server of one's own that takes posts."""
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
