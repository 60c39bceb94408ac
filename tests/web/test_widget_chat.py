"""The chat as a visitor uses it, in a browser against the real server."""

import asyncio
import json
import re
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, expect
from visiting import Chat, Site, becomes, opened, page_with_widget, until

from bench.browser import panel_of
from bench.serving import Server

HOSTILE = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=\"parent.postMessage('hacked','*');window.hacked=1\">",
    "<svg onload=window.hacked=1>",
    "javascript:window.hacked=1",
    "</script><script>window.hacked=1</script>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "${window.hacked=1}",
    '<a href="javascript:window.hacked=1">tap</a>',
    "\u202e<b>gnol</b>",
    "/restart",
    '/book_appointment{"phone": "+12125550142"}',
]


_CONTRASTS = """async () => {
  const { paint } = await import(document.querySelector("[rel=modulepreload][href*=host]").href);
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (css) => css.match(/[\\d.]+/g).map((part) => linear(part / 255))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const [retry, send, form] = ["retry", "send", "form"].map((id) => document.getElementById(id));
  form.classList.remove("empty");
  send.style.transition = "none";
  const found = [];
  for (const colour of ["#ffffff", "#000000", "#ffe600", "#ff0000", "#7f7f7f", "#00ffcc", "#8a4b3c"]) {
    for (const theme of ["light", "dark"]) {
      document.documentElement.style.colorScheme = theme;
      paint(colour);
      const [link, button, paper] = [retry, send, form].map((element) => getComputedStyle(element));
      for (const [text, ground] of [[link.color, paper.backgroundColor], [button.color, button.backgroundColor]]) {
        const [low, high] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
        found.push([colour, theme, text, ground, (high + 0.05) / (low + 0.05)]);
      }
    }
  }
  return found;
}"""
_SETTLED = """(n) => document.querySelectorAll('.visitor:not([data-waiting])').length === n
  && document.querySelectorAll('.assistant').length >= n"""


async def test_first_question_gets_an_approved_answer_with_its_sources(context: BrowserContext, server: Server) -> None:
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    chat = await opened(page, server.url)
    assert not any("/chat/" in url for url in asked), "nothing begins before the visitor says something"
    assert "mild discomfort" in await chat.ask("does it hurt?")
    await expect(chat.panel.locator(".sources li").first).to_be_attached()
    await expect(chat.panel.locator(".choices button").first).to_be_attached()
    await expect(chat.panel.locator(".assistant time")).to_have_attribute("datetime", re.compile("."))
    assert not problems
    assert all(url.startswith(server.url) for url in asked)
    assert await context.cookies() == []


async def test_a_follow_up_button_asks_its_question_and_the_old_buttons_go(chat: Chat) -> None:
    await chat.ask("does it hurt?")
    button = chat.panel.locator(".choices button").first
    title = await button.inner_text()
    await button.click()
    await chat.wait_for(4)
    said = await chat.said()
    assert said[2] == ("visitor", title)
    assert said[3][0] == "assistant"
    await until(chat.panel.locator(".choices").count, lambda count: count <= 1)
    await expect(chat.panel.locator("#field")).to_be_focused()


async def test_a_suggested_question_is_asked_with_one_press(chat: Chat) -> None:
    await chat.panel.locator("#suggestions button").first.click()
    await chat.wait_for(2)
    await expect(chat.panel.locator("#suggestions")).to_be_hidden()


