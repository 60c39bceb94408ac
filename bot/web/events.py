"""What is said in a conversation, as it is said: Server-Sent Events that lose nothing when the line breaks.

Each event's id is the cursor of who has read it. A client that comes back with it in Last-Event-ID gets all that it has
missed, whoever said it: the assistant in another tab, a member of staff, another process.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from typing import Any

from starlette.requests import ClientDisconnect

from bot.history import Cursor, History, Said

log = logging.getLogger(__name__)

#: seconds between signs of life, well below what proxies take for silence
HEARTBEAT = 15.0
#: seconds after which what another process wrote is noticed
LOOK = 1.0
#: streams that one conversation may have; the oldest makes room for one more
PER_CONVERSATION = 8

Show = Callable[[Said], dict[str, Any]]


class _Stream:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor, self.woken, self.ended = cursor, asyncio.Event(), False

    def end(self) -> None:
        self.ended = True
        self.woken.set()


class Hub:
    """All open streams of this process."""

    def __init__(self, history: History, show: Show, stopping: Callable[[], bool] = lambda: False) -> None:
        """`show` makes JSON of a message; streams end soon after `stopping` says so."""
        self._history, self._show, self._stopping = history, show, stopping
        self._streams: dict[str, list[_Stream]] = {}
        self._watch: asyncio.Task[None] | None = None

    def wake(self, conversation: str) -> None:
        """Tells that something was said, so that it is delivered at once."""
        for stream in self._streams.get(conversation, ()):
            stream.woken.set()

    def __len__(self) -> int:
        return sum(len(streams) for streams in self._streams.values())

    async def follow(self, conversation: str, cursor: Cursor, seconds: float) -> AsyncIterator[bytes]:
        """The events of a conversation from a cursor on, for so many seconds at most."""
        stream = self._enter(conversation, cursor)
        ends = asyncio.get_running_loop().time() + seconds
        try:
            yield self._news(conversation, stream) + _event("live", {}, stream.cursor)
            while not stream.ended and (left := ends - asyncio.get_running_loop().time()) > 0:
                quiet = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(stream.woken.wait(), min(HEARTBEAT, left))
                    quiet = False
                stream.woken.clear()
                if news := b": still here\n\n" if quiet else self._news(conversation, stream):
                    yield news
        except ClientDisconnect:
            pass
        finally:
            self._leave(conversation, stream)

    def _news(self, conversation: str, stream: _Stream) -> bytes:
        page = self._history.since(conversation, stream.cursor)
        stream.cursor = page.cursor
        if not page.messages:
            return b""
        return _event("messages", {"messages": [self._show(message) for message in page.messages]}, page.cursor)

    def _enter(self, conversation: str, cursor: Cursor) -> _Stream:
        stream = _Stream(cursor)
        streams = self._streams.setdefault(conversation, [])
        streams.append(stream)
        for old in streams[:-PER_CONVERSATION]:
            old.end()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look())
        return stream

    def _leave(self, conversation: str, stream: _Stream) -> None:
        streams = self._streams[conversation]
        streams.remove(stream)
        if not streams:
            del self._streams[conversation]

    async def _look(self) -> None:
        """Looks for what other processes wrote, for all streams in one go."""
        while self._streams:
            await asyncio.sleep(LOOK)
            if self._stopping():
                for streams in self._streams.values():
                    for stream in streams:
                        stream.end()
                return
            try:
                heads = await asyncio.to_thread(self._history.heads, list(self._streams))
            except Exception:
                # The next look may find the database back; until then the streams bring what this process says.
                log.exception("looking for news failed")
                continue
            self._compare(heads, list(self._streams))

    def _compare(self, heads: dict[str, Cursor], conversations: Collection[str]) -> None:
        for conversation in conversations:
            head = heads.get(conversation)
            for stream in self._streams.get(conversation, ()):
                if head is not None and stream.cursor.behind(head):
                    stream.woken.set()


def _event(name: str, data: dict[str, Any], cursor: Cursor) -> bytes:
    return f"id: {cursor}\nevent: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
