"""Twilio, played for the running server: posts texts signed as Twilio signs them, and reads the answers."""

import dataclasses
import secrets
import xml.etree.ElementTree as ET

import httpx

from bot.settings import Settings
from bot.sms.signature import sign
from bot.sms_text import encoding, length, segments

PATH = "/sms/inbound"
#: as long as Twilio waits
TIMEOUT = httpx.Timeout(15.0, connect=5.0)


class NoAnswer(Exception):
    """The server gave no answer that Twilio could use; the text says what it did."""


@dataclasses.dataclass(frozen=True)
class Heard:
    """A text that the server answered with."""

    text: str

    def __str__(self) -> str:
        """The text, and what it costs."""
        count = segments(self.text)
        return (
            f"{self.text}\n  [{length(self.text)} characters, {encoding(self.text)}, {count} segment{'s' if count != 1 else ''}]"
        )


def post(settings: Settings, client: httpx.Client, number: str, text: str, **more: str) -> list[Heard]:
    """Posts a text as Twilio would, and returns what the server answers; `more` are further fields of Twilio's.

    Raises:
        NoAnswer: it answers nothing that Twilio could use, or not at all.
    """
    if not settings.public_url or not settings.twilio_token:
        raise NoAnswer("set STIPPLE_PUBLIC_URL and STIPPLE_TWILIO_TOKEN to what the server has (see docs/sms.md)")
    sid = f"SM{secrets.token_hex(16)}"
    fields = {
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "AccountSid": settings.twilio_account or "AC" + "0" * 32,
        "From": number,
        "To": settings.twilio_sender if settings.twilio_sender.startswith("+") else "+12125550100",
        "Body": text,
        "NumMedia": "0",
        "NumSegments": str(segments(text)),
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    } | more
    headers = {"X-Twilio-Signature": sign(settings.twilio_token, settings.public_url + PATH, fields)}
    try:
        answer = client.post(PATH, data=fields, headers=headers)
    except httpx.HTTPError as error:
        raise NoAnswer(f"the server at {client.base_url} does not answer: {error}") from error
    if answer.status_code == 403:
        raise NoAnswer("403: the server has another STIPPLE_PUBLIC_URL or STIPPLE_TWILIO_TOKEN than this terminal")
    if answer.status_code != 200:
        raise NoAnswer(f"the server answers {answer.status_code}: {answer.text}")
    try:
        root = ET.fromstring(answer.text)  # noqa: S314 - our own server's answer
    except ET.ParseError as error:
        raise NoAnswer(f"the server's answer is no TwiML: {answer.text}") from error
    return [Heard(message.text or "") for message in root.iter("Message")]


def client(settings: Settings) -> httpx.Client:
    """A way to the server of the settings."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - turned into one to call
    return httpx.Client(base_url=f"http://{host}:{settings.port}", timeout=TIMEOUT)
