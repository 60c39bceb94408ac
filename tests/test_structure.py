"""The house stays as it was designed: who imports whom, where settings are read, what is never loaded."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.engine import Engine
from bot.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
NEVER = {
    "clinic": {"bot", "actions", "rasa", "rasa_sdk", "fastapi", "starlette"},
    "actions": {"rasa", "bot", "fastapi", "starlette"},
}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("folder", sorted(NEVER))
def test_package_never_imports_what_is_above_it(folder: str) -> None:
    assert files(folder)
    assert {
        str(path.relative_to(ROOT)): imported(path) & NEVER[folder] for path in files(folder) if imported(path) & NEVER[folder]
    } == {}


def test_settings_are_read_in_one_place() -> None:
    def reads(path: Path) -> bool:
        return bool(re.search(r"\bos\.(environ\b|getenv\b)", path.read_text(encoding="utf-8")))

    found = {str(path.relative_to(ROOT)) for folder in ("bot", "clinic", "actions") for path in files(folder) if reads(path)}
    # training.py sets a variable for a library and reads none; a server of actions alone has nobody to hand it the services.
    assert found - {"bot/training.py", "actions/services.py"} == {"bot/settings.py"}
    assert re.findall(r"os\.environ.*", (ROOT / "bot" / "training.py").read_text()) == ['os.environ["TQDM_DISABLE"] = "1"']


def test_docs_name_every_setting_and_no_other() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    named = re.findall(rf"^\| `({PREFIX}[A-Z_]+)`", text, re.MULTILINE)
    assert sorted(named) == sorted(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)
    assert len(named) == len(set(named))


def test_docs_give_the_defaults() -> None:
    rows = dict(re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \| (.*?) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, (str, int)) and str(field.default) and not isinstance(field.default, bool):
            assert f"`{field.default}`" == rows[name.upper()], name


def test_neither_tensorflow_nor_torch_is_loaded(engine: Engine) -> None:
    real = [name for name in ("tensorflow", "torch", "keras") if getattr(sys.modules.get(name), "__file__", None)]
    assert real == []
    assert "torch" not in sys.modules


def test_what_must_not_be_installed_is_not() -> None:
    code = "import importlib.metadata as m; print(*{d.metadata['Name'].lower() for d in m.distributions()})"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"tensorflow", "torch", "keras", "transformers"} & set(names) == set()


def test_everything_imported_is_under_version_control() -> None:
    """A clean clone has what this folder has: nothing that is imported may be ignored."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    paths = [str(path.relative_to(ROOT)) for folder in ("bot", "clinic", "actions", "tests", "stubs") for path in files(folder)]
    ignored = subprocess.run(["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert ignored == []
