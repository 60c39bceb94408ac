"""Makes the pictures of docs/pictures: python -m scripts.screenshots [folder]"""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Frame, Page

from bench.browser import chromium, open_panel
from bench.serving import Server

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1200, "height": 860}


async def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        server = Server(Path(temporary)).start()
        try:
            async with chromium() as browser:
                for theme in ("light", "dark"):
                    await _desktop(browser, server, folder, theme)
                    await _phone(browser, server, folder, theme)
        finally:
            server.stop()


async def _desktop(browser: Browser, server: Server, folder: Path, theme: str) -> None:
    page = await browser.new_page(viewport=DESKTOP, color_scheme=theme)
    panel = await _open(page, server)
    await page.screenshot(path=folder / f"desktop-{theme}.png")
    await _ask(panel, "does it hurt?")
    await page.screenshot(path=folder / f"answer-{theme}.png")
    await page.close()


async def _phone(browser: Browser, server: Server, folder: Path, theme: str) -> None:
    context = await browser.new_context(viewport=PHONE, color_scheme=theme, device_scale_factor=2, has_touch=True, is_mobile=True)
    page = await context.new_page()
    panel = await _open(page, server)
    await page.screenshot(path=folder / f"phone-{theme}.png")
    await _ask(panel, "needles side")
    await page.screenshot(path=folder / f"phone-choices-{theme}.png")
    await _ask(panel, "my face is swelling and I cannot breathe")
    await page.screenshot(path=folder / f"phone-urgent-{theme}.png")
    await _book(page, panel, folder, theme)
    server.stop()
    await panel.fill("#field", "and when are you open?")
    await panel.press("#field", "Enter")
    await panel.wait_for_selector("#trouble:not([hidden])")
    await page.wait_for_timeout(3000)
    await page.screenshot(path=folder / f"phone-away-{theme}.png")
    server.start()
    await context.close()


async def _book(page: Page, panel: Frame, folder: Path, theme: str) -> None:
    choices = panel.locator(".choices button")
    await _ask(panel, "I would like to book a visit")
    for pick in (choices.first, choices.nth(1)):
        await pick.click()
        await _settled(panel)
    await page.screenshot(path=folder / f"phone-booking-{theme}.png")
    await choices.first.click()
    await _settled(panel)
    for text in ("Ada Byron", "(212) 555-0117"):
        await _ask(panel, text)
    await choices.first.click()
    await panel.wait_for_selector(".file")
    await _settled(panel)
    await page.screenshot(path=folder / f"phone-booked-{theme}.png")


async def _open(page: Page, server: Server) -> Frame:
    await page.goto(server.url)
    panel = await open_panel(page)
    await page.wait_for_timeout(400)
    return panel


async def _ask(panel: Frame, text: str) -> None:
    await panel.fill("#field", text)
    await panel.press("#field", "Enter")
    await _settled(panel)


async def _settled(panel: Frame) -> None:
    """Waits until the last word is the assistant's, and all has come to rest."""
    await panel.wait_for_function("() => document.querySelector('#messages > :last-child').matches('.assistant')")
    await panel.page.wait_for_timeout(400)


if __name__ == "__main__":
    pictures = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(pictures))
