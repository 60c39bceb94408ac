"""Errors of the website API, as problem details (RFC 9457)."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its name in the type's URI, the HTTP status and what it means."""

    name: str
    status: int
    title: str


NO_TOKEN = Kind("no-token", 401, "A token is needed: ask POST /chat/sessions for one.")
BAD_TOKEN = Kind("bad-token", 401, "This token was not made by this server.")
EXPIRED_TOKEN = Kind("expired-token", 401, "This token has expired: ask POST /chat/sessions for a new one.")
UNKNOWN_CHOICE = Kind("unknown-choice", 404, "This choice was not offered in this conversation lately.")
NOT_JSON = Kind("not-json", 400, "The body is not valid JSON.")
WRONG_TYPE = Kind("wrong-content-type", 415, "The body must be application/json.")
TOO_LARGE = Kind("too-large", 413, "The body is larger than a message can be.")
INVALID = Kind("invalid", 422, "The body does not have the expected shape.")
BUSY = Kind("busy", 409, "Other messages of this conversation are being answered: send this one again.")
TOO_MANY = Kind("too-many", 429, "That was a lot at once. Please wait a little and try again.")
FOREIGN = Kind("foreign-origin", 403, "This website is not among the allowed origins.")
NOT_SIGNED = Kind("not-signed", 403, "This request is not signed as one of Twilio's.")
NOT_READY = Kind("not-ready", 503, "The assistant is not ready to answer.")
BROKEN = Kind("broken", 500, "Something went wrong on our side.")


# What is raised while a body is read: by FastAPI for bytes that are no text or nest too deeply, and by the guard.
_OF_STATUS = {kind.status: kind for kind in (NOT_JSON, TOO_LARGE)}


class Problem(Exception):
    """Ends a request with a problem."""

    def __init__(self, kind: Kind, detail: str = "", **more: Any) -> None:
        super().__init__(kind.name)
        self.kind, self.detail, self.more = kind, detail, more


def response(kind: Kind, detail: str = "", **more: Any) -> JSONResponse:
    """A problem as an HTTP response."""
    content = {"type": f"urn:stipple:{kind.name}", "title": kind.title, "status": kind.status, **more}
    if detail:
        content["detail"] = detail
    headers = {"WWW-Authenticate": "Bearer"} if kind.status == 401 else {}
    if "retry_after" in more:
        headers["Retry-After"] = str(more["retry_after"])
    return JSONResponse(content, kind.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return response(error.kind, error.detail, **error.more)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if any(e["type"] == "json_invalid" for e in error.errors()):
        return response(NOT_JSON)
    # Where and what, never the value: it is the visitor's.
    errors = [{"at": "/".join(str(part) for part in e["loc"][1:]), "reason": e["msg"]} for e in error.errors()]
    return response(INVALID, errors=errors)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    other = Kind(f"http-{error.status_code}", error.status_code, str(error.detail))
    return response(_OF_STATUS.get(error.status_code, other))
