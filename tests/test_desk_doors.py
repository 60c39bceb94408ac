"""A person takes over while the server runs in another process: on the website and by text message."""

import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bench.serving import Server
from bot.cli import app
from bot.settings import Settings
from bot.sms import simulate
from tests.receivers import PATIENCE, Inbox, mail_server, wait_for
from tests.sms.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

DANGER = "my throat is swelling and I cannot breathe"

pytestmark = pytest.mark.slow


class Clinic:
    """A running server, its mail server and Twilio, and the desk beside them."""

    def __init__(self, folder: Path, inbox: Inbox, twilio: FakeTwilio) -> None:
        self.inbox, self.twilio = inbox, twilio
        self.settings = {
            "smtp_url": f"smtp+plain://127.0.0.1:{inbox.port}",
            "public_url": "https://stipple.clinic.example",
            "twilio_account": ACCOUNT,
            "twilio_token": TOKEN,
            "twilio_sender": "+12125550144",
            "twilio_api": twilio.url,
        }
        self.server = Server(folder, **self.settings)

    def desk(self, *arguments: str) -> str:
        environ = {f"STIPPLE_{name.upper()}": value for name, value in self.settings.items()}
        environ |= {"STIPPLE_DATABASE_URL": self.server.database_url, "STIPPLE_FOLDER": str(self.server.folder)}
        result = CliRunner().invoke(app, ["desk", *arguments], env=environ)
        assert result.exit_code == 0, result.output
        return result.stdout

    def waiting(self, reason: str) -> str:
        """The id of the only request that waits for a reason."""
        [row] = [line.split("\t") for line in self.desk("list").splitlines() if line.endswith(reason)]
        return row[0]


class Visitor:
    """A visitor of the website, with the stream of events open."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=PATIENCE)
        self.client.headers["Authorization"] = f"Bearer {self.client.post('/chat/sessions').json()['token']}"
        self.seen: list[tuple[str, str]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, text: str) -> str:
        answer = self.client.post("/chat/messages", json={"id": uuid.uuid4().hex, "text": text})
        return "\n".join(message["text"] for message in answer.raise_for_status().json()["messages"])

    def _listen(self) -> None:
        with contextlib.suppress(httpx.HTTPError), self.client.stream("GET", "/chat/events", timeout=None) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    messages: list[dict[str, Any]] = json.loads(line[6:]).get("messages", [])
                    self.seen += [(message["author"], message["text"]) for message in messages]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with contextlib.ExitStack() as stack:
        twilio = FakeTwilio()
        stack.callback(twilio.close)
        made = Clinic(tmp_path_factory.mktemp("desk"), stack.enter_context(mail_server()), twilio)
        stack.callback(made.server.stop)
        made.server.start()
        yield made


def test_on_the_website(clinic: Clinic) -> None:
    visitor = Visitor(clinic.server.url)
    visitor.say("can I talk to a person please?")
    request = clinic.waiting("asked for one")
    clinic.desk("claim", request, "--as", "kim")
    clinic.desk("reply", request, "Kim here, how can I help?", "--as", "kim")
    wait_for(lambda: ("staff", "Kim here, how can I help?") in visitor.seen)
    assert visitor.say("does it hurt?") == ""
    assert "911" in visitor.say(DANGER)
    shown = clinic.desk("show", request)
    assert "visitor   does it hurt?" in shown
    assert "staff     Kim here, how can I help?" in shown
    clinic.desk("close", request)
    assert "discomfort" in visitor.say("does it hurt?")


def test_by_text_message(clinic: Clinic) -> None:
    number = "+12125550177"
    settings = Settings.model_validate(clinic.settings)
    with httpx.Client(base_url=clinic.server.url, timeout=PATIENCE) as client:

        def say(text: str) -> str:
            return "\n".join(heard.text for heard in simulate.post(settings, client, number, text))

        assert "our team" in say("AGENT")
        request = clinic.waiting("asked for one")
        clinic.desk("claim", request, "--as", "kim")
        assert "text message" in clinic.desk("reply", request, "Kim here. When may we call you?", "--as", "kim")
        [text] = wait_for(lambda: [each for each in clinic.twilio.texts if each["To"] == number])
        assert text["Body"] == "Kim here. When may we call you?"
        assert say("after four. does it hurt?") == ""
        assert "911" in say(DANGER)
        assert "visitor   after four. does it hurt?" in clinic.desk("show", request)
        clinic.desk("close", request)
        assert "discomfort" in say("does it hurt?")


def test_staff_are_told_at_once_of_what_is_urgent(clinic: Clinic) -> None:
    Visitor(clinic.server.url).say(DANGER)
    request = clinic.waiting("what may be an emergency")

    def letters() -> list[str]:
        return [text for letter in list(clinic.inbox.letters) if request in (text := letter.get_content())]

    [letter] = wait_for(letters)
    assert "How urgent: emergency" in letter
    assert "stipple desk show" in letter
