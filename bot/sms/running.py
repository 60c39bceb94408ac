"""The channel within the web application: put together when that starts, at work until it stops."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from fastapi import FastAPI

from bot.engine import Engine
from bot.reply import Reply
from bot.settings import Settings
from bot.sms.channel import CHANNEL
from bot.sms.service import Sms, can_send
from clinic import clock, database, practice
from clinic.outbox import Worker
from clinic.services import Services


@contextlib.asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """Has the channel ready as `app.state.sms`, with the application's engine, or without one while that is not ready.

    Looks for texts that were left behind, and sends the outbox's texts.
    """
    settings: Settings = app.state.settings
    engine: Engine | None = app.state.engine
    base = engine.store.database if engine else database.connect(settings.database_url)
    database.migrate(base)
    channels = ("text",) if can_send(settings) else ()
    services = engine.services if engine else Services.build(base, practice.load(settings.clinic), channels=channels)

    def on_turn(reply: Reply) -> None:
        app.state.metrics.turn(reply, CHANNEL)

    sms = app.state.sms = Sms.build(settings, base, services, on_turn=on_turn)
    sms.channel.engine = engine
    sweeper = asyncio.create_task(sms.channel.sweep_forever())
    stop = threading.Event()
    sender = None
    if sms.sender is not None:
        worker = Worker(base, clock.now, sms.composer, {"text": sms.sender})
        sender = threading.Thread(target=worker.run, args=(stop,), name="texts", daemon=True)
        sender.start()
    try:
        yield
    finally:
        stop.set()
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper
        if sender is not None:
            await asyncio.to_thread(sender.join, 5.0)
