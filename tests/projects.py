"""A tiny copy of the project, for what trains a model: a few topics with a few examples each."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The engine's own question, "does it hurt?", is not among them.
KEPT = ("faq/cost", "faq/numbing", "clinic/location", "greet", "emergency", "out_of_scope")
EXAMPLES = 8


def make(folder: Path) -> Path:
    """Copies the project's data, cut down, into a folder."""
    for name in ("config.yml", "domain.yml", "endpoints.yml", "credentials.yml", "clinic.yml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("nlu"))
    for name in KEPT:
        target = folder / "data" / "nlu" / f"{name}.yml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_cut((ROOT / "data" / "nlu" / f"{name}.yml").read_text(encoding="utf-8"), EXAMPLES), encoding="utf-8")
    for path in (folder / "data" / "safety").glob("examples_*.yml"):
        path.write_text(_cut(path.read_text(encoding="utf-8"), 3 * EXAMPLES), encoding="utf-8")
    config = (folder / "config.yml").read_text()
    last = "bot.nlu.components.ZoneGate"
    (folder / "diet.yml").write_text(config.replace(last, "DIETClassifier"))
    (folder / "selector.yml").write_text(config.replace(last, "ResponseSelector"))
    (folder / "ted.yml").write_text(config.replace("bot.policy.IndexedRulePolicy", "TEDPolicy"))
    return folder


def _cut(text: str, most: int) -> str:
    """The first examples of each list of a file."""
    kept, seen = [], 0
    for line in text.splitlines():
        seen = (
            seen + 1
            if line.lstrip().startswith("- ") and not line.lstrip().startswith(("- intent", "- text", "- channel"))
            else 0
        )
        if seen <= most:
            kept.append(line)
    return "\n".join(kept) + "\n"
