"""What every request passes first: the body's size and type, where it comes from, and the headers that keep a page to itself."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web import problems

# A message of 1,000 characters, each escaped and in four bytes, with room to spare.
MAX_BODY = 16 * 1024
# Twilio's requests are forms: a text of 1,600 characters, each in nine, and the addresses of ten pictures.
_TEXTS, MAX_FORM = "/sms/", 64 * 1024
_TYPES = {False: ("application/json",), True: ("application/x-www-form-urlencoded", "application/json")}
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# What a website of the list may send and read.
_CORS = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "600",
}
_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
# The panel shows what visitors and the server say: nothing in it can run but the files that it is made of.
_PANEL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'; trusted-types 'none'"
)
# FastAPI's page of the API's documentation starts itself by a script within the page.
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'"
)


class _TooLarge(HTTPException):
    """Ends the reading of a body. FastAPI lets no other exception pass while it reads one."""

    def __init__(self) -> None:
        super().__init__(problems.TOO_LARGE.status)


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()) -> None:
        """`origins` are the websites that may show the panel and use the API, besides the server's own."""
        self._app, self._origins = app, frozenset(origins)
        own, listed = "'self'", " ".join(("'self'", *origins))
        self._policies = {"/panel": _PANEL_POLICY.format(ancestors=listed), "/docs": _DOCS_POLICY}
        self._policy = _POLICY.format(ancestors=own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        origin = headers.get("origin", "").lower()
        sender = self._with_headers(send, scope["path"], origin if origin in self._origins else "")
        if scope["path"].startswith("/chat/"):
            if origin and origin not in self._origins and not _is_own(origin, headers):
                return await problems.response(problems.FOREIGN)(scope, receive, sender)
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                return await _preflight(sender)
        if scope["method"] == "POST" and (kind := _wrong(headers, scope["path"])):
            return await problems.response(kind)(scope, receive, sender)
        return await self._app(scope, _limited(receive, _limit(scope["path"])), sender)

    def _with_headers(self, send: Send, path: str, listed_origin: str) -> Send:
        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers["Content-Security-Policy"] = self._policies.get(path, self._policy)
                if path.startswith("/chat/"):
                    headers.add_vary_header("Origin")
                    for name, value in (_CORS | {"Access-Control-Allow-Origin": listed_origin} if listed_origin else {}).items():
                        headers[name] = value
            await send(message)

        return sender


def _is_own(origin: str, headers: Headers) -> bool:
    # A proxy may speak TLS for us, so that only it knows the scheme.
    return origin.partition("://")[2] == headers.get("host", "").lower()


async def _preflight(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _limit(path: str) -> int:
    return MAX_FORM if path.startswith(_TEXTS) else MAX_BODY


def _wrong(headers: Headers, path: str) -> problems.Kind | None:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > _limit(path):
        return problems.TOO_LARGE
    has_body = length != "0" and ("content-length" in headers or "transfer-encoding" in headers)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and kind not in _TYPES[path.startswith(_TEXTS)]:
        return problems.WRONG_TYPE
    return None


def _limited(receive: Receive, limit: int) -> Receive:
    # A body without a declared length is counted as it comes.
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _TooLarge
        return message

    return counted
