"""Stock Rasa 3.6.21 in an environment of its own, which the bench measures Stipple against.

python -m bench.stock          makes it in .cache/stock, if it is not there yet
python -m bench.stock --lock   resolves its packages afresh into bench/stock.lock
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".cache" / "stock"
LOCK = Path(__file__).with_name("stock.lock")
#: the last Python that Rasa and its TensorFlow are for
PYTHON = "3.10"
#: what Rasa says it needs, and a setuptools that still has the `pkg_resources` which its packages import
WANTED = ("rasa==3.6.21", "setuptools<81")
#: seconds for downloading TensorFlow and a hundred and fifty packages more
PATIENCE = 1800


def rasa() -> Path:
    """Stock Rasa's command, whose environment is made first when it is not there as the lock says."""
    stamp, wanted = FOLDER / "installed.txt", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"bench: making stock Rasa's environment in {FOLDER.relative_to(ROOT)}", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        _uv("venv", "--quiet", "--python", _python(), FOLDER)
        into = ("pip", "install", "--quiet", "--python", FOLDER / "bin" / "python", "--no-deps", "--require-hashes")
        # A few packages come as sources: what builds them is what the lock holds too.
        _uv(*into, "--compile-bytecode", "-r", LOCK, "--build-constraints", LOCK)
        stamp.write_text(wanted)
    return FOLDER / "bin" / "rasa"


def lock() -> None:
    """Writes the lock file: every package with its hashes, and no address."""
    with tempfile.TemporaryDirectory() as folder:
        # Outside the project, whose own settings say that Rasa needs no TensorFlow and runs on a newer Python.
        wanted, made = Path(folder, "stock.in"), Path(folder, "stock.lock")
        wanted.write_text("\n".join(WANTED) + "\n")
        how = ("--quiet", "--universal", "--python-version", PYTHON, "--generate-hashes")
        shown = ("--no-emit-index-url", "--custom-compile-command", "python -m bench.stock --lock")
        _uv("pip", "compile", *how, *shown, wanted, "-o", made, folder=folder)
        text = made.read_text().replace(f"{folder}/", "")
    LOCK.write_text(text)


def _python() -> str:
    """A Python 3.10 of pyenv's, where uv does not look; else its number, and uv finds one or downloads it."""
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True, timeout=60).stdout.strip()
        for python in sorted(Path(root, "versions").glob(f"{PYTHON}.*/bin/python"), reverse=True):
            return str(python)
    return PYTHON


def _uv(*arguments: str | Path, folder: str | Path = ROOT) -> None:
    own = ROOT / ".tools" / "bin" / "uv"
    uv = str(own) if own.exists() else shutil.which("uv")
    if uv is None:
        raise SystemExit("bench: uv is not there: run `make tools`")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([uv, *map(str, arguments)], cwd=folder, env=environment, check=True, timeout=PATIENCE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lock", action="store_true", help="resolve the packages afresh")
    if parser.parse_args().lock:
        lock()
    else:
        print(rasa())
