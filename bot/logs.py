"""One line an event on standard error: `event key=value …`, never what a visitor wrote, nor a name or a number of theirs."""

import logging
import sys
import warnings

import structlog

# Rasa and what it uses tell much that is of no use to a clinic, some of it with the text of messages.
_QUIET = (
    "rasa",
    "rasa_sdk",
    "matplotlib",
    "apscheduler",
    "asyncio",
    "urllib3",
    "httpx",
    "uvicorn.error",
    "py.warnings",
    "alembic",
)


def configure(level: str) -> None:
    """Sends our own events to standard error from a level on, and only the errors of everybody else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("bot").setLevel(level.upper())
    logging.getLogger("clinic").setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)
    warnings.simplefilter("ignore")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
