"""The website API, version 1: a session, and messages within it."""

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.engine import Engine
from bot.history import Cursor, Said
from bot.reply import UnknownChoice
from bot.tracker_store import TurnTaken
from bot.web import problems
from bot.web.limits import address
from bot.web.links import Linker
from bot.web.problems import Problem
from bot.web.tokens import BadToken, ExpiredToken, Session, VisitLinks

CHANNEL = "web"
router = APIRouter(prefix="/chat", tags=["chat"])
_bearer = HTTPBearer(auto_error=False, description="The token of POST /chat/sessions")


class SessionOut(BaseModel):
    """A visitor's token."""

    token: str = Field(description="Goes into the Authorization header, after `Bearer `.")
    expires_at: dt.datetime
    expires_in: int = Field(description="Seconds until then.")


class MessageIn(BaseModel):
    """What the visitor says: a text, or a choice that was offered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$", description="Made by the client, unique.")
    text: str | None = Field(None, description="What the visitor wrote.")
    choice: str | None = Field(None, max_length=64, description="The id of a choice that was offered.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.text is None) == (self.choice is None):
            raise ValueError("give either text or choice")
        return self


class ChoiceOut(BaseModel):
    """A button."""

    id: str
    title: str


class SourceOut(BaseModel):
    """A document that an answer comes from."""

    id: str
    title: str
    words: str = Field(description="How the answer refers to it.")


class PartOut(BaseModel):
    """A piece of a message's text; with an address when it is a link (tel, mailto or https)."""

    text: str
    href: str | None


class MessageOut(BaseModel):
    """One message. `turn` and `index` number it within the conversation and put it in its place."""

    id: str
    author: Literal["visitor", "assistant", "staff"]
    turn: int
    index: int
    at: dt.datetime
    text: str
    parts: list[PartOut] = Field(description="The text once more, cut at its links.")
    choices: list[ChoiceOut]
    sources: list[SourceOut]
    calendar: str | None = Field(description="Where the calendar file of the visit is that the message tells of.")
    safety: str | None = Field(description="How serious it is, when it is.")
    client_id: str | None = Field(description="The id that the visitor's client gave to the message.")


class MessagesOut(BaseModel):
    """The assistant's messages, in order, and the number of their turn."""

    turn: int
    at: dt.datetime
    messages: list[MessageOut]


def engine(request: Request) -> Engine:
    """The application's engine.

    Raises:
        Problem: it is not ready.
    """
    found: Engine | None = request.app.state.engine
    if found is None:
        raise Problem(problems.NOT_READY, phone=request.app.state.phone)
    return found


def session(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Session:
    """What the request's token opens.

    Raises:
        Problem: the token is missing, forged or expired.
    """
    if credentials is None:
        raise Problem(problems.NO_TOKEN)
    try:
        found: Session = request.app.state.tokens.read(credentials.credentials)
    except ExpiredToken as error:
        raise Problem(problems.EXPIRED_TOKEN) from error
    except BadToken as error:
        raise Problem(problems.BAD_TOKEN) from error
    return found


@router.post("/sessions", status_code=201)
async def start_session(request: Request) -> SessionOut:
    """Begins a conversation."""
    await request.app.state.limits.count("session", address(request))
    return _session_out(request.app.state.tokens.mint())


@router.post("/sessions/renew")
async def renew_session(request: Request, session: Annotated[Session, Depends(session)]) -> SessionOut:
    """Gives a fresh token for the same conversation, before the one that is sent along expires."""
    await request.app.state.limits.count("session", address(request))
    return _session_out(request.app.state.tokens.mint(session.conversation))


@router.post("/messages")
async def send_message(
    message: MessageIn,
    request: Request,
    session: Annotated[Session, Depends(session)],
    engine: Annotated[Engine, Depends(engine)],
) -> MessagesOut:
    """Says something, and gets the reply. The same id again gets the same reply and runs nothing twice."""
    app, conversation = request.app.state, session.conversation
    await app.limits.count("message", conversation)
    await app.limits.count("address", address(request))
    try:
        reply = await engine.turn(conversation, message.text or "", choice=message.choice, channel=CHANNEL, message_id=message.id)
    except UnknownChoice as error:
        raise Problem(problems.UNKNOWN_CHOICE) from error
    except TurnTaken as error:
        raise Problem(problems.BUSY) from error
    app.metrics.turn(reply, CHANNEL)
    app.hub.wake(conversation)
    said = app.history.turn(conversation, message.id)
    replies = [shown(each, app.linker, app.visits) for each in said if each.author != "visitor"]
    return MessagesOut(turn=said[0].turn, at=said[0].at, messages=replies)


@router.get("/events", response_class=StreamingResponse)
async def events(
    request: Request,
    session: Annotated[Session, Depends(session)],
    _ready: Annotated[Engine, Depends(engine)],
    last_event_id: Annotated[str, Header(max_length=64)] = "",
) -> StreamingResponse:
    """What was said after Last-Event-ID (without one, all that is kept) and what is said from now on.

    Server-Sent Events: `messages` with `{"messages": [...]}`, and `live` once all that was missed has been sent.
    """
    await request.app.state.limits.count("stream", address(request))
    stream = request.app.state.hub.follow(session.conversation, Cursor.read(last_event_id), session.seconds_left)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def shown(said: Said, linker: Linker, visits: VisitLinks) -> MessageOut:
    """A message as the API gives it."""
    return MessageOut(
        id=said.id,
        author=said.author,
        turn=said.turn,
        index=said.index,
        at=said.at,
        text=said.text,
        parts=[PartOut(**asdict(part)) for part in linker.parts(said.text)] if said.author != "visitor" else [],
        choices=[ChoiceOut(id=choice.id, title=choice.title) for choice in said.choices],
        sources=[SourceOut(**asdict(source)) for source in said.sources],
        calendar=visits.path(said.visit) if said.visit else None,
        safety=said.safety,
        client_id=said.client_id,
    )


def as_json(said: Said, linker: Linker, visits: VisitLinks) -> dict[str, Any]:
    """The same as JSON."""
    return shown(said, linker, visits).model_dump(mode="json")


def _session_out(session: Session) -> SessionOut:
    return SessionOut(token=session.token, expires_at=session.expires_at, expires_in=session.seconds_left)
