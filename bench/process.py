"""A process that is timed and whose memory is watched, and that ends with those it started."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

#: seconds between two looks at the memory
LOOK = 0.2
#: seconds for a process to end by itself after it has been asked to
GRACE = 20


class Failed(Exception):
    """A process ended with an error, or took too long; the message names its log."""


class Process:
    """Runs a command in a folder; used with `with`, at the end of which it has ended."""

    def __init__(self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], log: Path) -> None:
        self._command, self._folder, self._log = [str(part) for part in command], folder, log
        self._environment = os.environ | environment
        self.began = 0.0
        #: the most memory of the process and its children together so far, in bytes
        self.peak = 0

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self.began = time.perf_counter()
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._watch.join()
        family = self._family()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for left in family:
            if left.pid != self._process.pid and left.is_running():
                left.kill()

    def finish(self, patience: float) -> float:
        """Waits until it is done; the seconds that it took.

        Raises:
            Failed: it took longer than `patience` seconds, or ended with an error.
        """
        try:
            code = self._process.wait(patience)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{self._command[0]} took more than {patience:.0f} s; see {self._log}") from error
        took = time.perf_counter() - self.began
        if code:
            raise Failed(f"{self._command[0]} ended with {code}; see {self._log}")
        return took

    def check(self) -> None:
        """Makes sure that it still runs.

        Raises:
            Failed: it has ended.
        """
        if self._process.poll() is not None:
            raise Failed(f"{self._command[0]} ended with {self._process.returncode}; see {self._log}")

    def _look(self) -> None:
        while not self._ended.wait(LOOK):
            self.peak = max(self.peak, sum(map(_memory, self._family())))

    def _family(self) -> list[psutil.Process]:
        try:
            own = psutil.Process(self._process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _memory(process: psutil.Process) -> int:
    try:
        resident: int = process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return resident
