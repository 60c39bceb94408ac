"""The ways out of the outbox that need no one else's library: e-mail and a signed webhook."""

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

import httpx

from clinic.clock import Clock
from clinic.outbox import Message, SendFailed

Security = Literal["none", "starttls", "tls"]


@dataclasses.dataclass(frozen=True)
class Mailbox:
    """Where e-mail goes out; `timeout` in seconds."""

    host: str
    port: int
    sender: str
    security: Security = "starttls"
    user: str = ""
    password: str = dataclasses.field(default="", repr=False)
    timeout: float = 20.0


class EmailSender:
    """Sends e-mail by SMTP. A message sent twice bears the same Message-ID."""

    def __init__(self, mailbox: Mailbox, clock: Clock) -> None:
        self._mailbox = mailbox
        self._clock = clock

    def send(self, message: Message) -> None:
        """Sends one e-mail.

        Raises:
            SendFailed: for good when the server refuses it with a 5xx code, for now in all other cases.
        """
        try:
            with self._connect() as server:
                server.send_message(self._written(message))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise SendFailed(f"smtp {codes[0]}", permanent=all(code >= 500 for code in codes)) from error
        except smtplib.SMTPResponseException as error:
            # A wrong password is the clinic's to put right, after which the message can still go.
            permanent = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise SendFailed(f"smtp {error.smtp_code}", permanent=permanent) from error
        except (OSError, smtplib.SMTPException) as error:
            raise SendFailed(f"smtp {type(error).__name__}") from error

    def _connect(self) -> smtplib.SMTP:
        box = self._mailbox
        if box.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(box.host, box.port, timeout=box.timeout, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(box.host, box.port, timeout=box.timeout)
        try:
            if box.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if box.user:
                server.login(box.user, box.password)
        except BaseException:
            server.close()
            raise
        return server

    def _written(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._mailbox.sender
        letter["To"] = message.to
        letter["Subject"] = message.subject
        letter["Date"] = format_datetime(self._clock())
        letter["Message-ID"] = f"<{message.id}@{self._mailbox.sender.rpartition('@')[2].rstrip('>')}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        for attachment in message.attachments:
            kind, _, rest = attachment.content_type.partition(";")
            main, _, sub = kind.strip().partition("/")
            parameters = dict(part.strip().split("=", 1) for part in rest.split(";") if "=" in part)
            letter.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name, params=parameters)
        return letter


class WebhookSender:
    """Posts events as JSON, signed so that the receiver can tell that they are ours and new.

    `Stipple-Signature: t=<seconds since 1970>,v1=<hex>` is the HMAC-SHA256 of `<t>.<body>` under the shared secret;
    `Idempotency-Key` is the same when an event is posted twice.
    """

    def __init__(self, url: str, secret: str, clock: Clock, timeout: float = 10.0) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._timeout = timeout

    def send(self, message: Message) -> None:
        """Posts one event.

        Raises:
            SendFailed: for good when the receiver answers with a 4xx other than 408, 409, 425 and 429; else for now.
        """
        body = json.dumps({"id": message.id, "event": message.kind, "data": dict(message.data)}).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.id,
            "Stipple-Signature": sign(self._secret, int(self._clock().timestamp()), body),
        }
        try:
            answer = httpx.post(self._url, content=body, headers=headers, timeout=self._timeout)
        except httpx.HTTPError as error:
            raise SendFailed(f"webhook {type(error).__name__}") from error
        if answer.is_success:
            return
        permanent = 400 <= answer.status_code < 500 and answer.status_code not in (408, 409, 425, 429)
        raise SendFailed(f"webhook {answer.status_code}", permanent=permanent, retry_after=_retry_after(answer.headers))


def sign(secret: str, at: int, body: bytes) -> str:
    """The value of `Stipple-Signature` for a body sent at a moment, in seconds since 1970."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _retry_after(headers: httpx.Headers) -> dt.timedelta | None:
    seconds = headers.get("Retry-After", "")
    return dt.timedelta(seconds=min(int(seconds), 3600)) if seconds.isdigit() else None
