"""A real server for tests, benches and pictures: `stipple serve` with a folder and a database of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

PATIENCE = 420.0


class Server:
    """One `stipple serve`, which can be stopped and started again on the same port with the same data."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """The folder is filled with what the server needs; settings go by their names, as in `limit_messages="5/minute"`."""
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        encoder = folder / "encoder"
        if not encoder.exists():
            encoder.symlink_to(Path(os.environ.get("STIPPLE_FOLDER", "var")).absolute() / "encoder")
        own = {"folder": folder, "database_url": f"sqlite:///{folder / 'stipple.db'}", "port": self.port, "log_level": "warning"}
        self._settings = {f"STIPPLE_{name.upper()}": str(value) for name, value in (own | settings).items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """Where it keeps conversations."""
        return self._settings["STIPPLE_DATABASE_URL"]

    def start(self) -> "Server":
        """Starts it, and waits until it answers visitors."""
        self.begin()
        self.wait()
        return self

    def begin(self) -> None:
        """Starts it."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("stipple")), "serve"], env=os.environ | self._settings, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Waits until it answers visitors."""
        ends = time.monotonic() + PATIENCE
        with httpx.Client(base_url=self.url, timeout=5) as client:
            while time.monotonic() < ends and self._process is not None and self._process.poll() is None:
                try:
                    if client.get("/readyz").is_success:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
        raise RuntimeError(f"the server did not start:\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """Ends it the way an operator does."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """Ends it without a chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
