"""Replies as staff and programs read them."""

import json

from bot import report
from bot.reply import Choice, Message, Reply, Source

PAIN = Reply(
    zone="answer",
    safety=None,
    topics=["pain", "cost"],
    confidence=0.974,
    choices=[],
    messages=[
        Message("m1", "It may prickle.", [], [Source("S1", "Treatment guide"), Source("S3", "Aftercare rules")]),
        Message("m2", "It costs \u00a3290 \u2713", [Choice("c1", "Ways to pay", "clinic/payment")], []),
    ],
    ranking=[("faq/pain", 0.951), ("faq/numbing", 0.031)],
    ms=4.12,
)


def test_lines_for_people_name_topic_zone_confidence_and_sources() -> None:
    shown = report.lines(PAIN, "web", with_scores=False)
    assert shown.startswith("It may prickle.\nIt costs")
    assert "  - Ways to pay" in shown
    for line in ("topic       pain, cost", "zone        answer", "confidence  0.97"):
        assert line in shown.splitlines()
    assert "S1 (Treatment guide), S3 (Aftercare rules)" in shown
    assert "faq/numbing" not in shown


def test_lines_say_so_when_there_is_no_source() -> None:
    bare = Reply("fallback", None, ["out_of_scope"], 0.1, [], [Message("m", "Sorry.")])
    assert "sources     none" in report.lines(bare, "web", with_scores=False)


def test_why_adds_runners_up_with_scores() -> None:
    shown = report.lines(PAIN, "web", with_scores=True)
    assert "95.1%  faq/pain" in shown
    assert "3.1%  faq/numbing" in shown


def test_why_names_the_alarm() -> None:
    alarm = Reply("safety", "emergency", ["emergency"], 1.0, [], [Message("m", "Call 911.")])
    assert "safety emergency" in report.why(alarm)


def test_text_messages_are_shown_with_their_segments() -> None:
    shown = report.lines(PAIN, "sms", with_scores=False).splitlines()
    assert shown[1] == "[1 segment(s), GSM-7]"
    assert "UCS-2" in shown[3], "a tick is not in the GSM alphabet"


def test_record_has_the_promised_keys_in_order_and_is_one_line() -> None:
    line = report.record("does it\nhurt\u2028? \u00e9", PAIN)
    assert len(line.splitlines()) == 1
    record = json.loads(line)
    assert list(record) == ["text", "zone", "safety", "topics", "confidence", "choices", "replies", "sources", "ms"]
    assert record["text"] == "does it\nhurt\u2028? \u00e9"
    assert record["safety"] is None
    assert record["topics"] == ["pain", "cost"]
    assert record["replies"] == ["It may prickle.", "It costs \u00a3290 \u2713"]
    assert record["sources"] == ["S1", "S3"]
    assert (record["confidence"], record["ms"]) == (0.974, 4.12)