async def test_talk_to_a_person_stands_in_the_menu_beside_call_and_text(chat: Chat) -> None:
    await chat.panel.click("#more")
    links = await chat.panel.locator("#menu a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    assert links == ["tel:+12125550142", "sms:+12125550144"]
    assert "our team" in await chat.press(chat.panel.locator("#person"))
    await expect(chat.panel.locator("#menu")).to_be_hidden()


async def test_start_over_begins_another_conversation(chat: Chat) -> None:
    await chat.ask("does it hurt?")
    before = await chat.panel.evaluate("localStorage.getItem('stipple.session')")
    for answer, left in (("no", 2), ("yes", 0)):
        await chat.panel.click("#more")
        await chat.panel.click("#again")
        await chat.panel.click(f"#sure button[value={answer}]")
        await chat.wait_for(left)
    await becomes(chat.panel, "localStorage.getItem('stipple.session')", None)
    await chat.ask("how much does it cost?")
    assert (
        json.loads(await chat.panel.evaluate("localStorage.getItem('stipple.session')"))["token"] != json.loads(before)["token"]
    )
    assert len(await chat.said()) == 2


async def test_an_emergency_is_an_alert_with_numbers_to_call(chat: Chat) -> None:
    await chat.ask("I cannot breathe and my throat is swelling")
    urgent = chat.panel.locator(".urgent .bubble")
    await expect(urgent).to_have_attribute("role", "alert")
    await expect(urgent.locator("a[href^='tel:']").first).to_be_attached()
    await expect(chat.panel.locator("footer a")).to_have_attribute("href", "tel:911")


async def test_the_typing_sign_comes_after_a_while_and_goes_with_the_answer(context: BrowserContext, server: Server) -> None:
    chat = await with_time_standing_still(context, server)
    asked, answer = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        asked.set()
        await answer.wait()
        await route.continue_()

    await chat.page.route("**/chat/messages", late)
    await chat.say("how much does it cost?")
    await asked.wait()
    await chat.page.clock.run_for(390)
    await expect(chat.panel.locator("#typing")).to_be_hidden()
    await chat.page.clock.run_for(20)
    await expect(chat.panel.locator("#typing")).to_be_visible()
    answer.set()
    await chat.wait_for(4)
    await expect(chat.panel.locator("#typing")).to_be_hidden()


async def test_an_answer_that_is_quick_shows_no_typing_sign(context: BrowserContext, server: Server) -> None:
    chat = await with_time_standing_still(context, server)
    await chat.ask("how much does it cost?")
    await chat.page.clock.run_for(5000)
    await expect(chat.panel.locator("#typing")).to_be_hidden()


async def test_a_time_stands_once_below_what_was_said_in_its_minute(chat: Chat) -> None:
    await chat.ask("does it hurt?")
    await chat.ask("how much does it cost?")
    times = await chat.panel.locator("#messages time").evaluate_all("(all) => all.map((t) => [t.textContent, t.hidden])")
    assert len(times) == 4
    for (time, hidden), (following, _) in zip(times, [*times[1:], ("", False)], strict=True):
        assert hidden == (time == following)


async def with_time_standing_still(context: BrowserContext, server: Server) -> Chat:
    """A chat with one answer, in a page whose time moves when it is told to."""
    page = await context.new_page()
    await page.clock.install(time="2026-03-02T15:00:00Z")
    chat = await opened(page, server.url)
    await chat.ask("does it hurt?")
    await page.clock.pause_at("2026-03-02T16:00:00Z")
    return chat


async def test_a_website_sets_colour_side_greeting_icon_and_label(context: BrowserContext, server: Server, site: Site) -> None:
    options = 'data-colour="#0b6e4f" data-side=left data-greeting="Welcome <b>in</b>." data-icon=question data-label="Need help?"'
    chat = await opened(await context.new_page(), site.put("/options", page_with_widget(server, options=options)))
    await expect(chat.panel.locator("#greeting")).to_have_text("Welcome <b>in</b>.")
    launcher = chat.page.locator("#stipple .launcher")
    await until(launcher.bounding_box, lambda box: box is not None and box["x"] < 100)
    await expect(launcher).to_have_css("background-color", "rgb(11, 110, 79)")
    await expect(launcher.locator(".label")).to_have_text("Need help?")
    await expect(chat.panel.locator("#send")).to_have_css("color", "rgb(11, 110, 79)")


async def test_a_website_sets_the_same_by_styles_and_before_the_line(context: BrowserContext, server: Server, site: Site) -> None:
    head = """<style>:root { --stipple-colour: #0b6e4f; --stipple-side: 40px; --stipple-bottom: 88px; --stipple-layer: 7 }</style>
      <script>window.Stipple = { theme: "dark", greeting: "Hello there.", language: "nowhere" }</script>"""
    chat = await opened(await context.new_page(), site.put("/styles", page_with_widget(server, head=head)))
    launcher = chat.page.locator("#stipple .launcher")
    await expect(launcher).to_have_css("background-color", "rgb(11, 110, 79)")
    await until(launcher.bounding_box, lambda box: box is not None and box["x"] + box["width"] == 1160)
    await until(launcher.bounding_box, lambda box: box is not None and box["y"] + box["height"] == 772)
    await expect(chat.page.locator("#stipple")).to_have_css("z-index", "7")
    await expect(chat.panel.locator("#greeting")).to_have_text("Hello there.")
    await expect(chat.panel.locator("html")).to_have_css("color-scheme", "dark")
    await expect(chat.panel.locator("html")).to_have_attribute("lang", "en")


async def test_any_colour_is_made_readable(chat: Chat, server: Server) -> None:
    contrasts = await chat.panel.evaluate(_CONTRASTS)
    assert [found for found in contrasts if found[-1] < 4.5] == []


async def test_a_website_opens_closes_and_prefills_the_chat(context: BrowserContext, server: Server, site: Site) -> None:
    page = await context.new_page()
    await page.goto(site.put("/script", page_with_widget(server, more='<a href="#stipple">Ask us</a>')))
    await page.wait_for_function("() => !!window.Stipple?.open")
    await page.evaluate("Stipple.ask('Does it <i>hurt</i>?')")
    panel = await panel_of(page)
    await panel.wait_for_function("() => document.getElementById('field').value === 'Does it <i>hurt</i>?'")
    await expect(panel.locator(".message")).to_have_count(0)  # it is the visitor who sends it
    await page.evaluate("Stipple.close()")
    await expect(page.locator("#stipple .panel")).to_be_hidden()
    await page.click("text=Ask us")
    await expect(page.locator("#stipple .panel")).to_be_visible()


async def test_a_language_from_right_to_left_turns_the_panel_round(context: BrowserContext, server: Server, site: Site) -> None:
    chat = await opened(await context.new_page(), site.put("/arabic", page_with_widget(server, options="data-language=ar")))
    await becomes(chat.panel, "[document.documentElement.lang, document.dir]", ["ar", "rtl"])
    await chat.ask("does it hurt?")
    boxes = [await chat.panel.locator(f".{who} .bubble").bounding_box() for who in ("visitor", "assistant")]
    assert boxes[0]["x"] < boxes[1]["x"] + 1 or boxes[0]["x"] < boxes[1]["x"] + boxes[1]["width"] / 2
    await expect(chat.panel.locator(".assistant .bubble")).to_have_attribute("lang", "en")


async def test_what_a_visitor_writes_is_never_more_than_text(chat: Chat) -> None:
    for count, text in enumerate(HOSTILE, start=1):
        await chat.say(text)
        await chat.panel.wait_for_function(_SETTLED, arg=count)
    assert [text for who, text in await chat.said() if who == "visitor"] == HOSTILE
    await _assert_unharmed(chat)
    # The same, from the server's memory.
    await chat.page.reload()
    again = await opened(chat.page, chat.page.url)
    await again.panel.wait_for_function("(n) => document.querySelectorAll('.visitor').length === n", arg=len(HOSTILE))
    await _assert_unharmed(again)


@pytest.mark.parametrize(
    "href",
    [
        "javascript:window.hacked=1",
        " javascript:window.hacked=1",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "file:///etc",
    ],
)
async def test_what_the_server_says_is_never_more_than_text_and_safe_links(chat: Chat, href: str) -> None:
    bad = HOSTILE[1]
    message = _reply(bad)
    message["messages"][0] |= {
        "parts": [{"text": bad, "href": href}, {"text": "call", "href": "tel:911"}],
        "choices": [{"id": bad, "title": bad}],
        "sources": [{"id": bad, "title": bad}],
    }
    await chat.page.route("**/chat/messages", lambda route: route.fulfill(json=message))
    await chat.ask("hello")
    links = await chat.panel.locator("#messages a").evaluate_all("(links) => links.map((a) => a.getAttribute('href'))")
    assert links == ["tel:911"]
    await expect(chat.panel.locator(".choices button")).to_have_text(bad)
    await _assert_unharmed(chat)


async def _assert_unharmed(chat: Chat) -> None:
    assert await chat.panel.evaluate("window.hacked") is None
    assert await chat.page.evaluate("window.hacked") is None
    await expect(chat.panel.locator("#messages :is(script, img, svg, iframe, b)")).to_have_count(0)
    assert re.fullmatch(r"http://[^/]+/panel\?lang=en#.*", chat.panel.url)


def _reply(text: str) -> dict[str, Any]:
    at = "2026-03-02T10:00:00Z"
    message = {
        "id": "1.1",
        "author": "assistant",
        "turn": 1,
        "index": 1,
        "at": at,
        "text": text,
        "parts": [{"text": text, "href": None}],
    }
    return {"turn": 1, "at": at, "messages": [message | {"choices": [], "sources": [], "safety": None, "client_id": None}]}
