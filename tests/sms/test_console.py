"""`stipple sms`: a telephone for the running server, and what is missing."""

import ast
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine
from typer.testing import CliRunner

from bot.settings import BadSetting, Settings
from bot.sms import cli, console, simulate
from bot.sms.service import Sms
from clinic import consent, practice, yaml
from clinic.services import Services
from clinic.texting import Block
from tests.services import free_port
from tests.sms.conftest import CLINIC, NUMBER, START, TOKEN, Echo, application, said
from tests.sms.fake_twilio import ACCOUNT, FakeTwilio

PRACTICE = practice.load(Path("clinic.yml"))


@pytest.fixture
def server(sms: Sms, sms_settings: Settings) -> Iterator[Settings]:
    """The channel on a real socket."""
    here = sms_settings.model_copy(update={"port": free_port()})
    made = uvicorn.Server(uvicorn.Config(application(sms), port=here.port, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    while not made.started:
        assert thread.is_alive()
    yield here
    made.should_exit = True
    thread.join()


def test_simulate_holds_a_conversation_and_prints_each_segment(server: Settings, echo: Echo) -> None:
    echo.says["healing"] = said("Which?", choices=("Redness", "Peeling"), zone="clarify")
    with simulate.client(server) as client:
        simulate.post(server, client, NUMBER, "hi")
        (asked,) = simulate.post(server, client, NUMBER, "healing")
        assert str(asked) == "Which?\n1 Redness\n2 Peeling\n  [26 characters, GSM-7, 1 segment]"
        (answer,) = simulate.post(server, client, NUMBER, "2")
        assert answer.text == "You said: id-Peeling"


def test_simulate_says_what_is_wrong(server: Settings) -> None:
    with simulate.client(server) as client:
        with pytest.raises(simulate.NoAnswer, match="403"):
            simulate.post(server.model_copy(update={"twilio_token": "x" * 32}), client, NUMBER, "hi")
        with pytest.raises(simulate.NoAnswer, match="STIPPLE_PUBLIC_URL"):
            simulate.post(server.model_copy(update={"public_url": ""}), client, NUMBER, "hi")
    gone = server.model_copy(update={"port": free_port()})
    with simulate.client(gone) as client, pytest.raises(simulate.NoAnswer, match="does not answer"):
        simulate.post(gone, client, NUMBER, "hi")


def test_the_command_talks_with_the_server(server: Settings, tmp_path: Path) -> None:
    environment = {
        "STIPPLE_PORT": str(server.port),
        "STIPPLE_PUBLIC_URL": server.public_url,
        "STIPPLE_TWILIO_TOKEN": TOKEN,
        "STIPPLE_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}",
    }
    done = subprocess.run(
        [sys.executable, "-c", "from bot.cli import main; main()", "sms", "simulate", NUMBER],
        env=os.environ | environment,
        input="hello\nHELP\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "You said: hello\n  [15 characters, GSM-7, 1 segment]" in done.stdout
    assert "Msg & data rates may apply" in done.stdout


def test_check_says_what_is_missing_and_what_to_set(sms_settings: Settings, sms: Sms) -> None:
    """3.2f"""
    lines = "\n".join(map(str, console.look(sms_settings, PRACTICE, sms.wording, [])))
    assert "ok    STIPPLE_PUBLIC_URL is https://stipple.clinic.example" in lines
    assert "WRONG STIPPLE_TWILIO_SENDER is not set" in lines
    assert "https://stipple.clinic.example/sms/inbound#rc=3&rp=all" in lines
    assert "https://stipple.clinic.example/sms/status" in lines


def test_check_gives_the_replies_to_put_into_twilios_console(sms_settings: Settings, sms: Sms) -> None:
    lines = "\n".join(map(str, console.look(sms_settings, PRACTICE, sms.wording, [])))
    for name in ("stopped", "started", "help"):
        assert sms.wording.text(name) in lines
    assert f"<Response><Message>{sms.wording.text('broken')}</Message></Response>" in lines


@pytest.mark.parametrize(("sender", "sound"), [("+12125550144", True), ("+12125550100", False)])
def test_check_compares_the_number_that_visitors_are_shown(sms_settings: Settings, sms: Sms, sender: str, sound: bool) -> None:
    set_up = sms_settings.model_copy(update={"twilio_sender": sender})
    (found,) = [f for f in console.look(set_up, PRACTICE, sms.wording, []) if "text_phone" in f.text]
    assert found.sound is sound


def test_check_names_what_was_stopped(sms_settings: Settings, sms: Sms) -> None:
    found = console.look(sms_settings, PRACTICE, sms.wording, [Block("kind:visitor.reminder_24h", 30007, START)])
    assert any(f.sound is False and "30007" in f.text and "kind:visitor.reminder_24h" in f.text for f in found)


def test_check_online_asks_twilio_where_the_number_sends_its_texts(sms_settings: Settings, sms: Sms) -> None:
    from bot.sms.twilio_api import TwilioApi

    set_up = sms_settings.model_copy(update={"twilio_account": ACCOUNT, "twilio_sender": CLINIC})
    peer = FakeTwilio()
    api = TwilioApi(ACCOUNT, TOKEN, CLINIC, base=peer.url, timeout=httpx.Timeout(30))
    try:
        for url, sound in ((f"{sms_settings.public_url}/sms/inbound#rc=3&rp=all", True), ("https://elsewhere.example/", False)):
            peer.numbers = {CLINIC: url}
            (line,) = [f for f in console.look(set_up, PRACTICE, sms.wording, [], api) if "Twilio sends texts to" in f.text]
            assert line.sound is sound
        peer.numbers = {}
        assert any("has no number" in f.text for f in console.look(set_up, PRACTICE, sms.wording, [], api))
    finally:
        peer.close()


def test_check_online_asks_a_messaging_service_too(sms_settings: Settings, sms: Sms) -> None:
    from bot.sms.twilio_api import TwilioApi

    service, right = "MG" + "2" * 32, f"{sms_settings.public_url}/sms/inbound"
    set_up = sms_settings.model_copy(update={"twilio_account": ACCOUNT, "twilio_sender": service})
    peer = FakeTwilio()
    api = TwilioApi(ACCOUNT, TOKEN, service, base=peer.url, timeout=httpx.Timeout(30))

    def looked() -> list[bool | None]:
        return [f.sound for f in console.look(set_up, PRACTICE, sms.wording, [], api) if f.text.startswith("Twilio")]

    try:
        peer.numbers = {CLINIC: right, NUMBER: "https://elsewhere.example/"}
        assert looked() == [False]
        for url, sound in ((right, True), ("https://elsewhere.example/", False), (None, False)):
            peer.services = {service: {"inbound_request_url": url, "use_inbound_webhook_on_number": False}}
            assert looked() == [sound]
        peer.services = {service: {"inbound_request_url": None, "use_inbound_webhook_on_number": True}}
        assert looked() == [True, False]
    finally:
        peer.close()


def test_staff_note_what_was_said_on_the_telephone(
    sms: Sms, services: Services, base: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.4f 3.6a: a visitor may end texts by any reasonable means; staff note it, and it counts at once."""
    monkeypatch.setenv("STIPPLE_DATABASE_URL", base.url.render_as_string())
    run = CliRunner()
    assert run.invoke(cli.app, ["stop", "(212) 555-0142", "--how", "email"]).exit_code == 0
    assert sms.texting.opted_out(NUMBER)
    assert run.invoke(cli.app, ["start", NUMBER]).exit_code == 0
    assert [(said.given, said.channel, said.purpose) for said in services.consents.history(NUMBER)] == [
        (False, "email", consent.TEXTS),
        (True, "phone", consent.TEXTS),
    ]
    assert {said.wording for said in services.consents.history(NUMBER)} == {sms.wording.version}
    assert run.invoke(cli.app, ["stop", "212"]).exit_code == 1


@pytest.mark.parametrize("number", ["hello", "+1", "1" * 30])
def test_simulate_asks_for_a_number(number: str) -> None:
    assert "NUMBER" in CliRunner().invoke(cli.app, ["simulate", number, "hi"]).output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "stipple.example"),
        ("TWILIO_ACCOUNT", "AC1"),
        ("TWILIO_SENDER", "212 555 0142"),
        ("SMS_KEYWORDS", "nobody"),
        ("SMS_HOURLY", "0"),
        ("SMS_LINK", "faq"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"STIPPLE_{name}"):
        Settings.read({f"STIPPLE_{name}": value})


def test_tokens_do_not_show_when_settings_are_printed(sms_settings: Settings) -> None:
    assert TOKEN not in repr(sms_settings)


def test_the_guide_says_what_is_fit_for_health_data() -> None:
    """3.10c"""
    guide = " ".join(Path("docs/sms.md").read_text().split())
    for asked in ("business associate agreement", "only products that it covers", "The Compliance Toolkit is not among them"):
        assert asked in guide


def test_each_rule_of_the_guide_has_the_tests_that_name_it() -> None:
    """The table at its end, against the docstrings of the tests."""
    rows = re.findall(r"^\| (3\.\d+[a-z]) \| .+ \| (.+) \|$", Path("docs/sms.md").read_text(), re.MULTILINE)
    listed = {rule: set(re.findall(r"`(test_\w+)`", tests)) for rule, tests in rows}
    named: dict[str, set[str]] = {}
    for path in Path("tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for rule in re.findall(r"(?<![\w.])3\.\d+[a-z]\b", ast.get_docstring(node) or ""):
                    named.setdefault(rule, set()).add(node.name)
    assert len(listed) > 50
    assert listed == named


def test_the_guide_names_each_setting_and_what_registration_asks_for() -> None:
    """3.7a: the opt-in text with frequency, rates, HELP and STOP, a box that is neither ticked nor required, the privacy line."""
    guide = " ".join(Path("docs/sms.md").read_text().split())
    for name in Settings.model_fields:
        if name.startswith(("sms_", "twilio_", "public_")) and name != "twilio_api":
            assert f"STIPPLE_{name.upper()}" in guide, name
    (question,) = yaml.read(Path("domain.yml"))["responses"]["utter_ask_booking_form_booking_phone"]
    for asked in (
        question["text"],
        "not ticked beforehand",
        "not required",
        "up to 4 texts per visit",
        "Msg & data rates may apply",
        "Reply HELP for help, STOP to end",
        "not shared with third parties",
        "There is no marketing",
    ):
        assert asked in guide
