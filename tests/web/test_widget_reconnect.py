"""Nothing is lost and nothing is doubled, whatever happens to the page, the network or the server."""

import json
import re

import pytest
from playwright.async_api import BrowserContext, Route, expect
from sqlalchemy import text
from test_widget_events import conversation_of, write_as_staff
from visiting import Chat, Site, opened, page_with_widget, token, until

from bench.browser import panel_of
from bench.serving import Server
from clinic import database

HURT = ("visitor", "does it hurt?")
DENIED = """Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });
navigator.locks.request = () => Promise.reject(new DOMException("denied", "SecurityError"));"""
FULL = """for (let size = 2 ** 22; size >= 1; size /= 2) {
  try { for (let count = 0; ; count += 1) localStorage.setItem(`${size} ${count}`, "x".repeat(size)); } catch { /* full */ }
}"""


async def test_a_reload_brings_back_both_sides_in_order(chat: Chat, server: Server) -> None:
    await chat.ask("does it hurt?")
    await chat.ask("how much does it cost?")
    before = await chat.said()
    again = await opened(chat.page, server.url)
    await again.wait_for(len(before))
    await again.shows(before)
    await expect(again.panel.locator("[role=alert]")).to_have_count(0)
    await again.ask("when are you open?")
    assert (await again.said())[: len(before)] == before


async def test_a_second_tab_shows_the_same_conversation_in_both_directions(
    chat: Chat, context: BrowserContext, server: Server
) -> None:
    await chat.ask("does it hurt?")
    other = await opened(await context.new_page(), server.url)
    await other.wait_for(2)
    await other.ask("how much does it cost?")
    await chat.page.bring_to_front()
    await chat.wait_for(4)
    await chat.ask("when are you open?")
    await other.page.bring_to_front()
    await other.wait_for(6)
    await other.shows(await chat.said())
    assert turns(server, await token(chat)) == 3


async def test_two_tabs_that_begin_at_once_have_one_conversation(context: BrowserContext, server: Server) -> None:
    tabs = [await opened(await context.new_page(), server.url) for _ in range(2)]
    for tab, question in zip(tabs, ("does it hurt?", "how much does it cost?"), strict=True):
        await tab.say(question)
    for tab in tabs:
        await tab.page.bring_to_front()
        await tab.wait_for(4)
    await tabs[0].shows(await tabs[1].said())


async def test_starting_over_in_one_tab_clears_the_other(chat: Chat, context: BrowserContext, server: Server) -> None:
    await chat.ask("does it hurt?")
    other = await opened(await context.new_page(), server.url)
    await other.wait_for(2)
    await chat.page.bring_to_front()
    await chat.panel.click("#more")
    await chat.panel.click("#again")
    await chat.panel.click("#sure button[value=yes]")
    await other.page.bring_to_front()
    await other.wait_for(0)


async def test_what_is_written_offline_is_sent_once_when_back_online(chat: Chat, context: BrowserContext, server: Server) -> None:
    await chat.ask("does it hurt?")
    await context.set_offline(True)
    await chat.panel.wait_for_selector("#trouble[data-trouble=offline]:not([hidden])")
    await chat.say("how much does it cost?")
    await chat.say("when are you open?")
    await chat.panel.wait_for_selector(".visitor .state")
    await expect(chat.panel.locator("#contact a[href='tel:+12125550142']")).to_be_visible()
    await context.set_offline(False)
    await chat.wait_for(6)
    assert [who for who, _ in await chat.said()] == ["visitor", "assistant"] * 3
    await chat.panel.wait_for_selector("#trouble", state="hidden")
    await expect(chat.panel.locator(".state")).to_have_count(0)
    assert turns(server, await token(chat)) == 3


async def test_what_came_while_offline_stands_before_what_was_written(
    chat: Chat, context: BrowserContext, server: Server
) -> None:
    await chat.ask("does it hurt?")
    await context.set_offline(True)
    await chat.panel.wait_for_selector("#trouble[data-trouble=offline]:not([hidden])")
    await chat.say("how much does it cost?")
    write_as_staff(server, conversation_of(server, await token(chat)), "Rowan here.")
    await context.set_offline(False)
    said = await until(chat.said, lambda said: len(said) == 5)
    assert [who for who, _ in said] == ["visitor", "assistant", "staff", "visitor", "assistant"]
    assert said[2][1] == "Rowan here."


