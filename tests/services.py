"""Real servers for tests, each in a temporary folder, reachable from this machine only, stopped by whoever started it."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

START_TIMEOUT = 30.0


def postgres_binaries() -> Path | None:
    """The folder that holds PostgreSQL's `initdb` and `postgres`, as Debian installs them or on the PATH; or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*installed, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server of one's own, on a socket in a temporary folder; the URL of an empty database in it.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """
    binaries = postgres_binaries()
    if binaries is None:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    process = None
    try:
        become = _as_someone_else(folder)
        data = folder / "data"
        subprocess.run(
            [*become, binaries / "initdb", "-D", data, "-U", "stipple", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60"]
        process = subprocess.Popen(
            [*become, binaries / "postgres", "-D", data, "-k", folder, "-h", "", *(f"--{o}" for o in options)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _wait_for_postgres(folder, process)
        yield f"postgresql+psycopg://stipple@/postgres?host={folder}"
    finally:
        if process is not None:
            # Closes connections and stops at once, whereas SIGTERM waits for clients.
            process.send_signal(signal.SIGINT)
            process.wait(START_TIMEOUT)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def radicale(python: str) -> Iterator[str]:
    """A Radicale CalDAV server without users, run by a Python that has it; its address."""
    folder = Path(tempfile.mkdtemp(prefix="radicale"))
    port = free_port()
    command = [python, "-m", "radicale", "--server-hosts", f"127.0.0.1:{port}", "--auth-type", "none"]
    command += ["--auth-delay", "0", "--storage-filesystem-folder", str(folder), "--logging-level", "error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_TIMEOUT)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis(port: int) -> Iterator[str]:
    """A Redis server on a port, which keeps nothing; its URL.

    Raises:
        FileNotFoundError: Redis is not installed.
    """
    folder = tempfile.mkdtemp(prefix="redis")
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(START_TIMEOUT)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Returns once a process listens on a port of the loopback interface.

    Raises:
        RuntimeError: the process ended, or took longer than 30 seconds.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start")


def _wait_for_postgres(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    # Its socket takes connections a moment before it serves them.
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user="stipple", dbname="postgres").close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start")


def _as_someone_else(folder: Path) -> list[str]:
    """How to run a program as a user who may run PostgreSQL, which refuses root; the folder becomes that user's."""
    if os.geteuid() != 0:
        return []
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
