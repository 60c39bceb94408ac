"""The application: one process, one port, the engine inside."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from bot import background
from bot.engine import Engine, NotReady
from bot.history import History
from bot.settings import Settings
from bot.sms import router as sms
from bot.sms.running import running as texting
from bot.web import answers, chat, problems, visits
from bot.web.assets import Assets, compressed
from bot.web.events import Hub
from bot.web.feeds import router as feeds
from bot.web.guard import Guard
from bot.web.limits import Limits
from bot.web.links import Linker
from bot.web.metrics import Metrics
from bot.web.panel import Pages
from bot.web.tokens import Tokens, VisitLinks
from clinic import database, practice
from clinic.facts import ClinicFacts
from clinic.services import Services

log = logging.getLogger(__name__)

# The pages of the API's documentation, from a package instead of from a network that may not be there.
DOCS = str(files("fastapi_offline") / "static")


def create(settings: Settings, stopping: Callable[[], bool] = lambda: False) -> FastAPI:
    """The application for some settings. The engine is loaded when it starts.

    Streams of events end when `stopping` says that the server is about to.

    Raises:
        clinic.yaml.BadFile: `clinic.yml` or the words of the panel or of the answers' pages are wrong.
    """
    clinic = practice.load(settings.clinic)
    app = FastAPI(title="Stipple", version="1", lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.state.settings, app.state.practice = settings, clinic
    app.state.engine = app.state.services = None
    app.state.not_ready = "the model is being loaded"
    app.state.phone = ClinicFacts(clinic).phone(clinic.phone)
    app.state.tokens = Tokens(settings.signing_key(), settings.session_hours)
    app.state.metrics = Metrics()
    app.state.limits = Limits(settings)
    app.state.linker, app.state.visits = Linker(clinic), VisitLinks(settings.signing_key())
    app.state.stopping = stopping
    assets = Assets()
    app.state.answers = answers.Answers(clinic, app.state.linker, assets.version)
    app.state.pages = Pages(settings.panel, clinic, app.state.linker, settings.allowed_origins, assets.version)
    app.include_router(chat.router)
    app.include_router(answers.router)
    app.include_router(visits.router)
    app.include_router(sms.router)
    app.include_router(feeds)
    app.add_api_route("/healthz", _healthz, tags=["operation"])
    app.add_api_route("/readyz", _readyz, tags=["operation"])
    app.add_api_route("/metrics", _metrics, tags=["operation"], response_class=Response)
    app.add_api_route("/docs", _docs, include_in_schema=False)
    app.add_api_route("/", _demo, include_in_schema=False)
    app.add_api_route("/panel", _panel, include_in_schema=False)
    app.add_api_route("/widget.js", _widget, include_in_schema=False)
    app.mount("/static", assets)
    app.mount("/docs/assets", StaticFiles(directory=DOCS))
    app.add_exception_handler(Exception, _broken)
    problems.install(app)
    app.add_middleware(Guard, origins=settings.allowed_origins)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings, clinic = app.state.settings, app.state.practice
    channels = background.channels(settings, clinic)
    try:
        engine = Engine.load(settings, channels=channels)
        await engine.check()
        app.state.history = History(engine.store.database)
        engine.open_with(app.state.pages.openers)
        show = partial(chat.as_json, linker=app.state.linker, visits=app.state.visits)
        app.state.hub = Hub(app.state.history, show, app.state.stopping)
        app.state.engine, app.state.not_ready = engine, ""
        base, services = engine.store.database, engine.services
        log.info("ready")
    except NotReady as error:
        # The process stays, so that its answer to /readyz can be read; it serves no visitor.
        app.state.not_ready = str(error)
        log.error("not ready: %s", error)
        base = database.connect(settings.database_url)
        database.migrate(base)
        services = Services.build(base, clinic, channels=channels)
    app.state.services = services
    async with texting(app, base, services) as text_channel:
        with background.running(background.jobs(settings, base, services, text_channel)):
            yield


async def _healthz() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "alive"}


async def _readyz(request: Request) -> JSONResponse:
    """Whether visitors get answers; when not, why."""
    reason: str = request.app.state.not_ready
    return JSONResponse({"status": "not ready", "reason": reason}, 503) if reason else JSONResponse({"status": "ready"})


async def _metrics(request: Request) -> Response:
    """Counters for Prometheus; nothing personal."""
    if services := request.app.state.services:
        request.app.state.metrics.outbox(services.outbox.counts())
    return Response(request.app.state.metrics.text(), media_type=Metrics.content_type)


async def _demo(request: Request) -> Response:
    return compressed(request, request.app.state.pages.demo().encode(), "text/html")


async def _panel(request: Request, lang: str = "") -> Response:
    return compressed(request, request.app.state.pages.panel(lang).encode(), "text/html")


async def _widget(request: Request) -> Response:
    response = compressed(request, request.app.state.pages.loader().encode(), "text/javascript")
    # Any page may load it; for a day it serves those who come while the server is away.
    response.headers["Cache-Control"] = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


async def _docs() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Stipple API",
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/docs/assets/favicon.png",
    )


async def _broken(request: Request, error: Exception) -> JSONResponse:
    request.app.state.metrics.error(type(error).__name__)
    log.exception("path=%s failed", request.url.path, exc_info=error)
    return problems.response(problems.BROKEN, phone=request.app.state.phone)
