"""Twilio's REST API by its own library, with an HTTP client that gives up in time."""

import dataclasses
import datetime as dt
import re
from typing import Any

import httpx
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

OFFICIAL = "https://api.twilio.com"
TIMEOUT = httpx.Timeout(15.0, connect=5.0)
#: numbers of a Messaging Service that are looked at
MOST_NUMBERS = 20
_ITS_HOSTS = re.compile(r"https://(?:api|messaging)\.twilio\.com(?=/)")


@dataclasses.dataclass(frozen=True)
class Accepted:
    """A text that Twilio has taken."""

    sid: str
    status: str


class Refused(Exception):
    """Twilio has answered, and not taken the text. `code` is one of Twilio's error codes, or 0."""

    def __init__(self, status: int, code: int, retry_after: dt.timedelta | None = None) -> None:
        super().__init__(f"twilio {status} {code}")
        self.status, self.code, self.retry_after = status, code, retry_after


class Unclear(Exception):
    """Twilio's answer did not come, or made no sense: it may have taken the text. `connected` is whether it was reached."""

    def __init__(self, reason: str, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected


class TwilioApi:
    """Sends texts, and looks up whether one was sent."""

    def __init__(self, account: str, token: str, sender: str, *, base: str = OFFICIAL, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._http = _Http(base, timeout)
        self._client = Client(account, token, http_client=self._http)
        self._sender = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}

    def send(self, to: str, body: str, status_url: str) -> Accepted:
        """Hands a text to Twilio.

        Raises:
            Refused: Twilio does not take it.
            Unclear: nobody knows whether it did.
        """
        more = {"status_callback": status_url} if status_url else {}
        message = self._do(lambda: self._client.messages.create(to=to, body=body, **self._sender, **more))
        if not message.sid:
            raise Unclear("no sid", connected=True)
        return Accepted(str(message.sid), str(message.status or "queued"))

    def find(self, to: str, body: str, since: dt.datetime) -> Accepted | None:
        """The text that was sent to a number with just this body since a moment; None when there is none.

        Raises:
            Refused, Unclear: as for sending.
        """
        for message in self._do(lambda: self._client.messages.list(to=to, limit=50)):
            made = message.date_created
            if message.body == body and (made is None or made >= since - dt.timedelta(seconds=5)):
                return Accepted(str(message.sid), str(message.status))
        return None

    def inbound_urls(self) -> list[str]:
        """Where what is texted to the sender goes: the address of the number, of the Messaging Service, or of its numbers.

        An address that is not set is empty; there is none at all when the account has no such sender.

        Raises:
            Refused, Unclear: as for sending.
        """
        numbers = list(self._sender.values())
        if service_sid := self._sender.get("messaging_service_sid"):
            service = self._client.messaging.v1.services(service_sid)
            try:
                found = self._do(service.fetch)
            except Refused as error:
                if error.status == 404:
                    return []
                raise
            if not found.use_inbound_webhook_on_number:
                return [found.inbound_request_url or ""]
            numbers = [each.phone_number for each in self._do(lambda: service.phone_numbers.list(limit=MOST_NUMBERS))]
        owned = [self._do(lambda number=number: self._owned(number)) for number in numbers]
        return [each.sms_url or "" for found in owned for each in found]

    def _owned(self, number: str) -> list[Any]:
        owned: list[Any] = self._client.incoming_phone_numbers.list(phone_number=number, limit=1)
        return owned

    def _do(self, call: Any) -> Any:
        try:
            return call()
        except (TwilioRestException, TwilioServiceException) as error:
            if error.status >= 500:
                raise Unclear(f"twilio {error.status}", connected=True) from error
            raise Refused(error.status, error.code or 0, self._http.retry_after) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unclear(f"twilio {type(error).__name__}", connected=False) from error
        except (httpx.HTTPError, TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
            # What the library makes of an answer that is no JSON, or not the JSON that it expects.
            raise Unclear(f"twilio {type(error).__name__}", connected=True) from error


class _Http(HttpClient):
    """The library's door to the network, on httpx. `base` takes the place of Twilio's address."""

    def __init__(self, base: str, timeout: httpx.Timeout) -> None:
        super().__init__(None, False, None)
        self._base = base.rstrip("/")
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)
        self.retry_after: dt.timedelta | None = None

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request; the arguments are the library's, some of which are of no use here."""
        url = _ITS_HOSTS.sub(self._base, url) if self._base != OFFICIAL else url
        given: Any = {"params": params, "data": data, "headers": headers, "auth": auth}
        answer = self._client.request(method, url, **given)
        seconds = answer.headers.get("Retry-After", "")
        self.retry_after = dt.timedelta(seconds=min(int(seconds), 3600)) if seconds.isdigit() else None
        return Response(answer.status_code, answer.text, answer.headers)
