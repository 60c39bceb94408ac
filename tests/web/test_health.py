"""What operators look at: alive, ready, metrics without anything personal, and the API's documentation."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.engine import Engine
from bot.history import History
from bot.settings import Settings
from bot.web import app as web
from bot.web.events import Hub

SECRETS = ("Wilhelmina", "5550199", "hurt")


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stipple.example")


@pytest.fixture
def app(engine: Engine, settings: Settings) -> FastAPI:
    made = web.create(settings)
    made.state.engine, made.state.not_ready = engine, ""
    made.state.history = History(engine.store.database)
    made.state.hub = Hub(made.state.history, lambda said: {})
    return made


@pytest.fixture
def modelless(settings: Settings, tmp_path: Path) -> FastAPI:
    """The application of someone who has not trained a model."""
    (tmp_path / "models").mkdir()
    return web.create(
        settings.model_copy(update={"models": tmp_path / "models", "database_url": f"sqlite:///{tmp_path}/test.db"})
    )


async def test_ready_when_the_engine_answers(app: FastAPI) -> None:
    async with client(app) as http:
        assert (await http.get("/healthz")).json() == {"status": "alive"}
        response = await http.get("/readyz")
        assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_before_the_model_is_loaded_it_is_alive_and_not_ready(modelless: FastAPI) -> None:
    async with client(modelless) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503


async def test_without_a_model_it_stays_alive_says_why_and_serves_nobody(modelless: FastAPI) -> None:
    async with modelless.router.lifespan_context(modelless), client(modelless) as http:
        assert (await http.get("/healthz")).status_code == 200
        response = await http.get("/readyz")
        assert response.status_code == 503
        assert "make train" in response.json()["reason"]
        token = (await http.post("/chat/sessions")).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        refused = await http.post("/chat/messages", json={"id": "message-1", "text": "hi"}, headers=headers)
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:stipple:not-ready"


async def test_metrics_count_turns_and_tell_nothing_personal(app: FastAPI) -> None:
    async with client(app) as http:
        token = (await http.post("/chat/sessions")).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        for number, text in enumerate(["I am Wilhelmina, 212 5550199, does it hurt?", "zxcv qwer", "I cannot breathe"]):
            await http.post("/chat/messages", json={"id": f"message-{number}", "text": text}, headers=headers)
        response = await http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    text = response.text
    assert 'stipple_turns_total{channel="web",zone="answer"} 1.0' in text
    assert 'stipple_safety_total{channel="web",level="emergency"} 1.0' in text
    assert 'stipple_turn_seconds_count{channel="web"} 3.0' in text
    conversation = app.state.tokens.read(token).conversation
    assert [secret for secret in (*SECRETS, token, conversation) if secret in text] == []
    assert set(re.findall(r"(\w+)=", text)) <= {"zone", "channel", "level", "le", "kind"}


async def test_documentation_needs_no_other_address(app: FastAPI) -> None:
    async with client(app) as http:
        page = await http.get("/docs")
        assert page.status_code == 200
        links = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.text)
        assert links
        assert [link for link in links if "//" in link] == []
        for link in links:
            assert (await http.get(link)).status_code == 200, link
        policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


async def test_documentation_describes_the_api(app: FastAPI) -> None:
    async with client(app) as http:
        paths = (await http.get("/openapi.json")).json()["paths"]
    assert {"/chat/sessions", "/chat/messages", "/healthz", "/readyz", "/metrics"} <= set(paths)


async def test_page_lets_a_person_try_it(app: FastAPI) -> None:
    async with client(app) as http:
        page = await http.get("/")
    assert page.status_code == 200
    assert "Larkfield" in page.text


async def test_many_visitors_at_once_each_get_their_own_answer(app: FastAPI) -> None:
    async def ask(http: httpx.AsyncClient, text: str) -> str:
        token = (await http.post("/chat/sessions")).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        response = await http.post("/chat/messages", json={"id": "message-1", "text": text}, headers=headers)
        answer: str = response.json()["messages"][0]["text"]
        return answer

    async with client(app) as http:
        answers = await asyncio.gather(*(ask(http, text) for text in ["does it hurt?", "when are you open?"] * 5))
    assert len(set(answers[::2])) == len(set(answers[1::2])) == 1
    assert answers[0] != answers[1]
