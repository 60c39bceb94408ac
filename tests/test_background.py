"""Jobs beside the answering: one that fails is heard of, and goes on; all end when the server does."""

import threading

import pytest

from bot import background
from bot.background import Job
from clinic.calendar_sync import SyncFailed

PATIENCE = 30


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