async def test_a_line_that_went_dead_is_taken_up_where_it_ended(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    await page.clock.install()
    lines: list[str] = []
    page.on("request", lambda made: lines.append(made.headers.get("last-event-id", "")) if "/chat/events" in made.url else None)
    chat = await opened(page, server.url)
    await chat.ask("does it hurt?")
    conversation = conversation_of(server, await token(chat))
    write_as_staff(server, conversation, "Rowan here.")
    await chat.wait_for(3)
    # The server gives a sign of life each 15 seconds: after 40 without one there is nobody at the other end.
    before = len(lines)
    await page.clock.fast_forward(41_000)
    await until(lambda: _now(lines), lambda lines: len(lines) > before)
    assert lines[-1]
    write_as_staff(server, conversation, "Are you there still?")
    await until(chat.said, lambda said: [who for who, _ in said] == ["visitor", "assistant", "staff", "staff"])


async def test_a_page_that_nobody_looks_at_gives_its_line_back(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    await page.clock.install()
    ended: list[str] = []
    page.on("requestfailed", lambda made: ended.append(made.url) if "/chat/events" in made.url else None)
    chat = await opened(page, server.url)
    await chat.ask("does it hurt?")
    conversation = conversation_of(server, await token(chat))
    write_as_staff(server, conversation, "Rowan here.")
    await chat.wait_for(3)
    await chat.panel.evaluate(_LOOKED_AT, "hidden")
    await page.clock.fast_forward(21_000)
    await until(lambda: _now(ended), bool)
    write_as_staff(server, conversation, "Are you there still?")
    await chat.panel.evaluate(_LOOKED_AT, "visible")
    await until(chat.said, lambda said: [who for who, _ in said] == ["visitor", "assistant", "staff", "staff"])


_LOOKED_AT = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def _now(lines: list[str]) -> list[str]:
    return lines


async def test_what_is_written_offline_survives_a_closed_page(chat: Chat, context: BrowserContext, server: Server) -> None:
    await chat.page.route("**/chat/**", lambda route: route.abort())
    await chat.say("does it hurt?")
    await chat.panel.wait_for_selector("#trouble:not([hidden])")
    await chat.page.close()
    again = await opened(await context.new_page(), server.url)
    await again.wait_for(2)
    assert (await again.said())[0] == HURT


async def test_a_reply_that_got_lost_is_fetched_without_asking_twice(chat: Chat, server: Server) -> None:
    lost: list[str] = []

    async def lose_first(route: Route) -> None:
        if lost:
            return await route.continue_()
        await route.fetch()
        lost.append(route.request.post_data or "")
        return await route.abort()

    await chat.page.route("**/chat/messages", lose_first)
    await chat.ask("does it hurt?")
    assert lost
    assert len(await chat.said()) == 2
    assert turns(server, await token(chat)) == 1


async def test_a_server_that_is_restarted_in_between(chat: Chat, server: Server) -> None:
    await chat.ask("does it hurt?")
    server.stop()
    try:
        await chat.panel.wait_for_selector("#trouble[data-trouble=away]:not([hidden])")
        await chat.say("how much does it cost?")
        await chat.panel.wait_for_selector(".visitor .state")
        contact = await chat.panel.inner_text("#contact")
        assert "(212) 555-0142" in contact
        assert "9 AM" in contact
        assert "911" in contact
    finally:
        server.start()
    # By itself it tries again too; then the button is gone already.
    await chat.panel.dispatch_event("#retry", "click")
    await chat.wait_for(4)
    assert [who for who, _ in await chat.said()] == ["visitor", "assistant"] * 2
    await chat.panel.wait_for_selector("#trouble", state="hidden")
    await chat.ask("when are you open?")
    assert turns(server, await token(chat)) == 3


async def test_a_persons_reply_arrives_and_the_closed_launcher_tells(chat: Chat, server: Server) -> None:
    await chat.ask("does it hurt?")
    await chat.panel.press("#field", "Escape")
    await expect(chat.page.locator("#stipple .panel")).to_be_hidden()
    write_as_staff(server, conversation_of(server, await token(chat)), "Rowan here. <b>Hello</b>.")
    launcher = chat.page.locator("#stipple .launcher.news")
    await launcher.wait_for()
    await expect(launcher).to_have_attribute("aria-label", re.compile("new message"))
    await launcher.click()
    await until(chat.said, lambda said: said[-1] == ("staff", "Rowan here. <b>Hello</b>."))
    await expect(chat.page.locator("#stipple .launcher.news")).to_have_count(0)


@pytest.mark.parametrize("kept", ["no-token", "forged.token.x"])
async def test_a_token_that_is_no_good_any_more_begins_a_new_conversation_below(chat: Chat, kept: str) -> None:
    await chat.ask("does it hurt?")
    await chat.panel.evaluate(
        """(token) => {
          const session = JSON.parse(localStorage["stipple.session"]);
          localStorage["stipple.session"] = JSON.stringify({ ...session, token });
        }""",
        kept,
    )
    await chat.say("how much does it cost?")
    await chat.wait_for(4)
    said = await chat.said()
    assert said[0] == HURT
    assert said[2] == ("visitor", "how much does it cost?")


async def test_a_token_is_renewed_before_it_expires(chat: Chat) -> None:
    await chat.ask("does it hurt?")
    before = json.loads(await chat.panel.evaluate("localStorage['stipple.session']"))
    assert 11 * 3600_000 < before["expires"] - before["renew"] < 13 * 3600_000
    await chat.panel.evaluate("(kept) => localStorage.setItem('stipple.session', JSON.stringify(kept))", before | {"renew": 0})
    async with chat.page.expect_response("**/chat/sessions/renew"):
        await chat.ask("how much does it cost?")
    after = json.loads(await chat.panel.evaluate("localStorage['stipple.session']"))
    assert after["key"] == before["key"]
    assert after["renew"] > 0
    assert len(await chat.said()) == 4


async def test_too_much_at_once_is_told_kindly_and_sent_later(chat: Chat) -> None:
    await chat.page.route("**/chat/messages", lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}, json={}))
    await chat.say("does it hurt?")
    await chat.panel.wait_for_selector("#trouble[data-trouble=too_many]:not([hidden])")
    await chat.page.unroute("**/chat/messages")
    await chat.wait_for(2)
    await chat.panel.wait_for_selector("#trouble", state="hidden")


