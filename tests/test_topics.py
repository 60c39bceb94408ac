"""Reading topics, the lines of their entries, what they state, and how hard they are to read."""

import datetime as dt
from pathlib import Path

import pytest

from bot import topics
from bot.lines import Lines
from bot.quantities import quantities
from bot.readability import grade, sentences, syllables
from clinic.yaml import BadFile

ROOT = Path(__file__).parents[1]
TOPIC = """\
version: "3.1"
nlu:
  - intent: faq/pain
    examples: |
      - Does it hurt?

      - does it sting: yes or no
responses:
  utter_faq/pain:
    - text: >-
        It may prickle. Your clinician
        will decide.
      metadata:
        title: Does it hurt?
        facts: [
          s1-prickles,
          s1-mild,
        ]
        follow_ups: [numbing, bleeding]
        approved_by: Dr Able
        approved_on: "2026-01-31"
        review_by: "2027-01-31"
    - channel: sms
      text: It may prickle.
    - condition: [{type: slot, name: clinic_has_prices, value: true}]
      channel: sms
      text: It is cheap.
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a sound topic."""
    (tmp_path / "faq").mkdir()
    path = tmp_path / "faq" / "pain.yml"
    path.write_text(TOPIC)
    return path


def test_topic_is_read_with_its_lines(path: Path) -> None:
    topic = topics.read(path)
    assert (topic.label, topic.id, topic.response, topic.line) == ("faq/pain", "pain", "utter_faq/pain", 9)
    assert topic.examples == [topics.Example("Does it hurt?", 5), topics.Example("does it sting: yes or no", 7)]
    assert [(v.channel, v.condition, v.line) for v in topic.variations] == [
        ("web", (), 10),
        ("sms", (), 23),
        ("sms", (("clinic_has_prices", True),), 25),
    ]
    assert topic.metadata.title == "Does it hurt?"
    assert topic.metadata.approved_on == dt.date(2026, 1, 31)
    assert (topic.line_of("title"), topic.line_of("facts", 1), topic.line_of("follow_ups", 1)) == (14, 17, 19)


def test_wording_is_found_by_channel_and_condition(path: Path) -> None:
    topic = topics.read(path)
    web = topic.says("web", ())
    assert web is not None
    assert web.text == "It may prickle. Your clinician will decide."
    assert topic.says("web", (("clinic_has_prices", True),)) is None


def test_wrong_entry_is_named_with_its_line(path: Path) -> None:
    path.write_text(TOPIC.replace("title:", "titel:").replace("channel: sms", "channel: fax"))
    with pytest.raises(BadFile) as caught:
        topics.read(path)
    assert caught.value.problems == [
        f"{path}:14: responses.utter_faq/pain.0.metadata.title: Field required",
        f"{path}:14: responses.utter_faq/pain.0.metadata.titel: Extra inputs are not permitted",
        f"{path}:23: responses.utter_faq/pain.1.channel: Input should be 'sms'",
        f"{path}:26: responses.utter_faq/pain.2.channel: Input should be 'sms'",
    ]


def test_all_wrong_files_are_named_together(path: Path) -> None:
    path.write_text(TOPIC.replace("title:", "titel:"))
    (path.parents[1] / "clinic").mkdir()
    (path.parents[1] / "clinic" / "contact.yml").write_text("nlu: []")
    with pytest.raises(BadFile) as caught:
        topics.load_all(path.parents[1])
    assert {problem.split(":")[0] for problem in caught.value.problems} == {
        str(path),
        str(path.parents[1] / "clinic" / "contact.yml"),
    }


def test_the_projects_topics_are_read_in_order() -> None:
    labels = [topic.label for topic in topics.load_all(ROOT / "data" / "nlu")]
    kinds = [label.partition("/")[0] for label in labels]
    assert "faq/pain" in labels
    assert "clinic/opening_hours" in labels
    assert kinds == sorted(kinds, reverse=True)


def test_file_of_examples_may_hold_other_entries(tmp_path: Path) -> None:
    path = tmp_path / "greet.yml"
    path.write_text("nlu:\n  - synonym: hi\n    examples: |\n      - hello\n  - intent: greet\n    examples: |\n      - Hi\n")
    assert topics.read_examples(path) == [("greet", [topics.Example("Hi", 7)])]


def test_lines_of_what_is_not_there_are_those_on_the_way(path: Path) -> None:
    lines = Lines(path)
    assert lines.at("responses", "utter_faq/pain", 0, "metadata", "nothing", 3) == 13
    assert lines.at("nothing") == 1
    assert lines.of_text("nlu", 0, "intent") is None


def test_repeated_keys_are_found(path: Path) -> None:
    path.write_text("a: 1\nb:\n  - {c: 1, c: 2}\na: 3\n")
    assert Lines(path).repeated() == [("a", 4), ("c", 3)]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Most people need about 3 to 6 treatments.", ["3 to 6"]),
        ("Most people need three to six treatments.", ["3 to 6"]),
        ("between three and 6 visits", ["3 to 6"]),
        ("two visits", ["2"]),
        ("a 30-60 minute visit, a 12-hour wait", ["30 to 60 minutes", "12 hours"]),
        ("a day or two, or two weeks", ["1 to 2 days", "2 weeks"]),
        ("1 month apart, a month apart", ["1 month"]),
        ("wait at least 48 hours, then 48 hours", ["at least 48 hours", "48 hours"]),
        ("a few hours or several days", ["few hours", "several days"]),
        ("needles of 0.5 to 2.5 mm", ["0.5 to 2.5 mm"]),
        ("SPF 30+ daily, not SPF 30", ["SPF 30+", "SPF 30"]),
        ("since 1995, and 10% less", ["1995", "10 %"]),
        ("One source says so, and another on the day.", []),
        ("call {line_24} about B12", []),
        ("30 minutes to 2 hours", ["30 minutes", "2 hours"]),
    ],
)
def test_numbers_lengths_of_time_and_ranges(text: str, stated: list[str]) -> None:
    assert [str(quantity) for quantity in quantities(text)] == stated


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("0.5 to 2.5 mm, no more", 1),
        ('Called the "vampire facial". It is not covered.', 2),
        ("Pay by {methods}. {details}", 2),
        ("{insurance} Ask us on {phone}.", 2),
        ("{name} is open {hours}.", 1),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert sentences(text) == count


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("skin", 1),
        ("needles", 2),
        ("microneedling", 4),
        ("treated", 2),
        ("used", 1),
        ("lines", 1),
        ("acne", 2),
        ("the", 1),
        ("48", 1),
    ],
)
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_grade_follows_the_formula() -> None:
    # 8 words in 2 sentences, with 10 syllables
    assert grade("It may hurt a little. Ask our clinic.") == pytest.approx(0.39 * 4 + 11.8 * 10 / 8 - 15.59)
