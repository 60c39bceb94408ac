"""The application: one process, one port, the engine inside."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from bot.engine import Engine, NotReady
from bot.settings import Settings
from bot.web import chat, problems
from bot.web.guard import Guard
from bot.web.metrics import Metrics
from bot.web.tokens import Tokens
from clinic import practice
from clinic.facts import ClinicFacts

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
# The pages of the API's documentation, from a package instead of from a network that may not be there.
DOCS = str(files("fastapi_offline") / "static")


def create(settings: Settings) -> FastAPI:
    """The application for some settings. The engine is loaded when it starts.

    Raises:
        clinic.yaml.BadFile: `clinic.yml` is wrong.
    """
    clinic = practice.load(settings.clinic)
    app = FastAPI(title="Stipple", version="1", lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.engine = None
    app.state.not_ready = "the model is being loaded"
    app.state.phone = ClinicFacts(clinic).phone(clinic.phone)
    app.state.tokens = Tokens(settings.signing_key(), settings.session_hours)
    app.state.metrics = Metrics()
    app.include_router(chat.router)
    app.add_api_route("/healthz", _healthz, tags=["operation"])
    app.add_api_route("/readyz", _readyz, tags=["operation"])
    app.add_api_route("/metrics", _metrics, tags=["operation"], response_class=Response)
    app.add_api_route("/docs", _docs, include_in_schema=False)
    app.add_api_route("/", _page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/docs/assets", StaticFiles(directory=DOCS))
    app.add_exception_handler(Exception, _broken)
    problems.install(app)
    app.add_middleware(Guard)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        engine = Engine.load(app.state.settings)
        await engine.check()
        app.state.engine, app.state.not_ready = engine, ""
        log.info("ready")
    except NotReady as error:
        # The process stays, so that its answer to /readyz can be read; it serves no visitor.
        app.state.not_ready = str(error)
        log.error("not ready: %s", error)
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
    return Response(request.app.state.metrics.text(), media_type=Metrics.content_type)


async def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html")


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
