"""E-mail through a real SMTP server, and webhooks to a real HTTP server."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from clinic.outbox import Attachment, Message, SendFailed
from clinic.senders import EmailSender, Mailbox, WebhookSender
from tests.receivers import PATIENCE, Inbox, Receiver, mail_server, web_server
from tests.services import free_port

LETTER = Message(
    "0123456789abcdef",
    "staff.visit_booked",
    to="hello@larkfield-skin.example",
    subject="New visit: Zoë",
    text="Zoë has booked.\n",
    attachments=(Attachment("appointment.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n"),),
)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def mailbox(inbox: Inbox) -> Mailbox:
    return Mailbox("127.0.0.1", inbox.port, "Larkfield <desk@larkfield-skin.example>", security="none", timeout=PATIENCE)


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
    unsafe = Mailbox("127.0.0.1", mailbox.port, mailbox.sender, security="starttls", timeout=PATIENCE)
    no_login = Mailbox("127.0.0.1", mailbox.port, mailbox.sender, security="none", user="u", password="p", timeout=PATIENCE)
    for box in (away, unsafe, no_login):
        with pytest.raises(SendFailed) as failure:
            EmailSender(box, clock).send(LETTER)
        assert not failure.value.permanent
    assert "p" not in repr(no_login).partition("password")[2]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with web_server() as made:
        yield made


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
