"""What the server does besides answering: it sends what is due, reminds, reads the clinic's calendars, tidies up."""

import contextlib
import dataclasses
import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from bot.settings import Settings
from clinic.errors import ClinicError, fault
from clinic.outbox import Sender, Worker
from clinic.practice import Practice
from clinic.senders import EmailSender, WebhookSender
from clinic.services import Services

if TYPE_CHECKING:
    from bot.sms.service import Sms

log = logging.getLogger(__name__)

#: seconds to wait after a first failure, twice as many after each further one, and at most
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
#: seconds that jobs have to finish what they are at when the server stops; what they leave is done again later
GRACE = 5.0
DAY = 24 * 60 * 60.0


@dataclasses.dataclass(frozen=True)
class Job:
    """Something to do at once and again `every` so many seconds. Any number of processes may do it at the same time."""

    name: str
    every: float
    call: Callable[[], object]


def channels(settings: Settings, practice: Practice) -> frozenset[str]:
    """On which of `email`, `webhook`, `text` and `calendar` the settings and `clinic.yml` let something be sent."""
    ways = {
        "email": bool(settings.smtp_url),
        "webhook": bool(settings.webhook_url),
        "text": settings.can_text,
        "calendar": any(resource.calendar for resource in practice.resources),
    }
    return frozenset(name for name, is_set in ways.items() if is_set)


def jobs(settings: Settings, database: Engine, services: Services, sms: "Sms") -> list[Job]:
    """All there is to do for some settings."""
    practice, clock = services.practice, services.clock
    senders: dict[str, Sender] = {}
    if mailbox := settings.mailbox(practice.email):
        senders["email"] = EmailSender(mailbox, clock)
    if settings.webhook_url:
        senders["webhook"] = WebhookSender(settings.webhook_url, settings.webhook_secret, clock)
    if sms.sender:
        senders["text"] = sms.sender
    reading = []
    if "calendar" in channels(settings, practice):
        # Its library takes memory that a clinic without calendars need not spend.
        from clinic.calendar_sync import CalendarSync

        login = (settings.caldav_user or None, settings.caldav_password or None)
        sync = senders["calendar"] = CalendarSync(database, practice, services.files, clock, *login)
        reading = [Job("calendars", 120, sync.pull)]
    conversations = dt.timedelta(days=settings.keep_conversations_days)
    requests = dt.timedelta(days=settings.keep_requests_days)
    return [
        # One for each channel, so that none waits for another one's slow server.
        *(Job(f"outbox.{name}", 1, Worker(database, clock, sms.composer, {name: way}).run_once) for name, way in senders.items()),
        *reading,
        Job("reminders", 5, services.reminders.run_once),
        Job("holds", 60, services.booking.sweep),
        Job("retention", DAY, lambda: services.privacy.purge(conversations, requests)),
    ]


@contextlib.contextmanager
def running(jobs: Sequence[Job]) -> Iterator[None]:
    """Has jobs done, each in a thread of its own, until the block ends."""
    stop = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(job, stop), name=job.name, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        ends = time.monotonic() + GRACE
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))


def _repeat(job: Job, stop: threading.Event) -> None:
    failures = 0
    while not stop.is_set():
        try:
            job.call()
        except Exception as error:
            failures += 1
            reason = str(error) if isinstance(error, ClinicError) else fault(error)
            log.error("event=job.failed job=%s failures=%d error=%s", job.name, failures, reason)
        else:
            failures = 0
        stop.wait(min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT) if failures else job.every)
