"""A visitor's browser on a clinic's website, for all tests of the widget."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

from playwright.async_api import Frame, Locator, Page, expect

from bench.browser import open_panel
from bench.serving import Server

ROOT = Path(__file__).parents[2]
Seen = TypeVar("Seen")
#: seconds for a page to show what it should; a busy machine takes many times what a visitor's does
PATIENCE = 60.0
expect.set_options(timeout=PATIENCE * 1000)
#: each visit is another person's; these numbers are kept for fiction
_NUMBERS = itertools.count(50)


class Site:
    """A clinic's website: pages by path, on an origin that is not the server's."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, dict[str, str]]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text, headers = site._pages.get(self.path, ("", {}))
                self.send_response(200 if text else 404)
                for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.put("/favicon.ico", " ")

    @property
    def origin(self) -> str:
        """The name under which the server allows it."""
        return f"http://localhost:{self._http.server_port}"

    @property
    def stranger(self) -> str:
        """The same pages under a name that the server does not allow."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def put(self, path: str, text: str, headers: dict[str, str] | None = None) -> str:
        """Puts up a page, and gives its address."""
        self._pages[path] = (text, headers or {})
        return self.origin + path

    def close(self) -> None:
        self._http.shutdown()


class Chat:
    """The chat on a page, as a visitor uses it."""

    def __init__(self, page: Page, panel: Frame) -> None:
        self.page, self.panel = page, panel

    async def say(self, text: str) -> None:
        await self.panel.fill("#field", text)
        await self.panel.press("#field", "Enter")

    async def ask(self, text: str) -> str:
        """Says something and waits for the reply to it."""
        count = await self.panel.locator(".message.assistant").count()
        await self.say(text)
        return await self.reply(count)

    async def reply(self, after: int) -> str:
        reply = self.panel.locator(".message.assistant").nth(after).locator(".bubble > p")
        return await reply.inner_text()

    def choice(self, title: str) -> Locator:
        """A button below the last reply."""
        return self.panel.locator(".choices button").get_by_text(title, exact=True)

    async def press(self, button: Locator) -> str:
        """Presses a button; all that is replied."""
        return await self._replied(button.click)

    async def write(self, text: str) -> str:
        """Writes something; all that is replied."""
        return await self._replied(lambda: self.say(text))

    async def _replied(self, act: Callable[[], Awaitable[None]]) -> str:
        count = len(await self.said())
        await act()
        # All messages of a reply are shown at once.
        said = await until(self.said, lambda said: len(said) > count + 1)
        return "\n".join(text for who, text in said[count:] if who == "assistant")

    async def wait_for(self, count: int, kind: str = "message") -> None:
        """Waits for as many messages as given."""
        await self.panel.wait_for_function("([kind, n]) => document.getElementsByClassName(kind).length === n", arg=[kind, count])

    async def shows(self, said: list[tuple[str, str]]) -> None:
        """Waits for these messages, and no others."""
        await until(self.said, lambda seen: seen == said)

    async def said(self) -> list[tuple[str, str]]:
        """Who said what, from top to bottom."""
        return [(who, text) for who, text in await self.panel.evaluate(_SAID)]


_SAID = """[...document.querySelectorAll('.message')].map((made) =>
  [made.classList[1], made.querySelector('p.bubble, .bubble > p:not(.staff)').textContent])"""


async def opened(page: Page, url: str) -> Chat:
    """Goes to a page with the widget and opens the chat."""
    await page.goto(url)
    return Chat(page, await open_panel(page))


async def token(chat: Chat) -> str:
    """What opens the conversation to the server."""
    kept: str = json.loads(await chat.panel.evaluate("localStorage.getItem('stipple.session')"))["token"]
    return kept


async def offered(chat: Chat) -> None:
    """Asks for a consultation, as far as the times that are offered."""
    suggested = chat.panel.locator("#suggestions button").get_by_text("Book a visit", exact=True)
    assert "come in for" in await chat.press(suggested)
    assert "What day" in await chat.press(chat.choice("Consultation"))
    assert "times are free" in await chat.press(chat.panel.locator(".choices button").first)


async def booked(chat: Chat) -> str:
    """Books a consultation; what was read back before."""
    await offered(chat)
    assert "times are free" in await chat.press(chat.choice("Other times"))
    assert "name" in await chat.press(chat.panel.locator(".choices button").first)
    assert "did not get" in await chat.write('<img src=x onerror="window.hacked=1">')
    assert "mobile" in await chat.write("Ada Byron")
    read_back = await chat.write(f"(212) 555-01{next(_NUMBERS)}")
    assert "Ada Byron" in read_back, read_back
    assert "You are booked" in await chat.press(chat.choice("Yes, book it"))
    return read_back


async def until(look: Callable[[], Awaitable[Seen]], good: Callable[[Seen], bool]) -> Seen:
    """Looks until what is seen is good; fails with what was seen last."""
    ends = time.monotonic() + PATIENCE
    while not good(seen := await look()):
        assert time.monotonic() < ends, seen
        await asyncio.sleep(0.05)
    return seen


async def becomes(place: Page | Frame, script: str, value: object) -> None:
    """Waits until a script gives a value on a page."""
    await until(lambda: place.evaluate(script), lambda seen: seen == value)


def page_with_widget(server: Server, more: str = "", options: str = "", head: str = "") -> str:
    """A website's page with the one line."""
    return (
        f"<!doctype html><html lang=en><head><title>A clinic</title>{head}</head><body><main><h1>A clinic</h1>{more}</main>"
        f'<script src="{server.url}/widget.js" async {options}></script></body></html>'
    )
