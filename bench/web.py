"""How quick the website chat is: `python -m bench.web`, and part of `python -m bench`.

In a browser: from the click on the launcher to an input that is ready, and from a message to its painted answer.
Without one: replies on one process that also holds 500 open streams of events. All on this machine, without a network.
"""

import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import httpx
from playwright.async_api import Browser, Page

from bench.browser import chromium, open_panel
from bench.serving import Server

OPENINGS, MESSAGES = 15, 40
STREAMS, REPLIES, VISITORS = 500, 200, 2
QUESTIONS = (
    "does it hurt?",
    "how long is the recovery?",
    "how much does it cost?",
    "when are you open?",
    "what can it do for acne scars?",
)
#: seconds between a visitor's messages
PAUSE = 0.2
FREE = "100000/minute"

# From the click until the field has the focus; taken in the page around the panel, which is of the same origin here.
_OPENING = """() => new Promise((resolve) => {
  const { shadowRoot } = document.getElementById("stipple");
  const started = performance.now();
  const look = () => {
    const field = shadowRoot.querySelector("iframe").contentDocument?.getElementById("field");
    if (field?.matches(":focus")) resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  shadowRoot.querySelector(".launcher").click();
  look();
})"""
# From the key press until the frame after the answer stands in the page.
_ANSWER = """(text) => new Promise((resolve) => {
  const field = document.getElementById("field");
  field.value = text;
  const before = document.querySelectorAll(".assistant").length;
  const watch = new MutationObserver(() => {
    if (document.querySelectorAll(".assistant").length === before) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  });
  watch.observe(document.getElementById("messages"), { childList: true });
  const started = performance.now();
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
})"""


@dataclass(frozen=True)
class Timed:
    """What something takes, in milliseconds: half of the times up to `p50`, all but one in a hundred up to `p99`."""

    what: str
    p50: float
    p99: float
    target: float
    #: which of the two the target is for
    at: Literal["p50", "p99"]

    @classmethod
    def of(cls, what: str, times: Sequence[float], target: float, at: Literal["p50", "p99"]) -> Self:
        """From each time that was measured."""
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        return cls(what, cuts[49], cuts[98], target, at)

    @property
    def met(self) -> bool:
        """Whether it is quick enough."""
        return (self.p50 if self.at == "p50" else self.p99) <= self.target


def measure() -> list[Timed]:
    """Measures everything."""
    return asyncio.run(_measure())


async def _measure() -> list[Timed]:
    with tempfile.TemporaryDirectory() as folder:
        free = {f"limit_{name}": FREE for name in ("messages", "address", "sessions", "streams")}
        server = Server(Path(folder), **free).start()
        try:
            async with chromium() as browser:
                first, again = await _openings(browser, server)
                answers = await _answers(browser, server)
            alone = await _replies(server, 0)
            crowded = await _replies(server, STREAMS)
        finally:
            server.stop()
    return [
        Timed.of("click to ready input, first visit", first, 150, "p50"),
        Timed.of("click to ready input, files kept", again, 150, "p50"),
        Timed.of("message to painted answer", answers, 100, "p50"),
        Timed.of("reply, no open stream", alone, 250, "p99"),
        Timed.of(f"reply, {STREAMS} open streams", crowded, 250, "p99"),
    ]


async def _openings(browser: Browser, server: Server) -> tuple[list[float], list[float]]:
    first: list[float] = []
    again: list[float] = []
    for _ in range(OPENINGS):
        context = await browser.new_context()
        page = await context.new_page()
        for times in (first, again):
            await _land(page, server)
            times.append(await page.evaluate(_OPENING))
        await context.close()
    return first, again


async def _answers(browser: Browser, server: Server) -> list[float]:
    page = await browser.new_page()
    await _land(page, server)
    panel = await open_panel(page)
    await panel.evaluate(_ANSWER, "hello")
    return [await panel.evaluate(_ANSWER, QUESTIONS[index % len(QUESTIONS)]) for index in range(MESSAGES)]


async def _land(page: Page, server: Server) -> None:
    await page.goto(server.url)
    await page.wait_for_selector("#stipple .launcher")
    await page.wait_for_load_state("networkidle")


async def _replies(server: Server, streams: int) -> list[float]:
    limits = httpx.Limits(max_connections=streams + 50, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as http:
        held = asyncio.Semaphore(0)
        listeners = [asyncio.create_task(_listen(http, await _token(http), held)) for _ in range(streams)]
        for _ in listeners:
            await held.acquire()
        times: list[float] = []
        await asyncio.gather(*(_visit(http, times) for _ in range(VISITORS)))
        broken = [listener for listener in listeners if listener.done()]
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        if broken:
            raise RuntimeError(f"{len(broken)} streams of {streams} broke off")
    return times


async def _token(http: httpx.AsyncClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await http.post('/chat/sessions')).json()['token']}"}


async def _listen(http: httpx.AsyncClient, headers: dict[str, str], held: asyncio.Semaphore) -> None:
    async with http.stream("GET", "/chat/events", headers=headers) as response:
        async for line in response.aiter_lines():
            if line == "event: live":
                held.release()


async def _visit(http: httpx.AsyncClient, times: list[float]) -> None:
    headers = await _token(http)
    for index in range(REPLIES // VISITORS):
        body = {"id": uuid.uuid4().hex, "text": QUESTIONS[index % len(QUESTIONS)]}
        started = time.perf_counter()
        response = await http.post("/chat/messages", json=body, headers=headers)
        times.append((time.perf_counter() - started) * 1000)
        response.raise_for_status()
        await asyncio.sleep(PAUSE)


if __name__ == "__main__":
    for each in measure():
        print(f"{each.what:34} p50 {each.p50:6.1f} ms   p99 {each.p99:6.1f} ms   {each.at} at most {each.target:g} ms")
