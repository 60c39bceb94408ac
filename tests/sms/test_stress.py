"""The short form of `make stress`: the running server, killed in the middle of a burst."""

from pathlib import Path

import pytest

from bench.stress_sms import Load, run, serving
from tests.sms.fake_twilio import FakeTwilio


@pytest.mark.slow
async def test_a_server_killed_in_a_burst_loses_doubles_and_reorders_nothing(tmp_path: Path) -> None:
    """3.2e: bursts from a few numbers, every fifth text repeated; the server is killed with some of a burst unanswered."""
    twilio = FakeTwilio()
    server = serving(tmp_path, twilio)
    try:
        server.start()
        result = await run(server, twilio, Load(a_second=40, bursts=2, rest=0.1, numbers=12))
    finally:
        server.kill()
        twilio.close()
    found = result["wrong"]
    assert isinstance(found, dict)
    assert {name: count for name, count in found.items() if count} == {}
    assert result["texts"] == 80
    assert result["answers"] == 96
