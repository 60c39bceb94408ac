"""What is signed here, so that knowing an id opens nothing: tokens of conversations, and links to visits."""

import datetime as dt
import uuid
from dataclasses import dataclass

from itsdangerous import BadSignature, SignatureExpired, URLSafeSerializer, URLSafeTimedSerializer


class BadToken(Exception):
    """The token was not made with this key."""


class ExpiredToken(Exception):
    """The token was good once."""


@dataclass(frozen=True)
class Session:
    """A visitor's token, and until when it is good."""

    token: str
    conversation: str
    expires_at: dt.datetime

    @property
    def seconds_left(self) -> int:
        """For how long it is good still."""
        return int((self.expires_at - dt.datetime.now(dt.UTC)).total_seconds())


class Tokens:
    """Mints and reads tokens."""

    def __init__(self, key: str, hours: int) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt="stipple.chat")
        self._lifetime = dt.timedelta(hours=hours)

    def mint(self, conversation: str | None = None) -> Session:
        """A new token: for a new conversation, or for one that goes on."""
        conversation = conversation or uuid.uuid4().hex
        token = self._serializer.dumps(conversation)
        return Session(token, conversation, dt.datetime.now(dt.UTC) + self._lifetime)

    def read(self, token: str) -> Session:
        """What a token opens, and until when.

        Raises:
            ExpiredToken: it was good once.
            BadToken: it never was.
        """
        try:
            conversation, made = self._serializer.loads(token, max_age=int(self._lifetime.total_seconds()), return_timestamp=True)
        except SignatureExpired as error:
            raise ExpiredToken from error
        except BadSignature as error:
            raise BadToken from error
        return Session(token, conversation, made + self._lifetime)


class VisitLinks:
    """Addresses of visits' calendar files: each opens one visit, and none can be guessed."""

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeSerializer(key, salt="stipple.visit")

    def path(self, visit_id: str) -> str:
        """Where the file of a visit is, as seen from the panel."""
        return f"visits/{self._serializer.dumps(visit_id)}.ics"

    def read(self, signed: str) -> str | None:
        """The visit that a link opens; None for one that was not made here."""
        try:
            visit_id: str = self._serializer.loads(signed)
        except BadSignature:
            return None
        return visit_id
