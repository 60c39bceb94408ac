"""Consent, and what is handed out, erased and purged."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from clinic import errors
from clinic.consent import TEXTS
from clinic.models import ActionResult, Base, Conversation, Handoff, SmsInbound, SmsNumber, Turn
from clinic.services import Services
from clinic.visits import Visit, Visitor

At = Callable[[str], dt.datetime]
PHONE, OTHER = "+12125550199", "+12125550198"


def talk(engine: Engine, conversation: str, at: dt.datetime) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Conversation).values(id=conversation, channel="web", started_at=at))
        row = {"conversation_id": conversation, "number": 1, "at": at, "before": "{}", "events": "[]"}
        connection.execute(insert(Turn).values(row | {"reply": f"secret of {conversation}"}))


def text(engine: Engine, number: str, body: str, at: dt.datetime) -> None:
    inbound = {"sid": f"SM{number}", "number": number, "kind": "text", "body": body, "received_at": at}
    thread = {"number": number, "first_at": at, "offered": "[]", "rest": "", "updated_at": at}
    with engine.begin() as connection:
        connection.execute(insert(SmsInbound).values(inbound))
        connection.execute(insert(SmsNumber).values(thread))


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def visit(services: Services, engine: Engine, clock: Any, at: At) -> Visit:
    """A visit of Ana's, and one of someone else's, with all that belongs to them."""
    made = None
    for holder, phone, hour in (("c2", OTHER, 9), ("c1", PHONE, 15)):
        talk(engine, holder, clock())
        held = services.booking.hold("face", at(f"2026-03-10 {hour:02}:00"), holder=holder, channel="web", key=holder)
        visitor = Visitor(f"Name of {holder}", phone, f"{holder}@example.org")
        made = services.booking.confirm(held.id, visitor, holder=holder, pending_reason="pregnancy", key=f"{holder}/yes")
        services.consents.record(phone, TEXTS, True, wording="1", channel="web", conversation_id=holder)
        request = services.handoffs.open(holder, channel="web", reason="asked", phone=phone, summary=f"said {holder}")
        services.handoffs.claim(request.id, "kim")
        services.handoffs.reply(request.id, "kim", f"for {holder}")
        text(engine, phone, f"texted by {holder}", clock())
    assert made is not None
    return made


def test_the_last_word_counts_and_all_are_kept(services: Services, clock: Any) -> None:
    assert not services.consents.given(PHONE, TEXTS)
    for given, wording in ((True, "1"), (False, "stop"), (True, "2")):
        services.consents.record(PHONE, TEXTS, given, wording=wording, channel="sms", conversation_id="s1")
        assert services.consents.given(PHONE, TEXTS) is given
    assert not services.consents.given(OTHER, TEXTS)
    assert not services.consents.given(PHONE, "privacy_notice")
    history = services.consents.history(PHONE)
    assert [(said.given, said.wording, said.channel) for said in history] == [
        (True, "1", "sms"),
        (False, "stop", "sms"),
        (True, "2", "sms"),
    ]
    assert history[0].at == clock()


def test_an_export_holds_all_of_one_person_and_none_of_another(services: Services, visit: Visit) -> None:
    export = services.privacy.export(PHONE)
    shown = json.dumps(export)
    assert {name: len(rows) for name, rows in export.items()} == {
        "appointments": 1,
        "appointment_changes": 2,
        "handoffs": 1,
        "handoff_messages": 1,
        "consents": 1,
        "conversations": 1,
        "turns": 1,
        "texts_received": 1,
        "texts_sent": 0,
        "texting": 1,
    }
    for mine in ("Name of c1", "c1@example.org", "said c1", "for c1", "secret of c1", "pregnancy", "texted by c1"):
        assert mine in shown
    for theirs in (OTHER, "of c2", "c2@example.org", "said c2", "for c2", "by c2"):
        assert theirs not in shown
    assert not any(services.privacy.export("+12125550100").values())


def test_erasing_leaves_nothing_of_the_person(services: Services, engine: Engine, visit: Visit, clock: Any) -> None:
    with pytest.raises(errors.UpcomingVisits):
        services.privacy.erase(PHONE)
    services.consents.record(PHONE, TEXTS, False, wording="stop", channel="sms", conversation_id="c1")
    services.privacy.erase(PHONE, cancel_upcoming=True)
    left = {table.name: [] for table in Base.metadata.sorted_tables}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            left[table.name] = [str(tuple(row)) for row in connection.execute(select(table))]
    everything = "\n".join(line for name, lines in left.items() if name != "consent" for line in lines)
    for mine in (
        PHONE,
        "Name of c1",
        "c1@example.org",
        "said c1",
        "for c1",
        "secret of c1",
        "texted by c1",
        "'c1'",
        '"c1"',
    ):
        assert mine not in everything, mine
    assert services.booking.get(visit.id).status == "cancelled"
    assert [said.given for said in services.consents.history(PHONE)] == [False]
    assert "c1" not in "\n".join(left["consent"])
    assert services.privacy.export(OTHER)["turns"]
    assert services.booking.upcoming(OTHER)[0].name == "Name of c2"
    clock.advance(minutes=1)
    assert set(services.privacy.erase(PHONE).values()) <= {0, 1}


def test_conversations_of_a_number_are_erased_with_it(services: Services, engine: Engine, clock: Any) -> None:
    talk(engine, "sms-1", clock())
    assert len(services.privacy.export(PHONE, ["sms-1"])["turns"]) == 1
    assert services.privacy.erase(PHONE, ["sms-1"])["conversations"] == 1


def test_a_purge_takes_what_has_rested_and_leaves_the_rest(services: Services, engine: Engine, visit: Visit, clock: Any) -> None:
    keep = (dt.timedelta(days=30), dt.timedelta(days=60))
    talk(engine, "idle", clock())
    services.lookup.find("K7M2QX", PHONE, holder="c9")
    clock.advance(days=29)
    assert not any(services.privacy.purge(*keep).values())
    (request,) = [one for one in services.handoffs.requests() if one.conversation_id == "c1"]
    services.handoffs.close(request.id)
    clock.advance(days=2)
    talk(engine, "new", clock())
    gone = services.privacy.purge(*keep)
    # c2 still waits for a person, and c1's request was closed two days ago.
    assert gone == {"conversations": 2, "handoffs": 0, "action_results": 4, "lookup_tries": 1} | {
        "messages": 0,
        "texts_received": 2,
        "texts_sent": 0,
        "text_states": 0,
        "texting": 2,
        "unanswered_questions": 0,
    }
    assert count(engine, ActionResult) == 0
    assert count(engine, Conversation) == 2
    clock.advance(days=57)
    assert services.privacy.purge(*keep)["handoffs"] == 0
    clock.advance(days=2)
    assert services.privacy.purge(*keep)["handoffs"] == 1
    assert count(engine, Handoff) == 1
    assert services.booking.get(visit.id).name == "Name of c1"