async def test_a_choice_that_is_gone_says_so(chat: Chat) -> None:
    await chat.ask("does it hurt?")
    await chat.page.route("**/chat/messages", lambda route: route.fulfill(status=404, json={}))
    await chat.panel.locator(".choices button").first.click()
    await expect(chat.panel.locator(".visitor .state")).to_contain_text("no longer there")
    await chat.page.unroute("**/chat/messages")
    await chat.say("how much does it cost?")
    await chat.wait_for(5)


async def test_a_panel_that_cannot_be_loaded_leaves_phone_hours_and_emergency(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    await page.goto(server.url)
    await context.set_offline(True)
    await page.click("#stipple .launcher")
    card = page.locator("#stipple .card")
    await card.wait_for()
    assert await card.locator("a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))") == [
        "tel:+12125550142",
        "tel:+12125550143",
        "tel:911",
    ]
    await expect(card).to_contain_text("9 AM")
    await context.set_offline(False)
    await card.locator("button").first.click()
    panel = await panel_of(page)
    await panel.wait_for_selector("#close:not([hidden])")
    await expect(page.locator("#stipple .card")).to_have_count(0)


async def test_on_another_website_a_reload_and_a_second_tab_keep_the_conversation(
    context: BrowserContext, server: Server, site: Site
) -> None:
    url = site.put("/kept", page_with_widget(server))
    chat = await opened(await context.new_page(), url)
    await chat.ask("does it hurt?")
    before = await chat.said()
    chat = await opened(chat.page, url)
    await chat.wait_for(2)
    other = await opened(await context.new_page(), url)
    await other.wait_for(2)
    await chat.shows(before)
    await other.shows(before)
    assert await context.cookies() == []


@pytest.mark.parametrize("script", [DENIED, FULL], ids=["denied", "full"])
async def test_a_browser_that_lets_nothing_be_kept_still_chats(
    context: BrowserContext, server: Server, site: Site, script: str
) -> None:
    await context.add_init_script(script)
    chat = await opened(await context.new_page(), site.put("/denied", page_with_widget(server)))
    await chat.ask("does it hurt?")
    await chat.ask("how much does it cost?")
    assert len(await chat.said()) == 4


async def test_a_page_without_tls_has_the_chat_too(context: BrowserContext, server: Server) -> None:
    chat = await opened(await context.new_page(), f"http://clinic.test:{server.port}/")
    assert await chat.panel.evaluate("[isSecureContext, crypto.randomUUID, navigator.locks]") == [False, None, None]
    await chat.ask("does it hurt?")
    before = await chat.said()
    again = await opened(chat.page, chat.page.url)
    await again.shows(before)


def turns(server: Server, token: str) -> int:
    """How many turns of a conversation are kept."""
    engine = database.connect(server.database_url)
    query = text("select count(*) from turn where conversation_id = :id")
    with engine.connect() as connection:
        count: int = connection.execute(query, {"id": conversation_of(server, token)}).scalar_one()
    engine.dispose()
    return count
