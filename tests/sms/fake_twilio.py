"""Twilio's REST API as it is documented, on this machine: it checks requests, keeps texts, and can be told to fail."""

import base64
import datetime as dt
import itertools
import json
import re
import threading
from collections.abc import Callable
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

ACCOUNT, TOKEN = "AC" + "1" * 32, "a" * 32
_MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
_SERVICES = "/v1/Services"
_NUMBERS = f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json"


class FakeTwilio:
    """Serves until it is closed. `texts` are those that were accepted, `trouble` what happens to the next requests.

    A trouble is an error code with its HTTP status, or `slow` (it answers after the client has given up), `cut` (the
    text is taken, the connection closed without an answer), `cut_before` (closed, the text not taken), `garbage` or `500`.
    """

    def __init__(self) -> None:
        self.texts: list[dict[str, str]] = []
        self.trouble: list[Any] = []
        self.requests: list[str] = []
        self.wrong: list[str] = []
        self.numbers: dict[str, str] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
        self._sids = itertools.count(1)
        twilio = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                twilio._post(self, body)

            def do_GET(self) -> None:
                twilio._get(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _post(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        self.requests.append("POST")
        fields = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True))
        if refusal := self._refusal(handler, fields):
            return self._answer(handler, *refusal)
        trouble = self.trouble.pop(0) if self.trouble else None
        if isinstance(trouble, tuple):
            status, code, *more = trouble
            return self._error(handler, status, code, *more)
        if trouble == "500":
            return self._answer(handler, 500, {"code": 20500, "message": "Internal", "status": 500})
        if trouble == "cut_before":
            return self._cut(handler)
        text = {"sid": f"SM{next(self._sids):032x}", **fields, "at": format_datetime(self.clock())}
        self.texts.append(text)
        if trouble == "cut":
            return self._cut(handler)
        if trouble == "slow":
            handler.rfile.read(1)
            return self._cut(handler)
        if trouble == "garbage":
            return self._raw(handler, 201, b"<html>")
        return self._answer(handler, 201, self._resource(text))

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append("GET")
        if not self._authorised(handler):
            return self._error(handler, 401, 20003)
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == _MESSAGES:
            found = [self._resource(text) for text in reversed(self.texts) if text["To"] == query.get("To", text["To"])]
            return self._answer(handler, 200, _page("messages", found, parts.path))
        if parts.path == _NUMBERS:
            number = query.get("PhoneNumber", "")
            found = (
                [{"phone_number": number, "sms_url": self.numbers[number], "sms_method": "POST"}]
                if number in self.numbers
                else []
            )
            return self._answer(handler, 200, _page("incoming_phone_numbers", found, parts.path))
        if parts.path.startswith(_SERVICES):
            return self._service(handler, *parts.path.removeprefix(f"{_SERVICES}/").split("/"))
        return self._error(handler, 404, 20404)

    def _service(self, handler: BaseHTTPRequestHandler, sid: str, list_of: str = "") -> None:
        if sid not in self.services:
            return self._error(handler, 404, 20404)
        if not list_of:
            return self._answer(handler, 200, {"sid": sid, "account_sid": ACCOUNT} | self.services[sid])
        found = [{"phone_number": number, "service_sid": sid} for number in self.numbers]
        meta = {"key": "phone_numbers", "page": 0, "page_size": 50, "next_page_url": None, "url": handler.path}
        return self._answer(handler, 200, {"phone_numbers": found, "meta": meta})

    def _refusal(self, handler: BaseHTTPRequestHandler, fields: dict[str, str]) -> tuple[int, dict[str, Any]] | None:
        """What Twilio's documentation asks of a request that creates a message."""
        if not self._authorised(handler):
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        if handler.path != _MESSAGES:
            return 404, {"code": 20404, "message": "Not found", "status": 404}
        if handler.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            self.wrong.append("content type")
        if set(fields) - {"To", "From", "MessagingServiceSid", "Body", "StatusCallback"}:
            self.wrong.append(f"unknown fields {sorted(fields)}")
        if ("From" in fields) == ("MessagingServiceSid" in fields):
            return 400, {"code": 21603, "message": "A 'From' phone number is required", "status": 400}
        if not re.fullmatch(r"\+[1-9]\d{6,14}", fields.get("To", "")):
            return 400, {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}
        if not fields.get("Body"):
            return 400, {"code": 21602, "message": "Message body is required.", "status": 400}
        if len(fields["Body"]) > 1600:
            return 400, {"code": 21617, "message": "The message body exceeds the 1600 character limit.", "status": 400}
        if "StatusCallback" in fields and not fields["StatusCallback"].startswith("https://"):
            return 400, {"code": 21609, "message": "Invalid 'StatusCallback' URL", "status": 400}
        return None

    def _authorised(self, handler: BaseHTTPRequestHandler) -> bool:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        return handler.headers.get("Authorization") == expected

    def _resource(self, text: dict[str, str]) -> dict[str, Any]:
        return {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": text["Body"],
            "date_created": text["at"],
            "date_sent": None,
            "date_updated": text["at"],
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": text.get("From"),
            "messaging_service_sid": text.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": text["sid"],
            "status": "queued",
            "subresource_uris": {},
            "to": text["To"],
            "uri": _MESSAGES,
        }

    def _error(self, handler: BaseHTTPRequestHandler, status: int, code: int, *headers: tuple[str, str]) -> None:
        more = {"message": "no", "more_info": f"https://www.twilio.com/docs/errors/{code}"}
        self._answer(handler, status, {"code": code, "status": status, **more}, *headers)

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, content: Any, *headers: tuple[str, str]) -> None:
        self._raw(handler, status, json.dumps(content).encode(), *headers)

    def _raw(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def _cut(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.close()


def _page(name: str, found: list[dict[str, Any]], uri: str) -> dict[str, Any]:
    more = {"first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None, "uri": uri}
    return {name: found, "page": 0, "page_size": 50, "start": 0, "end": len(found)} | more
