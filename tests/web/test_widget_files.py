"""The widget's files: small, typed, without a word of their own, and asking nobody but their server."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest
from visiting import ROOT

from bot.web.assets import FOLDER
from bot.web.links import Linker
from bot.web.panel import Pages
from clinic import practice

CLINIC = practice.load(Path("clinic.yml"))
PAGES = Pages(Path("bot/web/panel.yml"), CLINIC, Linker(CLINIC), ("https://www.clinic.example",), "x")
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())


def packed(text: str | bytes) -> int:
    return len(gzip.compress(text.encode() if isinstance(text, str) else text, 9))


def test_the_loader_is_at_most_4_kb() -> None:
    assert packed(PAGES.loader()) <= 4096


def test_the_panel_with_styles_is_at_most_24_kb() -> None:
    files = sum(packed(path.read_bytes()) for path in (FOLDER / "panel").iterdir())
    assert packed(PAGES.panel("en")) + files <= 24 * 1024


def test_the_types_are_right() -> None:
    found = subprocess.run(
        [str(ROOT / "node_modules/.bin/tsc"), "--project", str(ROOT)], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
    assert found.returncode == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_asks_anyone_else_keeps_a_cookie_or_makes_html_of_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}
    for bad in (
        "cookie",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "@import",
        "@font-face",
    ):
        assert bad not in text, bad


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".js"], ids=lambda path: path.name)
def test_no_word_that_visitors_read_stands_in_a_script(path: Path) -> None:
    code = re.sub(r"/\*[\s\S]*?\*/|^\s*//.*$|`\n[\s\S]*?`", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    strings = re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)
    assert [text for text in strings if re.search(r"[A-Z][a-z]+ [a-z]+", text) and not re.match(r"[Mm][\d.]", text)] == []


def test_no_page_has_a_script_or_a_style_within() -> None:
    for page in (PAGES.panel("en"), PAGES.demo()):
        assert re.findall(r"<script(?![^>]*(?:src=|application/json))", page) == []
        assert "<style" not in page
        assert " style=" not in page
        assert re.findall(r"\son\w+=", page) == []


def test_words_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / "panel.yml"
    words = Path("bot/web/panel.yml").read_text(encoding="utf-8").replace("send: Send", "send: '</script><b>\"x'")
    path.write_text(words.replace("staff: From our team", "staff: '</script><!--<script>'"), encoding="utf-8")
    page = Pages(path, CLINIC, Linker(CLINIC), (), "x").panel("en")
    assert "</script><b>" not in page
    assert "</script><!--" not in page
    assert 'aria-label="&lt;/script&gt;&lt;b&gt;&quot;x"' in page
