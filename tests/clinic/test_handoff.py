"""Requests for a person: kept, taken, answered, closed."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest

from clinic import errors
from clinic.handoff import Attendance, Request
from clinic.notices import UNCLAIMED_AFTER
from clinic.services import Services

At = Callable[[str], dt.datetime]


def ask(services: Services, conversation: str = "c1", **more: Any) -> Request:
    return services.handoffs.open(conversation, **({"channel": "web", "reason": "asked"} | more))


def test_a_request_is_kept_until_it_is_closed(services: Services) -> None:
    request = ask(services, name="Ana", phone="+12125550199", summary="visitor: a person please")
    assert (request.status, request.urgency, request.version) == ("open", "routine", 1)
    assert services.handoffs.of("c1") == request
    assert not services.handoffs.with_person("c1")
    claimed = services.handoffs.claim(request.id, "kim")
    assert (claimed.status, claimed.claimed_by) == ("claimed", "kim")
    assert services.handoffs.with_person("c1")
    closed = services.handoffs.close(request.id)
    assert services.handoffs.close(request.id) == closed
    assert services.handoffs.of("c1") is None
    assert not services.handoffs.with_person("c1")
    assert services.handoffs.requests("closed") == [closed]
    assert ask(services).id != request.id


def test_asking_again_keeps_the_place_and_adds_what_is_new(services: Services) -> None:
    first = ask(services, urgency="today", name="Ana")
    again = ask(services, urgency="routine", reason="two_bad_answers", phone="+12125550199")
    assert (again.id, again.urgency, again.name, again.phone) == (first.id, "today", "Ana", "+12125550199")
    assert again.reason == "two_bad_answers"
    assert ask(services, urgency="emergency").urgency == "emergency"


def test_staff_see_the_most_urgent_first(services: Services, clock: Any) -> None:
    for conversation, urgency in (("a", "routine"), ("b", "today"), ("c", "emergency"), ("d", "today")):
        ask(services, conversation, urgency=urgency)
        clock.advance(minutes=1)
    assert [request.conversation_id for request in services.handoffs.requests()] == ["c", "b", "d", "a"]


def test_messages_go_both_ways_while_a_person_has_it(services: Services) -> None:
    request = ask(services)
    assert services.handoffs.said("c1", "hello?") is None
    with pytest.raises(errors.NotAllowed):
        services.handoffs.reply(request.id, "kim", "Hi")
    services.handoffs.claim(request.id, "kim")
    with pytest.raises(errors.NotAllowed):
        services.handoffs.reply(request.id, "lee", "Hi")
    reply = services.handoffs.reply(request.id, "kim", "Hi Ana, Kim here.")
    said = services.handoffs.said("c1", "Thanks!")
    assert said is not None
    assert services.handoffs.notes("c1") == [reply, said]
    assert services.handoffs.notes("c1", after=reply.id) == [said]
    assert services.handoffs.notes("c2") == []
    services.handoffs.close(request.id)
    assert services.handoffs.said("c1", "one more") is None
    assert services.handoffs.notes("c1") == [reply, said]
    with pytest.raises(errors.NotAllowed):
        services.handoffs.claim(request.id, "kim")


def test_a_colleague_can_take_over(services: Services) -> None:
    request = ask(services)
    services.handoffs.claim(request.id, "kim")
    services.handoffs.claim(request.id, "lee")
    assert services.handoffs.reply(request.id, "lee", "Hi").author == "staff"


def test_unknown_requests(services: Services) -> None:
    for act in (services.handoffs.get, services.handoffs.close):
        with pytest.raises(errors.NotFound):
            act("nothing")
    with pytest.raises(errors.NotFound):
        services.handoffs.claim("nothing", "kim")


def test_two_requests_of_one_conversation_at_once_become_one(services: Services) -> None:
    threads = [threading.Thread(target=ask, args=(services,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(services.handoffs.requests()) == 1


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02 10:00", None),
        ("2026-03-02 13:30", "2026-03-02 14:00"),
        ("2026-03-07 15:00", "2026-03-09 09:00"),
        ("2026-03-19 19:00", "2026-03-23 09:00"),
    ],
)
def test_attendance_follows_the_hours(services: Services, clock: Any, at: At, now: str, opens: str | None) -> None:
    clock.moment = at(now)
    assert services.handoffs.attendance() == Attendance(opens is None, at(opens) if opens else None)


def test_staff_are_told_and_told_again_when_nobody_comes(services: Services, clock: Any) -> None:
    ask(services, urgency="emergency")
    kinds = {(entry.channel, entry.kind): entry for entry in services.outbox.entries("waiting")}
    assert ("email", "staff.handoff_opened") in kinds
    assert ("webhook", "staff.handoff_opened") in kinds
    assert kinds["email", "staff.handoff_unclaimed"].due_at == clock() + UNCLAIMED_AFTER


def test_a_routine_request_raises_no_alarm(services: Services) -> None:
    ask(services)
    assert "staff.handoff_unclaimed" not in {entry.kind for entry in services.outbox.entries("waiting")}


def test_a_reply_leaves_as_a_text_only_where_the_visitor_texts(services: Services) -> None:
    for conversation, channel in (("web1", "web"), ("sms1", "sms")):
        request = ask(services, conversation, channel=channel, phone="+12125550199")
        services.handoffs.claim(request.id, "kim")
        services.handoffs.reply(request.id, "kim", "Hi")
    texts = [entry for entry in services.outbox.entries("waiting") if entry.channel == "text"]
    assert [entry.kind for entry in texts] == ["visitor.handoff_reply"]


def test_how_to_reach_the_visitor_is_added_and_corrected(services: Services) -> None:
    assert services.handoffs.reach("c1", phone="+12125550199") is None
    request = ask(services, name="Ana")
    services.handoffs.reach("c1", phone="+12125550199", email=None)
    services.handoffs.reach("c1", phone="+12125550198")
    known = services.handoffs.get(request.id)
    assert (known.name, known.phone, known.email, known.urgency) == ("Ana", "+12125550198", None, "routine")
    services.handoffs.close(request.id)
    assert services.handoffs.reach("c1", phone="+12125550197") is None
    assert services.handoffs.get(request.id).phone == "+12125550198"


def test_a_request_is_found_by_how_its_id_begins(services: Services) -> None:
    requests = [ask(services, f"c{n}") for n in range(20)]
    for request in requests:
        assert services.handoffs.find(request.id) == request
    with pytest.raises(errors.Ambiguous):
        services.handoffs.find("")
    for nothing in ("x", "%", "_", requests[0].id + "0"):
        with pytest.raises(errors.NotFound):
            services.handoffs.find(nothing)


def test_closed_for_a_holiday_it_says_which(services: Services, clock: Any, at: At) -> None:
    clock.moment = at("2026-05-25 12:00")
    there = services.handoffs.attendance()
    assert (there.open_now, there.closed_for) == (False, "Memorial Day")
    clock.moment = at("2026-05-26 23:00")
    assert services.handoffs.attendance().closed_for is None
