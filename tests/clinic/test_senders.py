"""E-mail through a real SMTP server, and webhooks to a real HTTP server."""

import datetime as dt
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from clinic.outbox import Attachment, Message, SendFailed
from clinic.senders import EmailSender, Mailbox, WebhookSender
from tests.services import free_port

LETTER = Message(
    "0123456789abcdef",
    "staff.visit_booked",
    to="hello@larkfield-skin.example",
    subject="New visit: Zoë",
    text="Zoë has booked.\n",
    attachments=(Attachment("appointment.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n"),),
)


class Inbox:
    """What the SMTP server received; it answers with `answer`."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answer = "250 OK"
        self.recipient_answer = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return self.answer


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def mailbox(inbox: Inbox) -> Iterator[Mailbox]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield Mailbox("127.0.0.1", controller.port, "Larkfield <desk@larkfield-skin.example>", security="none", timeout=5)
    controller.stop()


def test_an_e_mail_arrives_as_written(inbox: Inbox, mailbox: Mailbox, clock: Any) -> None:
    EmailSender(mailbox, clock).send(LETTER)
    EmailSender(mailbox, clock).send(LETTER)
    first, again = inbox.letters
    assert first["Subject"] == "New visit: Zoë"
    assert first["Message-ID"] == again["Message-ID"] == "<0123456789abcdef@larkfield-skin.example>"
    assert first["Auto-Submitted"] == "auto-generated"
    body, attached = first.iter_parts()
    assert body.get_content().strip() == "Zoë has booked."
    assert attached.get_content_type() == "text/calendar"
    assert attached["Content-Type"].params["method"] == "REQUEST"
    assert attached.get_filename() == "appointment.ics"


@pytest.mark.parametrize(
    ("answer", "recipient", "permanent"),
    [
        ("451 later", "250 OK", False),
        ("554 no", "250 OK", True),
        ("250 OK", "550 unknown", True),
        ("250 OK", "450 busy", False),
    ],
)
def test_what_the_server_refuses(
    inbox: Inbox, mailbox: Mailbox, clock: Any, answer: str, recipient: str, permanent: bool
) -> None:
    inbox.answer, inbox.recipient_answer = answer, recipient
    with pytest.raises(SendFailed) as failure:
        EmailSender(mailbox, clock).send(LETTER)
    assert failure.value.permanent is permanent
    assert failure.value.reason in {f"smtp {answer[:3]}", f"smtp {recipient[:3]}"}


def test_a_server_that_is_away_or_unsafe_is_tried_again(mailbox: Mailbox, clock: Any) -> None:
    away = Mailbox("127.0.0.1", free_port(), "desk@larkfield-skin.example", security="none", timeout=1)
    unsafe = Mailbox("127.0.0.1", mailbox.port, mailbox.sender, security="starttls", timeout=5)
    no_login = Mailbox("127.0.0.1", mailbox.port, mailbox.sender, security="none", user="u", password="p", timeout=5)
    for box in (away, unsafe, no_login):
        with pytest.raises(SendFailed) as failure:
            EmailSender(box, clock).send(LETTER)
        assert not failure.value.permanent
    assert "p" not in repr(no_login).partition("password")[2]


class Receiver:
    """A web server that keeps what is posted to it and answers with `status`."""

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


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


EVENT = Message("0123456789abcdef", "staff.visit_booked", data={"reference": "K7M2QX"})


def test_a_webhook_is_signed_and_says_when_it_is_repeated(receiver: Receiver, clock: Any) -> None:
    WebhookSender(receiver.url, "a shared secret", clock).send(EVENT)
    (headers, body), *_ = receiver.posts
    expected = {"id": EVENT.id, "event": EVENT.kind, "data": {"reference": "K7M2QX"}}
    assert json.loads(body) == expected
    assert headers["Idempotency-Key"] == EVENT.id
    parts = dict(part.split("=") for part in headers["Stipple-Signature"].split(","))
    assert int(parts["t"]) == int(clock().timestamp())
    digest = hmac.new(b"a shared secret", parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], digest)


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (410, True), (301, False), (408, False), (429, False), (503, False)]
)
def test_what_the_receiver_answers(receiver: Receiver, clock: Any, status: int, permanent: bool) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": "120"}
    with pytest.raises(SendFailed) as failure:
        WebhookSender(receiver.url, "secret", clock).send(EVENT)
    assert (failure.value.permanent, failure.value.reason) == (permanent, f"webhook {status}")
    assert failure.value.retry_after == dt.timedelta(minutes=2)


def test_a_receiver_that_is_away_is_tried_again(clock: Any) -> None:
    with pytest.raises(SendFailed) as failure:
        WebhookSender(f"http://127.0.0.1:{free_port()}/", "secret", clock, timeout=1).send(EVENT)
    assert not failure.value.permanent
