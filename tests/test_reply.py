"""A reply is kept with its turn and read back the same."""

import json

from bot.reply import Choice, Message, Reply, Source

S1, S3 = Source("S1", "Treatment guide"), Source("S3", "Aftercare rules")
REPLY = Reply(
    zone="answer",
    safety=None,
    topics=["pain", "downtime"],
    confidence=0.97,
    choices=["numbing"],
    messages=[
        Message("m1", "It may prickle \u2013 a little \U0001f642", [], [S3, S1]),
        Message("m2", "A day or two.", [Choice("c1", "Numbing?", "faq/numbing")], [S1]),
    ],
    ranking=[("faq/pain", 0.9), ("faq/numbing", 0.05)],
    ms=4.1,
)


def test_reply_survives_being_kept() -> None:
    assert Reply.from_json(REPLY.as_json()) == REPLY


def test_kept_reply_is_one_line_of_json() -> None:
    assert "\n" not in REPLY.as_json()
    assert json.loads(REPLY.as_json())["topics"] == ["pain", "downtime"]


def test_each_source_is_named_once_in_the_order_of_the_messages() -> None:
    assert REPLY.sources == [S3, S1]


def test_reply_without_messages_has_no_sources() -> None:
    assert Reply("fallback", None, ["out_of_scope"], 0.1, [], []).sources == []
