"""What every request passes first: the body's size and type, and the headers that keep a page to itself."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web import problems

# A message of 1,000 characters, each escaped and in four bytes, with room to spare.
MAX_BODY = 16 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# FastAPI's page of the API's documentation starts itself by a script within the page.
_DOCS_POLICY = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


class _TooLarge(Exception):
    pass


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        sender = _with_headers(send, scope["path"])
        headers = Headers(scope=scope)
        if scope["method"] == "POST" and (kind := _wrong(headers)):
            return await problems.response(kind)(scope, receive, sender)
        try:
            await self._app(scope, _limited(receive), sender)
        except _TooLarge:
            await problems.response(problems.TOO_LARGE)(scope, receive, sender)


def _wrong(headers: Headers) -> problems.Kind | None:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BODY:
        return problems.TOO_LARGE
    has_body = length != "0" and ("content-length" in headers or "transfer-encoding" in headers)
    if has_body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return problems.WRONG_TYPE
    return None


def _limited(receive: Receive) -> Receive:
    # A body without a declared length is counted as it comes.
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise _TooLarge
        return message

    return counted


def _with_headers(send: Send, path: str) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if path == "/docs":
                headers["Content-Security-Policy"] = _DOCS_POLICY
        await send(message)

    return sender
