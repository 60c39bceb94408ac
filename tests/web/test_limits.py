"""How often one visitor and one address may ask: in one process, in several together, and while their Redis is away."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from starlette.requests import Request

from bot.settings import Settings
from bot.web import limits
from bot.web.limits import Limits, address
from bot.web.problems import Problem
from tests import services as servers

# Asks as often as it is told, and says how often it was let through.
ASKING = """
import asyncio, sys
from bot.settings import Settings
from bot.web import limits
from bot.web.problems import Problem

limits._PATIENCE = 30

async def ask(times):
    limit = limits.Limits(Settings(secret="s" * 40, limit_messages="50/hour", redis_url=sys.argv[1]))
    passed = 0
    for _ in range(times):
        try:
            await limit.count("message", "one")
            passed += 1
        except Problem:
            pass
    print(passed)

asyncio.run(ask(int(sys.argv[2])))
"""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for Redis as long as a busy machine needs."""
    monkeypatch.setattr(limits, "_PATIENCE", 30)


@pytest.fixture
def redis(patient: None) -> Iterator[str]:
    with servers.redis(servers.free_port()) as url:
        yield url


def limited(url: str = "", messages: str = "2/hour") -> Limits:
    return Limits(Settings(secret="s" * 40, limit_messages=messages, limit_address="3/hour", redis_url=url))


async def test_too_much_at_once_is_told_kindly_and_when_to_go_on() -> None:
    counting = limited()
    await counting.count("message", "one")
    await counting.count("message", "one")
    with pytest.raises(Problem) as refused:
        await counting.count("message", "one")
    assert refused.value.kind.status == 429
    assert 1 <= refused.value.more["retry_after"] <= 3600
    await counting.count("message", "other")
    await counting.count("address", "one")


async def test_a_redis_that_is_away_stops_nobody() -> None:
    counting = limited(f"redis://127.0.0.1:{servers.free_port()}", messages="1/hour")
    await counting.count("message", "one")
    with pytest.raises(Problem):
        await counting.count("message", "one")


@pytest.mark.parametrize(
    ("host", "expected"), [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("testclient", "testclient")]
)
def test_a_household_is_one_address(host: str, expected: str) -> None:
    assert address(Request({"type": "http", "client": (host, 1), "headers": []})) == expected


async def test_two_processes_count_together(redis: str) -> None:
    here, there = limited(redis), limited(redis)
    await here.count("message", "one")
    await there.count("message", "one")
    for counting in (here, there):
        with pytest.raises(Problem):
            await counting.count("message", "one")
        await counting.count("message", f"another {id(counting)}")


def test_many_processes_at_once_let_no_more_through(redis: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", ASKING, redis, "40"]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(process.communicate()[0]) for process in asking) == 50


async def test_a_redis_that_goes_and_comes_back_stops_nobody(patient: None) -> None:
    port = servers.free_port()
    with servers.redis(port) as url:
        here, there = limited(url), limited(url)
        await here.count("message", "one")
        await there.count("message", "one")
    # Now each counts by itself.
    for _ in range(2):
        await here.count("message", "one")
    with pytest.raises(Problem):
        await here.count("message", "one")
    await there.count("message", "one")
    with servers.redis(port):
        await here.count("message", "one")
        await there.count("message", "one")
        with pytest.raises(Problem):
            await here.count("message", "one")


async def test_redis_is_told_no_address(redis: str) -> None:
    from redis import Redis

    await limited(redis).count("address", "192.0.2.7")
    keys = Redis.from_url(redis).keys()
    assert len(keys) == 1
    assert b"192.0.2.7" not in keys[0]
