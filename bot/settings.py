"""Every setting, in one typed table: read once from the environment, and wrong ones named at start."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

import limits
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from clinic import database
from clinic.senders import Mailbox, Security

PREFIX = "STIPPLE_"
#: how a connection to a mail server is secured, and its usual port, by the scheme of its address
SMTP: dict[str, tuple[Security, int]] = {"smtp": ("starttls", 587), "smtps": ("tls", 465), "smtp+plain": ("none", 25)}


class BadSetting(Exception):
    """A setting cannot be used; the message names it."""


def _database_url(url: str) -> str:
    database.connect(url).dispose()
    return url


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("must be at least 32 characters long")
    return text


def _listed(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _origin(text: str) -> str:
    text = text.rstrip("/").lower()
    if not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?", text):
        raise ValueError(f"'{text}' is not an origin; write it as https://www.clinic.example, without a path")
    return text


def _rates(text: str) -> str:
    try:
        limits.parse_many(text)
    except ValueError as error:
        raise ValueError(f"'{text}' is not a rate; write it as '20/minute; 300/day'") from error
    return text


def _public_url(url: str) -> str:
    url = url.rstrip("/")
    if url and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?", url):
        raise ValueError(f"'{url}' is not an address; write it as https://stipple.clinic.example")
    return url


def _link(url: str) -> str:
    _public_url(url.replace("{topic}", "").replace("#", "").replace("?", "").replace("=", ""))
    return url


def _redis_url(url: str) -> str:
    if url and not url.startswith(("redis://", "rediss://", "redis+unix://")):
        raise ValueError("must be a redis:// or rediss:// URL")
    return url


def _smtp_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        sound = parts.scheme in SMTP and parts.hostname and parts.port != 0 and not parts.path.strip("/")
    except ValueError:
        # The port is no number; the reason would repeat what may be part of a password.
        sound = False
    if url and not sound:
        raise ValueError("must be an address such as smtp://user:password@mail.clinic.example:587")
    return url


def _sender(text: str) -> str:
    if text and not re.fullmatch(r"[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+|[^<>@\r\n]+ <[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+>", text):
        raise ValueError(f"{text!r} is not an e-mail address; write it as Front desk <desk@clinic.example>")
    return text


Rates = Annotated[str, AfterValidator(_rates)]
Days = Annotated[int, Field(ge=1, le=365 * 30)]


class Settings(BaseModel):
    """The settings. Each is read from the environment as `STIPPLE_` and its name in capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8300, ge=1, le=65535, description="Port to listen on.")
    folder: Path = Field(Path("var"), description="Folder for the database, the encoder's files and the signing key.")
    clinic: Path = Field(Path("clinic.yml"), description="The file that describes the practice.")
    models: Path = Field(Path("models"), description="Folder of the trained models.")
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///var/stipple.db", description="Where conversations are kept: a sqlite:/// or postgresql:// URL."
    )
    secret: Annotated[str, AfterValidator(_secret)] = Field(
        "", repr=False, description="Key that signs visitors' tokens; when empty, one is made and kept in the folder."
    )
    session_hours: int = Field(24, ge=1, le=24 * 30, description="Hours for which a visitor's token is good.")
    allowed_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_listed)] = Field(
        (),
        description="Websites that may show the chat, with commas between them: https://www.clinic.example. Its own always may.",
    )
    proxies: str = Field(
        "127.0.0.1", description="Addresses of the proxies whose word on a visitor's address is taken, with commas between them."
    )
    panel: Path = Field(Path("bot/web/panel.yml"), description="The file with the words of the chat panel.")
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        "", description="Where several processes count visitors' messages together: a redis:// URL; when empty, each by itself."
    )
    limit_messages: Rates = Field("20/minute; 400/day", description="Messages of one conversation.")
    limit_address: Rates = Field("120/minute; 3000/day", description="Messages from one address.")
    limit_sessions: Rates = Field("30/minute; 300/day", description="Conversations begun from one address.")
    limit_streams: Rates = Field("240/minute", description="Streams of events opened from one address.")
    require_approval: bool = Field(
        False, description="Send visitors to a person instead of giving an answer that no clinician has approved."
    )
    strictness: Annotated[str, Field(pattern="^(relaxed|balanced|strict)$")] = Field(
        "balanced", description="How sure to be before answering: relaxed, balanced or strict."
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="The address at which Twilio reaches this server, as in Twilio's console: https://…, without /sms."
    )
    twilio_account: Annotated[str, Field(pattern="^(AC[0-9a-f]{32})?$")] = Field(
        "", description="Twilio's Account SID; without it no text is sent unless it answers one."
    )
    twilio_token: str = Field("", repr=False, description="Twilio's auth token; without it no text is taken in.")
    twilio_token_old: str = Field(
        "", repr=False, description="The auth token that is being replaced, good for signatures only: set it while rotating."
    )
    twilio_sender: Annotated[str, Field(pattern=r"^(\+[1-9]\d{6,14}|MG[0-9a-f]{32})?$")] = Field(
        "", description="What texts are sent from: a number such as +12125550142, or a Messaging Service SID."
    )
    twilio_api: Annotated[str, AfterValidator(_public_url)] = Field(
        "https://api.twilio.com", description="Where Twilio's REST API is."
    )
    sms_keywords: Annotated[str, Field(pattern="^(stipple|twilio)$")] = Field(
        "stipple",
        description="Who answers STOP, START and HELP when Twilio does not say that it has: stipple, or twilio by default.",
    )
    sms_link: Annotated[str, AfterValidator(_link)] = Field(
        "",
        description="Address of the pages that texts link to instead of the server's own; {topic} stands for the topic's id.",
    )
    sms_hourly: int = Field(60, ge=1, description="Texts of one number that are answered within an hour; emergencies always are.")
    sms_daily: int = Field(4, ge=1, description="Texts that nobody asked for, such as reminders, to one number within 24 hours.")
    smtp_url: Annotated[str, AfterValidator(_smtp_url)] = Field(
        "",
        repr=False,
        description="Mail server: smtp://user:password@host:587 (STARTTLS), smtps:// (TLS) or smtp+plain://; no e-mail without.",
    )
    smtp_from: Annotated[str, AfterValidator(_sender)] = Field(
        "", description="Who e-mails come from, as Front desk <desk@clinic.example>; when empty, the address in clinic.yml."
    )
    webhook_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="Where events of bookings and requests are posted, for the clinic's own systems; none without."
    )
    webhook_secret: Annotated[str, AfterValidator(_secret)] = Field(
        "", repr=False, validate_default=True, description="Key that signs those events; needed with the address."
    )
    caldav_user: str = Field("", description="User who opens the CalDAV calendars that clinic.yml names.")
    caldav_password: str = Field("", repr=False, description="That user's password.")
    keep_conversations_days: Days = Field(90, description="Days after its last message for which a conversation is kept.")
    keep_requests_days: Days = Field(365, description="Days for which a closed request for a person is kept.")
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        "info", description="How much to log: debug, info, warning or error."
    )

    @field_validator("webhook_secret")
    @classmethod
    def _signed(cls, secret: str, info: ValidationInfo) -> str:
        if info.data.get("webhook_url") and not secret:
            raise ValueError(f"is needed with {PREFIX}WEBHOOK_URL")
        return secret

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Reads the settings from the environment.

        Raises:
            BadSetting: one line for each variable that cannot be used, or that no setting goes by.
        """
        given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {_reason(e['type'], e['msg'])}" for e in error.errors()]
            raise BadSetting("\n".join(lines)) from error

    @property
    def can_text(self) -> bool:
        """Whether texts can be sent that answer no text: the outbox has the channel `text` then."""
        return bool(self.twilio_account and self.twilio_token and self.twilio_sender)

    def mailbox(self, clinic_email: str) -> Mailbox | None:
        """Where e-mail goes out; None when no mail server is set."""
        if not self.smtp_url:
            return None
        parts = urlsplit(self.smtp_url)
        security, port = SMTP[parts.scheme]
        return Mailbox(
            parts.hostname or "",
            parts.port or port,
            self.smtp_from or clinic_email,
            security,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )

    def signing_key(self) -> str:
        """The key that signs visitors' tokens, made and kept for the owner's eyes alone when none is set."""
        if self.secret:
            return self.secret
        path = self.folder / "signing-key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text().strip()


def _reason(kind: str, message: str) -> str:
    return "there is no setting of this name" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
