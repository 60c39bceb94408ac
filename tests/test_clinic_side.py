"""What a booking on the website sets off, with the real server and real servers around it."""

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import caldav
import httpx
import pytest
import yaml
from sqlalchemy import Engine, insert, select, update
from typer.testing import CliRunner

from bench.serving import Server
from bot.cli import app
from clinic import database, practice
from clinic.models import Conversation, Reminder
from clinic.services import Services
from clinic.visits import Visit
from tests import services as servers
from tests.receivers import PATIENCE, Inbox, Receiver, mail_server, wait_for, web_server
from tests.sms.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

ROOT = Path(__file__).parents[1]
SECRET = "w" * 32
PHONE = "+12125550199"

pytestmark = pytest.mark.slow


class Clinic:
    """A running server, and all that it talks to."""

    def __init__(self, server: Server, settings: Path, inbox: Inbox, hook: Receiver, twilio: FakeTwilio, calendars: Any) -> None:
        self.server, self.inbox, self.hook, self.twilio, self.calendars = server, inbox, hook, twilio, calendars
        self.engine: Engine = database.connect(server.database_url)
        self.services = Services.build(self.engine, practice.load(settings))
        self.log = server.folder / "log"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    with contextlib.ExitStack() as stack:
        inbox, hook = stack.enter_context(mail_server()), stack.enter_context(web_server())
        radicale = stack.enter_context(servers.radicale(sys.executable))
        twilio = FakeTwilio()
        stack.callback(twilio.close)
        home = caldav.DAVClient(url=f"{radicale}/", username="clinic", password="open").principal()
        calendars = {name: home.make_calendar(name=name, cal_id=name) for name in ("rowan", "imani")}
        today = dt.datetime.now(dt.UTC).date()
        days = {"dtstart": today - dt.timedelta(1), "dtend": today + dt.timedelta(120)}
        calendars["rowan"].add_event(**days, summary="A long leave", uid="leave")
        server = Server(
            folder,
            clinic=described(folder / "clinic.yml", calendars),
            smtp_url=f"smtp+plain://127.0.0.1:{inbox.port}",
            smtp_from="Front desk <desk@larkfield-skin.example>",
            webhook_url=hook.url,
            webhook_secret=SECRET,
            caldav_user="clinic",
            caldav_password="open",
            twilio_account=ACCOUNT,
            twilio_token=TOKEN,
            twilio_sender="+12125550142",
            twilio_api=twilio.url,
            log_level="info",
        )
        begin_conversations(server.database_url, {"of last summer": 100, "of last week": 7})
        stack.callback(server.stop)
        server.start()
        made = Clinic(server, folder / "clinic.yml", inbox, hook, twilio, calendars)
        stack.callback(made.engine.dispose)
        yield made


def described(path: Path, calendars: dict[str, Any]) -> str:
    """The practice, with calendars, open whatever the day, and texting at any hour."""
    known = yaml.safe_load((ROOT / "clinic.yml").read_text(encoding="utf-8"))
    known |= {"closures": [], "public_holidays": False, "staff_email": "rota@larkfield-skin.example"}
    known["reminders"]["texts_between"] = "00:00-23:59:59.999999"
    for resource in known["resources"]:
        if resource["id"] in calendars:
            resource["calendar"] = str(calendars[resource["id"]].url)
    path.write_text(yaml.safe_dump(known), encoding="utf-8")
    return str(path)


def begin_conversations(url: str, ages: dict[str, int]) -> None:
    """Conversations that ended as many days ago."""
    engine = database.connect(url)
    database.migrate(engine)
    now = dt.datetime.now(dt.UTC)
    with engine.begin() as connection:
        for name, days in ages.items():
            row = {"id": name, "channel": "web", "started_at": now - dt.timedelta(days=days)}
            connection.execute(insert(Conversation).values(row))
    engine.dispose()


