"""Debian's Chromium, for tests, benches and pictures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Frame, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    # Names without TLS that are not this machine's own: pages under them may do less.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
    # Takes the place of a longer list of Playwright's, so that storage is parted by website as in visitors' browsers.
    "--disable-features=Translate,MediaRouter,OptimizationHints",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


async def open_panel(page: Page) -> Frame:
    """Opens the chat on a page that has the widget; done when the visitor can write."""
    await page.click("#stipple .launcher")
    panel = await panel_of(page)
    await panel.wait_for_selector("#close:not([hidden])")
    return panel


async def panel_of(page: Page) -> Frame:
    """The frame of the chat, once it is there."""
    handle = await page.wait_for_selector("#stipple iframe")
    panel = await handle.content_frame() if handle else None
    if panel is None:
        raise RuntimeError("the panel has no frame")
    return panel
