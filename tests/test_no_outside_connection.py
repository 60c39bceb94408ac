"""Nothing leaves the machine: not at a start, a turn or a training, nor when something crashes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import outside
from tests.conftest import ROOT, Tiny

REACHES_OUT = """
import runpy, sys, socket
sys.argv = ["outside.py", sys.argv[1]]
runpy.run_path({script!r}, run_name="__main__")
probe = socket.socket()
probe.setblocking(False)
for address in (("192.0.2.1", 443), ("127.0.0.1", 9)):
    try:
        probe.connect(address)
    except OSError:
        pass
for host in ("telemetry.invalid", "localhost"):
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        pass
"""


def test_watch_would_notice(tmp_path: Path) -> None:
    code = REACHES_OUT.format(script=str(ROOT / "tests" / "outside.py"))
    subprocess.run([sys.executable, "-c", code, tmp_path / "report.json"], check=True)
    found = json.loads((tmp_path / "report.json").read_text())
    assert found == [["socket.connect", "192.0.2.1"], ["socket.getaddrinfo", "telemetry.invalid"]]


@pytest.mark.parametrize(("host", "is_local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)])
def test_what_is_outside(host: str, is_local: bool) -> None:
    assert outside.local(host) is is_local


def test_training_start_turn_and_crash_stay_inside(tiny: Tiny) -> None:
    assert tiny.code("train --fixed-model-name tiny") == "0"
    assert tiny.code("turn") == "0", tiny.output[-3000:]
    assert "RuntimeError: a crash, on purpose" in tiny.output
    assert tiny.outside == []


def test_telemetry_is_off_without_anybody_setting_it(tiny: Tiny) -> None:
    assert "usage telemetry" not in tiny.output
