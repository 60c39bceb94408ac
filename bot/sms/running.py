"""The channel within the web application: put together when that starts, at work until it stops."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from sqlalchemy import Engine

from bot.reply import Reply
from bot.sms.channel import CHANNEL
from bot.sms.service import Sms
from clinic.services import Services


@contextlib.asynccontextmanager
async def running(app: FastAPI, database: Engine, services: Services) -> AsyncIterator[Sms]:
    """The channel, also as `app.state.sms`, with the application's engine, or without one while that is not ready.

    Looks for texts that were left behind.
    """

    def on_turn(reply: Reply) -> None:
        app.state.metrics.turn(reply, CHANNEL)

    sms = app.state.sms = Sms.build(app.state.settings, database, services, on_turn=on_turn)
    sms.channel.engine = app.state.engine
    sweeper = asyncio.create_task(sms.channel.sweep_forever())
    try:
        yield sms
    finally:
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
