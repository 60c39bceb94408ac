"""Rasa's own commands work in the project's environment, and say in one sentence what does not."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests import services as servers
from tests.conftest import ROOT, Tiny


@pytest.mark.parametrize("command", ["train --fixed-model-name tiny", "shell nlu"])
def test_command_ends_well(tiny: Tiny, command: str) -> None:
    assert tiny.code(command) == "0", tiny.output[-3000:]


def test_train_makes_a_model(tiny: Tiny) -> None:
    assert (tiny.models / "tiny.tar.gz").is_file()


def test_shell_nlu_understands_a_message(tiny: Tiny) -> None:
    assert '"faq/cost"' in tiny.output


def test_test_nlu_reports_on_intents(tiny: Tiny) -> None:
    assert tiny.code("test nlu --nlu data --no-plot --no-errors") == "0"
    assert (tiny.folder / "results" / "intent_report.json").is_file()


def test_test_core_reports_on_rules(tiny: Tiny) -> None:
    assert tiny.code("test core --stories data/stories --out results --no-plot") == "0"
    assert (tiny.folder / "results" / "story_report.json").is_file()


@pytest.mark.parametrize(
    ("config", "component"), [("diet", "DIETClassifier"), ("ted", "TEDPolicy"), ("selector", "ResponseSelector")]
)
def test_config_that_needs_tensorflow_fails_with_one_sentence(tiny: Tiny, config: str, component: str) -> None:
    assert tiny.code(f"train -c {config}.yml") == "1"
    [line] = [line for line in tiny.output.splitlines() if f"without TensorFlow, so {component} is not available" in line]
    assert "name bot.nlu.components.TopicClassifier and RulePolicy in config.yml instead" in line
    before = tiny.output.partition(f"===== train -c {config}.yml")[0].rpartition("=====")[2]
    assert "Traceback" not in before


@pytest.mark.slow
def test_run_actions_serves_the_actions() -> None:
    port = servers.free_port()
    command = [Path(sys.executable).with_name("rasa"), "run", "actions", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "ignore"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        servers.wait_for_port(port, process)
        names = {action["name"] for action in httpx.get(f"http://127.0.0.1:{port}/actions", timeout=10).json()}
        assert {"action_repeat", "action_offer_topics", "action_name_sources"} <= names
    finally:
        process.terminate()
        process.wait(20)