@pytest.fixture(scope="module")
def visit(clinic: Clinic) -> Visit:
    """A visit that was booked on the website, once the leave was known from the calendar."""
    today = dt.datetime.now(dt.UTC).date()
    span = (today + dt.timedelta(7), today + dt.timedelta(28))

    def free() -> set[str]:
        return {slot.practitioner for slot in clinic.services.slots.search("consultation", *span)}

    wait_for(lambda: free() == {"imani"})
    with httpx.Client(base_url=clinic.server.url, timeout=PATIENCE) as client:
        client.headers["Authorization"] = f"Bearer {client.post('/chat/sessions').json()['token']}"

        def say(**said: str) -> list[dict[str, Any]]:
            answer = client.post("/chat/messages", json={"id": uuid.uuid4().hex, **said})
            return list(answer.json()["messages"])

        say(text="book a consultation")
        offered = say(text="in two weeks")
        say(choice=offered[-1]["choices"][0]["id"])
        say(text="Ana Lima, 212 555 0199")
        say(text="yes")
    [booked] = clinic.services.booking.upcoming(PHONE)
    return booked


def test_staff_are_told_by_e_mail(clinic: Clinic, visit: Visit) -> None:
    [letter] = wait_for(lambda: list(clinic.inbox.letters))
    assert letter["To"] == "rota@larkfield-skin.example"
    assert letter["From"] == "Front desk <desk@larkfield-skin.example>"
    text = letter.get_content()
    for part in ("Ana Lima", PHONE, "Imani Cole", visit.reference):
        assert part in text


def test_the_clinics_own_systems_get_a_signed_event(clinic: Clinic, visit: Visit) -> None:
    [(headers, body)] = wait_for(lambda: list(clinic.hook.posts))
    parts = dict(part.split("=") for part in headers["Stipple-Signature"].split(","))
    digest = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], digest)
    event = json.loads(body)
    assert (event["event"], event["data"]["reference"]) == ("staff.visit_booked", visit.reference)
    assert "Ana" not in body.decode()


def test_the_visit_stands_in_the_calendar_of_who_is_free(clinic: Clinic, visit: Visit) -> None:
    def entries(name: str) -> list[str]:
        return [event.data for event in clinic.calendars[name].events()]

    [entry] = wait_for(lambda: entries("imani"))
    assert visit.reference in entry
    assert "Ana" not in entry
    assert [visit.reference in each for each in entries("rowan")] == [False]


def test_a_reminder_that_falls_due_is_texted(clinic: Clinic, visit: Visit) -> None:
    def fall_due(connection: Any) -> int:
        due = update(Reminder).where(Reminder.appointment_id == visit.id, Reminder.kind == "24h")
        return int(connection.execute(due.values(due_at=dt.datetime.now(dt.UTC))).rowcount)

    assert database.write(clinic.engine, fall_due) == 1
    [text] = wait_for(lambda: [text for text in clinic.twilio.texts if "C confirm" in text["Body"]])
    assert text["To"] == PHONE


def test_a_calendar_application_finds_the_visits_until_the_address_is_revoked(clinic: Clinic, visit: Visit) -> None:
    environ = {"STIPPLE_DATABASE_URL": clinic.server.database_url, "STIPPLE_PUBLIC_URL": clinic.server.url}

    def stipple(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["calendar", *arguments], env=environ)
        assert done.exit_code == 0, done.output
        return done.output.strip()

    address = stipple("issue", "imani")
    first = httpx.get(address)
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert visit.reference in first.text
    assert "Ana" not in first.text
    again = httpx.get(address, headers={"If-None-Match": f'"another", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert httpx.head(address).headers["etag"] == first.headers["etag"]
    assert visit.reference not in httpx.get(stipple("issue", "rowan")).text
    assert "imani                 1 addresses" in stipple("list")
    assert stipple("revoke", "imani") == "1 addresses of imani are useless now"
    assert httpx.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 404


def test_what_was_kept_for_long_enough_is_deleted(clinic: Clinic) -> None:
    def kept() -> set[str]:
        with clinic.engine.connect() as connection:
            return set(connection.scalars(select(Conversation.id)))

    wait_for(lambda: "of last summer" not in kept())
    assert "of last week" in kept()


def test_what_waits_and_what_was_given_up_on_is_counted(clinic: Clinic, visit: Visit) -> None:
    def sent() -> bool:
        shown = httpx.get(f"{clinic.server.url}/metrics").text
        assert 'stipple_outbox{state="dead"} 0.0' in shown
        return 'stipple_outbox{state="waiting"} 0.0' in shown and 'stipple_outbox{state="sending"} 0.0' in shown

    wait_for(sent)


def test_the_log_names_nobody(clinic: Clinic, visit: Visit) -> None:
    log = clinic.log.read_text()
    assert "turn zone=task" in log
    assert not [word for word in ("Ana", "Lima", "5550199", "555 0199") if word in log]
