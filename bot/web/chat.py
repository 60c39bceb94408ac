"""The website API, version 1: a session, and messages within it."""

import datetime as dt
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.engine import Engine, UnknownChoice
from bot.reply import Reply
from bot.tracker_store import TurnTaken
from bot.web import problems
from bot.web.problems import Problem
from bot.web.tokens import BadToken, ExpiredToken

CHANNEL = "web"
router = APIRouter(prefix="/chat", tags=["chat"])
_bearer = HTTPBearer(auto_error=False, description="The token of POST /chat/sessions")


class SessionOut(BaseModel):
    """A visitor's token."""

    token: str = Field(description="Goes into the Authorization header, after `Bearer `.")
    expires_at: dt.datetime


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


class MessageOut(BaseModel):
    """One message of the assistant."""

    id: str
    text: str
    choices: list[ChoiceOut]
    sources: list[SourceOut]


class MessagesOut(BaseModel):
    """The assistant's messages, in order."""

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


def conversation(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """The conversation that the request's token opens.

    Raises:
        Problem: the token is missing, forged or expired.
    """
    if credentials is None:
        raise Problem(problems.NO_TOKEN)
    try:
        found: str = request.app.state.tokens.read(credentials.credentials)
    except ExpiredToken as error:
        raise Problem(problems.EXPIRED_TOKEN) from error
    except BadToken as error:
        raise Problem(problems.BAD_TOKEN) from error
    return found


@router.post("/sessions", status_code=201)
async def start_session(request: Request) -> SessionOut:
    """Begins a conversation."""
    session = request.app.state.tokens.mint()
    return SessionOut(token=session.token, expires_at=session.expires_at)


@router.post("/messages")
async def send_message(
    message: MessageIn,
    request: Request,
    conversation: Annotated[str, Depends(conversation)],
    engine: Annotated[Engine, Depends(engine)],
) -> MessagesOut:
    """Says something, and gets the reply. The same id again gets the same reply and runs nothing twice."""
    try:
        reply = await engine.turn(conversation, message.text or "", choice=message.choice, channel=CHANNEL, message_id=message.id)
    except UnknownChoice as error:
        raise Problem(problems.UNKNOWN_CHOICE) from error
    except TurnTaken as error:
        raise Problem(problems.BUSY) from error
    request.app.state.metrics.turn(reply, CHANNEL)
    return _out(reply)


def _out(reply: Reply) -> MessagesOut:
    return MessagesOut(
        messages=[
            MessageOut(
                id=message.id,
                text=message.text,
                choices=[ChoiceOut(id=choice.id, title=choice.title) for choice in message.choices],
                sources=[SourceOut(id=source.id, title=source.title) for source in message.sources],
            )
            for message in reply.messages
        ]
    )
