"""One server, one browser and one other website for all tests of the widget."""

from collections.abc import AsyncIterator, Iterator

import pytest
import yaml
from playwright.async_api import Browser, BrowserContext
from visiting import PATIENCE, ROOT, Chat, Site, opened

from bench.browser import chromium
from bench.serving import Server


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    words = yaml.safe_load((ROOT / "bot/web/panel.yml").read_text(encoding="utf-8"))
    words["ar"] = words["en"] | {
        "direction": "rtl",
        "launcher": "اسألنا",
        "placeholder": "اكتب سؤالك",
        "greeting_title": "كيف أساعدك؟",
    }
    (folder / "panel.yml").write_text(yaml.safe_dump(words, allow_unicode=True), encoding="utf-8")
    server = Server(
        folder,
        allowed_origins=site.origin,
        panel=str(folder / "panel.yml"),
        limit_messages="1000/minute",
        limit_address="5000/minute",
        limit_sessions="1000/minute",
        limit_streams="5000/minute",
    ).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor's browser, with nothing in it."""
    context = await browser.new_context(viewport={"width": 1200, "height": 860})
    context.set_default_timeout(PATIENCE * 1000)
    yield context
    await context.close()


@pytest.fixture
async def chat(context: BrowserContext, server: Server) -> Chat:
    """An open chat on the demo page."""
    return await opened(await context.new_page(), server.url)
