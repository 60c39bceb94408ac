"""The widget on websites that it cannot choose: their styles, their policies, their scripts."""

from playwright.async_api import BrowserContext, Page, expect
from visiting import Chat, Site, becomes, opened, page_with_widget, until

from bench.serving import Server

RESETS = """<style>
  * { all: unset !important; display: block !important; font-size: 3px !important; color: red !important; }
  div, button, iframe { display: none !important; position: static !important; width: 1px !important; opacity: 0 !important; }
  html { font-size: 7px; line-height: 4; text-transform: uppercase; letter-spacing: 9px; direction: ltr; }
</style>"""
SPY = """<script>
  window.heard = [];
  addEventListener("message", (event) => heard.push(JSON.stringify(event.data)));
  window.spy = () => {
    const frame = document.getElementById("stipple").shadowRoot.querySelector("iframe");
    const tries = [() => frame.contentDocument.body.textContent, () => frame.contentWindow.document.body.textContent,
      () => frame.contentWindow.localStorage.length, () => frame.contentWindow.location.href,
      () => localStorage["stipple.session"]];
    return tries.map((attempt) => { try { return attempt() ?? null; } catch { return null; } });
  };
</script>"""
# What of the website moves; the launcher, which stands beside the body, may change its form.
_SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const { sources } of list.getEntries())
    shifts.push(...sources.filter(({ node }) => document.body.contains(node)).map(({ node }) => node.nodeName));
}).observe({ type: "layout-shift", buffered: true });"""
# Done when the window has heard the message: it hears another one that was posted after it.
_POST = """(message) => new Promise((resolve) => {
  addEventListener("message", (event) => event.data === "heard" && resolve());
  window.postMessage(message, "*");
  window.postMessage("heard", "*");
})"""


async def test_resets_of_the_website_do_not_reach_the_widget(context: BrowserContext, server: Server, site: Site) -> None:
    chat = await opened(await context.new_page(), site.put("/resets", page_with_widget(server, head=RESETS)))
    for name, size in ((".launcher", (56, 56)), ("iframe", (408, 680))):
        box = chat.page.locator(f"#stipple {name}").bounding_box
        await until(box, lambda seen, size=size: seen is not None and (seen["width"], seen["height"]) == size)
    label = chat.page.locator("#stipple .launcher")
    style = await label.evaluate(
        "(b) => { const s = getComputedStyle(b); return [s.fontSize, s.textTransform, s.letterSpacing, s.opacity]; }"
    )
    assert style == ["16px", "none", "normal", "1"]
    await chat.ask("does it hurt?")


async def test_a_strict_policy_needs_two_lines_only(context: BrowserContext, server: Server, site: Site) -> None:
    policy = f"default-src 'none'; script-src {server.url}; frame-src {server.url}; require-trusted-types-for 'script'"
    page = await context.new_page()
    problems = watched(page)
    chat = await opened(page, site.put("/strict", page_with_widget(server), {"Content-Security-Policy": policy}))
    await chat.ask("does it hurt?")
    await expect(page.locator("#stipple iframe")).to_have_css("width", "408px")
    assert problems == []


async def test_scripts_of_the_website_cannot_read_the_chat(context: BrowserContext, server: Server, site: Site) -> None:
    chat = await opened(await context.new_page(), site.put("/spy", page_with_widget(server, head=SPY)))
    await chat.ask("does it hurt?")
    assert await chat.page.evaluate("spy()") == [None] * 5
    heard = await chat.page.evaluate("heard")
    assert all("hurt" not in message and "discomfort" not in message for message in heard)
    assert await chat.page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0


async def test_the_panel_listens_to_its_own_website_only(context: BrowserContext, server: Server, site: Site) -> None:
    # A page of another origin puts the panel in a frame of its own and claims to be the clinic's website.
    inner = site.put("/inner", page_with_widget(server))
    chat = await opened(await context.new_page(), inner)
    await chat.panel.evaluate(_POST, {"stipple": 1, "type": "open", "question": "forged"})
    await chat.page.evaluate(_POST, {"stipple": 1, "type": "close"})
    await expect(chat.panel.locator("#field")).to_have_value("")
    await expect(chat.page.locator("#stipple .panel")).to_be_visible()


async def test_a_website_that_is_not_listed_shows_how_to_call_instead(
    context: BrowserContext, server: Server, site: Site
) -> None:
    site.put("/stranger", page_with_widget(server))
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{site.stranger}/stranger")
    await page.click("#stipple .launcher")
    await page.wait_for_selector("#stipple iframe")
    await page.clock.run_for(7000)
    await expect(page.locator("#stipple .card")).to_contain_text("(212) 555-0142")
    for frame in page.frames:
        await expect(frame.locator("#field")).to_have_count(0)


async def test_the_website_stays_as_it_was(context: BrowserContext, server: Server, site: Site) -> None:
    text = "<p>Some words of the clinic.</p>" * 60
    page = await context.new_page()
    problems = watched(page)
    await page.add_init_script(_SHIFTS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(site.put("/plain", page_with_widget(server, more=text)))
    await page.wait_for_selector("#stipple .launcher")
    assert len([url for url in asked if url.startswith(server.url)]) == 1, "until it is opened there is the loader alone"
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight, document.body.className, scrollY]"
    await page.evaluate("scrollTo(0, 500)")
    before = await page.evaluate(size)
    names = set(await page.evaluate("Object.keys(window)"))
    chat = await opened(page, page.url)
    await page.evaluate("scrollTo(0, 500)")
    await chat.ask("does it hurt?")
    await becomes(page, size, before)
    assert await page.evaluate("shifts") == []
    # What moves is noticed, as when something is put before all else.
    moved = "scrollTo(0, 0); document.querySelector('main').prepend(document.createElement('hr')); shifts"
    await until(lambda: page.evaluate(moved), bool)
    assert set(await page.evaluate("Object.keys(window)")) == names
    assert "Stipple" in names
    assert problems == []


async def test_the_line_twice_is_one_widget(context: BrowserContext, server: Server, site: Site) -> None:
    again = f'<script src="{server.url}/widget.js" async></script>'
    page = await context.new_page()
    await page.goto(site.put("/twice", page_with_widget(server, more=again)))
    await page.wait_for_selector("#stipple .launcher")
    await page.wait_for_load_state("networkidle")
    await expect(page.locator("#stipple")).to_have_count(1)


async def test_the_panel_alone_is_a_page_of_its_own(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    problems = watched(page)
    await page.goto(f"{server.url}/panel")
    chat = Chat(page, page.main_frame)
    await chat.ask("does it hurt?")
    await expect(page.locator("#close")).to_be_hidden()
    assert problems == []


def watched(page: Page) -> list[str]:
    """What goes wrong on a page, as its console says."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    return problems
