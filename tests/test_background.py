"""Jobs beside the answering: one that fails is heard of, and goes on; all end when the server does."""

import threading
from pathlib import Path

import pytest

from bot import background
from bot.background import Job
from bot.settings import PREFIX, Settings
from bot.sms.service import Sms
from clinic import database, practice
from clinic.calendar_sync import SyncFailed
from clinic.services import Services

PATIENCE = 30


@pytest.mark.parametrize(
    ("set_up", "opened"),
    [
        ({}, set()),
        ({"SMTP_URL": "smtp://mail.example"}, {"email"}),
        ({"WEBHOOK_URL": "https://clinic.example/hook", "WEBHOOK_SECRET": "w" * 32}, {"webhook"}),
        ({"TWILIO_ACCOUNT": "AC" + "1" * 32, "TWILIO_TOKEN": "t", "TWILIO_SENDER": "+12125550142"}, {"text"}),
        ({"CALDAV_USER": "desk"}, {"calendar"}),
    ],
)
def test_what_is_put_into_the_outbox_is_what_is_sent_from_it(set_up: dict[str, str], opened: set[str], tmp_path: Path) -> None:
    settings = Settings.read({"STIPPLE_FOLDER": str(tmp_path)} | {PREFIX + name: value for name, value in set_up.items()})
    clinic = practice.load(Path("clinic.yml"))
    if "calendar" in opened:
        rowan = clinic.resources[0].model_copy(update={"calendar": "https://cloud.example/rowan/"})
        clinic = clinic.model_copy(update={"resources": [rowan, *clinic.resources[1:]]})
    engine = database.connect(f"sqlite:///{tmp_path}/test.db")
    database.migrate(engine)
    channels = background.channels(settings, clinic)
    assert channels == opened
    services = Services.build(engine, clinic, channels=channels)
    names = {job.name for job in background.jobs(settings, engine, services, Sms.build(settings, engine, services))}
    assert {name.removeprefix("outbox.") for name in names if name.startswith("outbox.")} == opened
    assert names >= {"reminders", "holds", "retention"}
    assert ("calendars" in names) == ("calendar" in opened)
    engine.dispose()


def test_a_job_that_fails_is_logged_without_what_it_says_and_done_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "FIRST_WAIT", 0.01)
    failures: list[Exception] = [ValueError("Ana Lima +12125550199"), SyncFailed("rowan (Timeout)")]
    well, others = threading.Event(), threading.Event()

    def call() -> None:
        if failures:
            raise failures.pop(0)
        well.set()

    with background.running([Job("sometimes", 600, call), Job("other", 600, others.set)]):
        assert well.wait(PATIENCE)
        assert others.wait(PATIENCE)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("event=job.failed job=sometimes failures=1 error=ValueError test_background.py:")
    assert lines[1:] == ["event=job.failed job=sometimes failures=2 error=rowan (Timeout)"]


def test_jobs_are_done_again_and_end_with_the_block() -> None:
    often = threading.Semaphore(0)
    before = set(threading.enumerate())
    with background.running([Job("often", 0.01, often.release)]):
        assert all(often.acquire(timeout=PATIENCE) for _ in range(3))
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()


def test_a_job_that_does_not_end_does_not_keep_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "GRACE", 0.01)
    begun, end = threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        assert end.wait(PATIENCE)

    with background.running([Job("stuck", 600, call)]):
        assert begun.wait(PATIENCE)
    assert not end.is_set()
    end.set()
