"""The short form of `make stress`: many processes after the same slots, some of them killed on the way."""

import pytest
from sqlalchemy import Engine

from bench.stress_booking import run


@pytest.mark.slow
def test_processes_that_are_killed_double_and_lose_nothing(engine: Engine) -> None:
    found = run(engine.url.render_as_string(hide_password=False), attempts=240, count=12, kill=4)
    # How many it came to depends on how busy the machine is.
    assert found["kills"] >= 1
    # Each slot is wanted twenty times: what was not booked is kept by the hold of a worker that was killed.
    assert found["booked"] + found["holds_left"] == 12
    assert found["acknowledged"] <= found["booked"]
    assert (found["overlaps"], found["lost"], found["orphan_claims"]) == (0, 0, 0)
