"""The chat for everyone: axe-core finds nothing in any state, and all works by keyboard, enlarged, small and still."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Frame, Page, expect
from test_widget_events import conversation_of, write_as_staff
from visiting import PATIENCE, ROOT, Chat, Site, becomes, booked, offered, opened, page_with_widget, token, until

from bench.browser import panel_of
from bench.serving import Server

AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
PHONE = {"width": 390, "height": 780}
SMALL = {"width": 320, "height": 568}
# A window of 1280 by 1024 at 200 % and at 400 %.
TWICE, FOUR_TIMES = {"width": 640, "height": 512}, {"width": 320, "height": 256}
UNCUT = """[...document.querySelectorAll(".bubble, button")].every((e) => e.scrollWidth <= e.clientWidth + 1
  && (e.matches(".bubble") || e.scrollHeight <= e.clientHeight + 1))"""
# What readers may set for themselves (WCAG 1.4.12).
WIDE_TEXT = """const sheet = new CSSStyleSheet();
sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }");
document.adoptedStyleSheets.push(sheet);"""
# Whether the last reply can be seen between the head and the field: its beginning, and its end.
IN_SIGHT = """(() => {
  const all = document.querySelectorAll(".message");
  const { top, bottom } = all[all.length - 1].getBoundingClientRect();
  const head = document.querySelector("header").getBoundingClientRect();
  const [from, to] = [Math.max(0, head.bottom), document.getElementById("form").getBoundingClientRect().top];
  return [top >= from && top < to, bottom <= to];
})()"""


@pytest.fixture(params=["light", "dark"])
async def themed(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        color_scheme=request.param, reduced_motion="reduce", viewport={"width": 1200, "height": 860}
    )
    context.set_default_timeout(PATIENCE * 1000)
    yield context
    await context.close()


async def test_axe_finds_nothing_in_any_state(themed: BrowserContext, server: Server) -> None:
    page = await themed.new_page()
    await page.goto(server.url)
    await page.wait_for_selector("#stipple .launcher")
    await check(page, "the page with the launcher")
    chat = await opened(page, server.url)
    await check(page, "the page with the panel")
    await check(chat.panel, "the greeting")
    await chat.panel.click("#more")
    await check(chat.panel, "the menu")
    await chat.panel.click("#again")
    await check(chat.panel, "the question whether to start over")
    await chat.panel.click("#sure button[value=no]")
    await chat.ask("does it hurt?")
    await check(chat.panel, "an answer with sources and buttons")
    await chat.ask("I cannot breathe and my throat is swelling")
    await check(chat.panel, "an emergency")
    await chat.panel.evaluate("document.getElementById('typing').hidden = false")
    await check(chat.panel, "the typing sign")
    await themed.set_offline(True)
    await in_trouble(chat, "offline")
    await themed.set_offline(False)
    await chat.panel.wait_for_selector("#trouble", state="hidden")
    await page.route("**/chat/messages", lambda route: route.fulfill(status=429, headers={"Retry-After": "600"}, json={}))
    await chat.say("is anyone there?")
    await in_trouble(chat, "too_many")
    await page.route("**/chat/**", lambda route: route.abort())
    await chat.panel.dispatch_event("#retry", "click")
    await chat.panel.wait_for_selector(".state")
    await in_trouble(chat, "away")


async def test_axe_finds_nothing_on_what_is_there_without_the_panel(themed: BrowserContext, server: Server) -> None:
    page = await themed.new_page()
    for path in ("/answers", "/answers/pain", "/panel"):
        await page.goto(server.url + path)
        await check(page, path)
    await page.goto(server.url)
    await page.wait_for_selector("#stipple .launcher")
    await themed.set_offline(True)
    await page.click("#stipple .launcher")
    await page.wait_for_selector("#stipple .card")
    await check(page, "the telephone numbers in the panel's place")


async def test_who_reads_further_up_is_told_of_news_and_left_there(themed: BrowserContext, server: Server) -> None:
    chat = await opened(await themed.new_page(), server.url)
    await chat.ask("does it hurt?")
    await chat.ask("how much does it cost?")
    await chat.panel.evaluate("document.getElementById('log').scrollTop = 0")
    write_as_staff(server, conversation_of(server, await token(chat)), "Rowan here.")
    await chat.wait_for(5)
    await expect(chat.panel.locator("#latest")).to_be_visible()
    await becomes(chat.panel, "document.getElementById('log').scrollTop", 0)
    await check(chat.panel, "news further down")
    await chat.panel.click("#latest")
    await becomes(chat.panel, IN_SIGHT, [True, True])
    await expect(chat.panel.locator("#latest")).to_be_hidden()


async def test_axe_finds_nothing_while_a_visit_is_booked(themed: BrowserContext, server: Server) -> None:
    chat = await opened(await themed.new_page(), server.url)
    await offered(chat)
    await check(chat.panel, "times to choose from")
    await chat.panel.click("#more")
    await chat.panel.click("#again")
    await chat.panel.click("#sure button[value=yes]")
    await chat.wait_for(0)
    await booked(chat)
    await check(chat.panel, "a visit with its calendar file")


@pytest.mark.parametrize("size", [PHONE, SMALL, TWICE, FOUR_TIMES], ids=["phone", "320 px", "200 %", "400 %"])
async def test_axe_finds_nothing_on_small_screens_and_nothing_is_cut_off(
    themed: BrowserContext, server: Server, size: dict[str, Any]
) -> None:
    page = await themed.new_page()
    await page.set_viewport_size(size)  # type: ignore[arg-type]
    chat = await opened(page, server.url)
    whole = {"x": 0, "y": 0, **size}
    await until(page.locator("#stipple iframe").bounding_box, lambda box: box == whole if size != TWICE else within(box, whole))
    await chat.ask("does it hurt?")
    await becomes(chat.panel, f"{IN_SIGHT}[0]", True)
    await check(chat.panel, "an answer")
    await chat.write("I would like to book a consultation")
    await chat.panel.wait_for_selector(".choices button")
    for script in ("", WIDE_TEXT):
        await chat.panel.evaluate(script)
        await becomes(chat.panel, "document.documentElement.scrollWidth <= innerWidth", True)
        await becomes(chat.panel, UNCUT, True)
    await chat.panel.locator("#field").scroll_into_view_if_needed()
    await chat.panel.click("#field")
    await chat.panel.locator(".choices button").first.click()


async def test_axe_finds_nothing_from_right_to_left_and_in_the_websites_colour(
    themed: BrowserContext, server: Server, site: Site
) -> None:
    url = site.put("/axe", page_with_widget(server, options='data-language=ar data-colour="#ffe600"'))
    chat = await opened(await themed.new_page(), url)
    await check(chat.panel, "the greeting")
    await chat.ask("does it hurt?")
    await check(chat.panel, "an answer")
    await check(chat.page, "the website")


async def test_all_works_by_keyboard_alone(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    await page.goto(server.url)
    await page.wait_for_selector("#stipple .launcher")
    keyboard = page.keyboard
    for _ in range(6):
        await keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "stipple":
            break
    await keyboard.press("Enter")
    panel = await panel_of(page)
    await panel.wait_for_function("() => document.hasFocus() && document.activeElement.id === 'field'")
    await keyboard.type("does it")
    await keyboard.press("Shift+Enter")
    await keyboard.type("hurt?")
    await expect(panel.locator(".message")).to_have_count(0)
    await keyboard.press("Enter")
    await panel.wait_for_selector(".choices button")
    await expect(panel.locator("#field")).to_be_focused()  # who writes goes on writing
    await back_to(panel, ".choices button")
    await keyboard.press("Enter")
    await panel.wait_for_function("() => document.querySelectorAll('.assistant').length === 2")
    await expect(panel.locator("#field")).to_be_focused()
    await back_to(panel, "#more")
    await keyboard.press("Enter")
    await expect(panel.locator("#more")).to_have_attribute("aria-expanded", "true")
    await keyboard.press("Escape")
    await expect(panel.locator("#menu")).to_be_hidden()
    await expect(panel.locator("#more")).to_be_focused()
    await keyboard.press("Escape")
    await page.wait_for_selector("#stipple .panel", state="hidden")
    focused = "document.activeElement.shadowRoot?.activeElement?.className"
    await becomes(page, focused, "launcher")
    await keyboard.press("Enter")
    await panel.wait_for_function("() => document.hasFocus() && document.activeElement.id === 'field'")


async def test_the_focus_goes_back_to_where_the_visitor_came_from(context: BrowserContext, server: Server, site: Site) -> None:
    page = await context.new_page()
    more = '<a href="#stipple">Ask us</a><label>Name <input></label>'
    await page.goto(site.put("/focus", page_with_widget(server, more=more)))
    await page.wait_for_selector("#stipple .launcher")
    await page.focus("text=Ask us")
    await page.keyboard.press("Enter")
    panel = await panel_of(page)
    await panel.wait_for_function("() => document.hasFocus() && document.activeElement.id === 'field'")
    await page.keyboard.press("Escape")
    await expect(page.locator("text=Ask us")).to_be_focused()
    await page.keyboard.press("Enter")
    await panel.wait_for_function("() => document.hasFocus() && document.activeElement.id === 'field'")
    await page.focus("input")
    await page.evaluate("Stipple.close()")
    await page.wait_for_selector("#stipple .panel", state="hidden")
    await expect(page.locator("input")).to_be_focused()


async def test_a_reply_is_read_out_once_and_old_ones_are_not(chat: Chat, server: Server) -> None:
    await chat.panel.evaluate(_LISTEN)
    await chat.ask("does it hurt?")
    await chat.ask("how much does it cost?")
    await chat.ask("I cannot breathe and my throat is swelling")
    heard = await until(lambda: chat.panel.evaluate("window.heard"), lambda heard: len(heard) == 3)
    assert [who for who, _ in heard] == ["log", "log", "alert"]
    assert all(text.startswith("The assistant said") for _, text in heard[:2])
    assert "911" in heard[2][1]
    await chat.page.add_init_script("addEventListener('DOMContentLoaded', () => { " + _LISTEN + " })")
    again = await opened(chat.page, server.url)
    await again.wait_for(6)
    assert await again.panel.evaluate("window.heard") == []
    await expect(again.panel.locator("#log")).to_have_attribute("role", "log")


async def test_the_launcher_says_what_it_is_and_whether_the_chat_is_open(chat: Chat) -> None:
    launcher = chat.page.locator("#stipple .launcher")
    await expect(launcher).to_have_attribute("aria-expanded", "true")
    await expect(launcher).to_have_attribute("aria-label", "Close the chat")
    await launcher.click()
    await expect(launcher).to_have_attribute("aria-expanded", "false")
    await expect(launcher).to_have_attribute("aria-label", "Ask a question")
    await expect(chat.page.locator("#stipple iframe")).to_have_attribute("title", "Chat with Larkfield Skin Clinic")


async def test_on_a_phone_the_rest_of_the_page_waits_and_comes_back(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    chat = await opened(page, server.url)
    await becomes(page, "document.body.inert", True)
    await expect(page.locator("#stipple .panel")).to_have_attribute("aria-modal", "true")
    await chat.write("I would like to book a consultation")
    await becomes(chat.panel, IN_SIGHT, [True, True])
    # The keyboard takes the lower half of the screen.
    await page.evaluate(
        """() => { Object.defineProperty(visualViewport, "height", { value: 400, configurable: true });
        visualViewport.dispatchEvent(new Event("resize")); }"""
    )
    await until(page.locator("#stipple iframe").bounding_box, lambda box: box is not None and box["height"] == 400)
    await becomes(chat.panel, IN_SIGHT, [True, True])
    await chat.panel.click("#close")
    await page.wait_for_selector("#stipple .panel", state="hidden")
    await becomes(page, "document.body.inert", False)
    await page.set_viewport_size({"width": 1200, "height": 860})
    await page.click("#stipple .launcher")
    await becomes(page, "document.body.inert", False)


async def test_a_reply_stays_in_sight_when_a_keyboard_comes_and_goes(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    await page.set_viewport_size({"width": 390, "height": 560})
    chat = await opened(page, server.url)
    await chat.ask("does it hurt?")
    for height in (560, 280, 560):
        await page.set_viewport_size({"width": 390, "height": height})
        await becomes(chat.panel, "innerHeight", height)
        await becomes(chat.panel, IN_SIGHT, [True, False])


async def test_what_is_pressed_is_large_enough_and_nothing_moves_for_those_who_want_it_still(
    themed: BrowserContext, server: Server
) -> None:
    chat = await opened(await themed.new_page(), server.url)
    await chat.ask("does it hurt?")
    await chat.panel.click("#more")
    sizes = await chat.panel.evaluate(
        """[...document.querySelectorAll("button, #menu a")].map((e) => e.getBoundingClientRect()).filter((r) => r.width)
        .map((r) => Math.min(r.width, r.height))"""
    )
    assert min(sizes) >= 44
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    await becomes(chat.panel, moving, 0)
    await becomes(chat.page, moving, 0)


async def check(place: Page | Frame, state: str) -> None:
    """Runs axe-core with all of its rules of WCAG 2.2 AA and its best practices."""
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = await place.evaluate(f"(runOnly) => {{ {AXE}; return axe.run(document, {{ iframes: false, runOnly }}); }}", rules)
    assert len(found["passes"]) > 5
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == [], state


async def in_trouble(chat: Chat, trouble: str) -> None:
    """Waits until the panel tells of a trouble, and runs axe-core then."""
    await chat.panel.wait_for_selector(f"#trouble[data-trouble={trouble}]:not([hidden])")
    await check(chat.panel, trouble)


async def back_to(panel: Frame, selector: str) -> None:
    """Goes back by the tabulator key to what is wanted."""
    for _ in range(40):
        if await panel.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        await panel.page.keyboard.press("Shift+Tab")
    raise AssertionError(f"{selector} is not reached")


def within(box: dict[str, float] | None, whole: dict[str, float]) -> bool:
    """Whether a box is inside of another one."""
    return box is not None and all(
        whole[start] <= box[start] and box[start] + box[size] <= whole[start] + whole[size]
        for start, size in (("x", "width"), ("y", "height"))
    )


# What a screen reader reads: each message that is added to the log, unless it or the log says not to, and each alert.
_LISTEN = """window.heard = []; new MutationObserver((all) => {
  for (const one of all) for (const added of one.addedNodes) {
    if (!added.matches?.(".message")) continue;
    if (!added.closest("[aria-live=off]")) window.heard.push(["log", added.textContent]);
    for (const alert of added.querySelectorAll("[role=alert]")) window.heard.push(["alert", alert.textContent]);
  }
}).observe(document.getElementById("log"), { childList: true, subtree: true });"""
