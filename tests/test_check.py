"""`stipple check` finds each kind of wrong data, and says where it is."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.check import check, report
from tests import sound_project
from tests.sound_project import PAIN, SOUND, questions

ROOT = Path(__file__).parents[1]
TODAY = dt.date(2026, 6, 1)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project in which nothing is wrong."""
    return sound_project.make(tmp_path)


class Wrong(NamedTuple):
    """A change that breaks the tree: `old` becomes `new` in a file; then line `at` of `named` (or of that file) is found."""

    name: str
    file: str
    old: str
    new: str
    at: str
    reason: str
    named: str = ""


FAQ, CLINIC, SOURCES, RULES = "data/nlu/faq/pain.yml", "data/nlu/clinic/contact.yml", "data/sources.yml", "data/stories/rules.yml"
PRECEDENT = "data/follow_ups/pain.yml"
WEB = "- text: It may prickle a little"
SMS = "      text: It may prickle. Have 3 to 6 visits."
DIRECTIONS = "{type: slot, name: clinic_has_directions, value: true}"

WRONG = [
    # files, intents, examples
    Wrong("too few examples", FAQ, "      - way 7 to say pain\n", "", "examples: |", "39 examples, at least 40 are needed"),
    Wrong(
        "same example in two topics",
        FAQ,
        "way 9 to say pain",
        "Way 9  to say numbing",
        "Way 9",
        "'Way 9  to say numbing' stands in data/nlu/faq/numbing.yml:13 already",
    ),
    Wrong(
        "follow-up without a topic before it", PRECEDENT, "after: what is it, ", "", "says: and sore", "0.after: Field required"
    ),
    Wrong(
        "answer of another topic",
        FAQ,
        "utter_faq/pain",
        "utter_faq/ache",
        "utter_faq/ache",
        "the answer to faq/pain is utter_faq/pain",
    ),
    Wrong("no answer", FAQ, PAIN, "", 'version: "3.1"', "responses: Field required"),
    Wrong(
        "same example twice",
        FAQ,
        "way 9 to say pain",
        "WAY 8 to say pain",
        "WAY 8",
        "'WAY 8 to say pain' stands in data/nlu/faq/pain.yml:12 already",
    ),
    Wrong(
        "same example in an intent's file",
        "data/nlu/greet.yml",
        "way 2 to say greet",
        "way 40 to say pain",
        "way 40",
        "'way 40 to say pain' stands in data/nlu/faq/pain.yml:44 already",
    ),
    Wrong(
        "entity brackets",
        FAQ,
        "way 9 to",
        "way [9](number) to",
        "[9]",
        "faq/pain: Rasa would read the square brackets as an entity",
    ),
    Wrong("example without a dash", FAQ, "- way 9", "way 9", "      way 9", "an example begins with '- '"),
    Wrong(
        "examples as a list",
        "data/nlu/greet.yml",
        "examples: |",
        "examples:",
        "- way 1",
        "nlu.0.examples: Input should be a valid string",
    ),
    Wrong(
        "folded examples",
        "data/nlu/greet.yml",
        "examples: |",
        "examples: >",
        "examples: >",
        "the examples stand below `examples: |`, each on its line",
    ),
    Wrong(
        "intent in another's file",
        "data/nlu/greet.yml",
        "intent: greet",
        "intent: goodbye",
        'version: "3.1"',
        "holds examples of goodbye; they belong in goodbye.yml",
    ),
    Wrong(
        "intent without a file",
        "domain.yml",
        "  - clarify\n",
        "  - clarify\n  - thank\n",
        "- thank",
        "the intent thank has no data/nlu/thank.yml",
    ),
    Wrong(
        "intent that the domain lacks",
        "domain.yml",
        "  - greet\n",
        "",
        'version: "3.1"',
        "the intent greet is not in domain.yml",
        "data/nlu/greet.yml",
    ),
    # answers
    Wrong(
        "no title",
        FAQ,
        "        title: Does it hurt?\n",
        "",
        "        facts: [s1",
        "responses.utter_faq/pain.0.metadata.title: Field required",
    ),
    Wrong("long title", FAQ, "Does it hurt?", "x" * 41, "title: x", "the title has 41 characters, at most 40 fit a button"),
    Wrong(
        "title of another topic",
        FAQ,
        "Does it hurt?",
        "Is it Numbed?",
        "title: Is it",
        "faq/numbing has the title 'Is it Numbed?' too",
    ),
    Wrong("one follow-up", FAQ, "[numbing, talk_to_human]", "[numbing]", "follow_ups", "1 follow-up, 2 or 3 are wanted"),
    Wrong(
        "four follow-ups",
        CLINIC,
        "[pain, numbing, talk_to_human]",
        "[pain, numbing, talk_to_human, contact_us]",
        "follow_ups",
        "4 follow-ups, 2 or 3 are wanted",
    ),
    Wrong(
        "unknown follow-up",
        FAQ,
        "talk_to_human",
        "talk_to_humans",
        "follow_ups",
        "the follow-up talk_to_humans is not known, or has no title",
    ),
    Wrong(
        "follow-up without a title",
        FAQ,
        "talk_to_human",
        "greet",
        "follow_ups",
        "the follow-up greet is not known, or has no title",
    ),
    Wrong("follow-up to itself", FAQ, "[numbing, ", "[numbing, pain, ", "follow_ups", "the follow-up pain is the topic itself"),
    Wrong("follow-up twice", FAQ, "[numbing, ", "[numbing, numbing, ", "follow_ups", "the follow-up numbing stands twice"),
    Wrong("no sms wording", FAQ, "    - channel: sms\n" + SMS + "\n", "", "utter_faq/pain:", "there is no sms wording"),
    Wrong(
        "no web wording",
        CLINIC,
        "    - condition: [" + DIRECTIONS + "]\n      text: Call us on {clinic_phone}. {clinic_directions}\n",
        "",
        "- condition",
        "there is no web wording when clinic_has_directions is True",
    ),
    Wrong(
        "no sms wording for a condition",
        CLINIC,
        "      channel: sms\n      text: Call {clinic_phone}. {clinic_directions}",
        "      text: One. Two.",
        "- condition",
        "there is no sms wording when clinic_has_directions is True",
    ),
    Wrong(
        "unknown condition",
        CLINIC,
        "clinic_has_directions",
        "clinic_has_map",
        "- condition",
        "the condition clinic_has_map is not known",
    ),
    Wrong(
        "unknown channel",
        FAQ,
        "channel: sms",
        "channel: fax",
        "channel: fax",
        "responses.utter_faq/pain.1.channel: Input should be 'sms'",
    ),
    Wrong(
        "metadata twice",
        FAQ,
        SMS,
        SMS + "\n      metadata: {title: x, follow_ups: [], approved_by: null, approved_on: null, review_by: null}",
        "- channel: sms",
        "responses.utter_faq/pain.1: the metadata stands with the first variation, and only there",
    ),
    Wrong("one sentence", FAQ, "a little. Most", "a little, most", WEB, "the web wording has 1 sentence, 2 to 5 are wanted"),
    Wrong("six sentences", FAQ, "a little.", "a. B. C. D. E.", WEB[:18], "the web wording has 6 sentences, 2 to 5 are wanted"),
    Wrong(
        "long text message",
        FAQ,
        "It may prickle. Have",
        "It may prickle. " + "x" * 300,
        "- channel: sms",
        "the text message has 331 characters with the values of clinic.yml, at most 306 are allowed",
    ),
    Wrong(
        "emoji in a text message",
        FAQ,
        "Have 3",
        "\N{SLIGHTLY SMILING FACE} 3",
        "- channel: sms",
        "the text message leaves GSM-7, and would be billed double or more: \N{SLIGHTLY SMILING FACE}",
    ),
    Wrong(
        "unknown variable",
        CLINIC,
        "We are at {clinic_address}",
        "We are at {clinic adress}",
        "We are at",
        "nothing fills in {clinic adress}",
    ),
    Wrong(
        "key twice",
        FAQ,
        "        title: Does it hurt?\n",
        "        title: One\n        title: Does it hurt?\n",
        "title: Does",
        "'title' stands twice; only the last one counts",
    ),
    # approval
    Wrong(
        "half an approval",
        FAQ,
        "approved_by: null",
        "approved_by: Dr Able",
        "approved_on: null",
        "responses.utter_faq/pain.0.metadata.approved_on: is empty, although the rest of the approval is there",
    ),
    Wrong(
        "date of another form",
        "data/nlu/faq/numbing.yml",
        '"2026-01-31"',
        '"31/01/2026"',
        "31/01/2026",
        'responses.utter_faq/numbing.0.metadata.approved_on: write the date in quotes, as "2026-01-31"',
    ),
    Wrong(
        "date without quotes",
        "data/nlu/faq/numbing.yml",
        '"2026-01-31"',
        "2026-01-31",
        "2026-01-31",
        'responses.utter_faq/numbing.0.metadata.approved_on: write the date in quotes, as "2026-01-31"',
    ),
    Wrong(
        "review before approval",
        "data/nlu/faq/numbing.yml",
        "2027-01-31",
        "2026-01-31",
        "review_by",
        "responses.utter_faq/numbing.0.metadata.review_by: 2026-01-31 is not after the approval on 2026-01-31",
    ),
    # facts
    Wrong("unknown fact", FAQ, "s1-prickles,", "s1-prickles, s1-stings,", "facts:", "there is no fact s1-stings"),
    Wrong("fact twice", FAQ, "s1-prickles,", "s1-prickles, s1-prickles,", "facts:", "the fact s1-prickles stands twice"),
    Wrong("unused fact", FAQ, "s1-prickles, ", "", "id: s1-prickles", "no answer rests on the fact s1-prickles", SOURCES),
    Wrong(
        "fact id twice",
        SOURCES,
        "  - id: s2-cream",
        "  - {id: s1-visits, source: S1, heading: H, claim: C., topics: [pain]}\n  - id: s2-cream",
        "{id: s1-visits",
        "the fact s1-visits stands twice",
    ),
    Wrong("fact of no source", SOURCES, "source: S2", "source: S3", "source: S3", "there is no source S3"),
    Wrong("fact of another source", SOURCES, "source: S2", "source: S1", "id: s2-cream", "the fact s2-cream is one of S1"),
    Wrong("fact on an unknown topic", SOURCES, "[pain, numbing]", "[pain, nums]", "nums", "there is no topic nums"),
    # numbers
    Wrong(
        "wrong range",
        FAQ,
        "people have 3 to 6 visits",
        "people have 3 to 5 visits, 3 to 6 visits",
        WEB,
        "'3 to 5' stands in none of the answer's facts",
    ),
    Wrong(
        "wrong length of time",
        FAQ,
        "at least 4 days",
        "at least 4 weeks",
        WEB,
        "'at least 4 weeks' stands in none of the answer's facts",
    ),
    Wrong("lost caution", FAQ, "at least 4 days", "4 days", WEB, "'4 days' stands in none of the answer's facts"),
    Wrong(
        "vague length of time",
        FAQ,
        "It may prickle a little",
        "It may prickle a few days",
        "a few days",
        "'few days' stands in none of the answer's facts",
    ),
    Wrong(
        "number in a text message alone",
        FAQ,
        "Most people have 3 to 6 visits,",
        "Have visits",
        "- channel: sms",
        "'3 to 6' does not stand in the web wording",
    ),
    # the domain
    Wrong(
        "response that nothing says",
        "domain.yml",
        "  utter_default:",
        "  utter_bye:\n    - text: Bye.\n  utter_default:",
        "utter_bye",
        "nothing says utter_bye",
    ),
    Wrong(
        "rule says what is not there",
        RULES,
        "action: utter_greet",
        "action: utter_greeting",
        "utter_greeting",
        "there is no response utter_greeting",
    ),
    Wrong(
        "action says what is not there",
        "actions/names.py",
        '"utter_name"',
        '"utter_nome"',
        "utter_nome",
        "there is no response utter_nome",
    ),
    Wrong(
        "answer in the domain",
        "domain.yml",
        "  utter_default:",
        "  utter_faq/pain:\n    - text: Yes.\n  utter_default:",
        "utter_faq/pain",
        "utter_faq/pain belongs in data/nlu/faq/pain.yml",
    ),
    Wrong(
        "unknown choice",
        "domain.yml",
        "[faq/pain, talk",
        "[faq/pains, talk",
        "choices",
        "utter_greet: the choice faq/pains is not known, or has no title",
    ),
    Wrong(
        "variable that nothing fills in",
        "domain.yml",
        "{given_name}",
        "{gevin_name}",
        "gevin",
        "utter_name: nothing fills in {gevin_name}",
    ),
    Wrong(
        "long text message of the domain",
        "domain.yml",
        "Welcome back.",
        "Welcome" + " back" * 60,
        "Welcome",
        "utter_met_before: the text message has 307 characters with the values of clinic.yml, at most 306 are allowed",
    ),
    # other files
    Wrong(
        "wrong clinic.yml",
        "clinic.yml",
        "America/New_York",
        "New York",
        "time_zone",
        "time_zone: 'New York' is not a time zone; write it as Area/City, for example Europe/London",
    ),
    Wrong(
        "languages that are no lists",
        "data/languages.yml",
        "[bonjour]",
        "bonjour",
        "french",
        "french: Input should be a valid list",
    ),
    Wrong(
        "language without words",
        "data/languages.yml",
        "[bonjour]",
        "[]",
        "french",
        "french: List should have at least 1 item after validation, not 0",
    ),
    Wrong(
        "word that YAML takes for no",
        "data/languages.yml",
        "[bonjour]",
        "[no]",
        "french",
        "french.0: Input should be a valid string",
    ),
    # held-out questions
    Wrong(
        "question that was trained on",
        "tests/questions/pain.yml",
        "question 2 on pain",
        "Way 3 to  say pain",
        "Way 3",
        "'Way 3 to  say pain' stands in the training data, data/nlu/faq/pain.yml:7",
    ),
    Wrong(
        "too few questions",
        "tests/questions/pain.yml",
        '  - "question 2 on pain"\n',
        "",
        "web:",
        "7 questions, at least 8 are needed",
    ),
    Wrong(
        "question twice",
        "tests/questions/pain.yml",
        "short one 2 on pain",
        "Question 1 on numbing",
        "Question 1",
        "'Question 1 on numbing' stands in tests/questions/numbing.yml:2 already",
    ),
    Wrong("questions on no topic", "tests/questions/other.yml", "", questions("other"), "web:", "there is no topic other"),
]


def line_of(path: Path, needle: str) -> int:
    """The first line in which a text stands."""
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if needle in line)


def test_sound_tree_gives_no_findings(tree: Path) -> None:
    findings = check(tree, TODAY)
    assert (findings.errors, findings.warnings) == ([], [])
    assert findings.sound


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_wrong_data_is_named_with_its_line(tree: Path, wrong: Wrong) -> None:
    text = SOUND.get(wrong.file, "")
    assert wrong.old in text
    (tree / wrong.file).write_text(text.replace(wrong.old, wrong.new, 1), encoding="utf-8")
    named = wrong.named or wrong.file
    findings = check(tree, TODAY)
    assert f"{named}:{line_of(tree / named, wrong.at)}: {wrong.reason}" in findings.errors
    assert not findings.sound


def test_renamed_file_does_not_fit_its_topic(tree: Path) -> None:
    (tree / "data/nlu/faq/pain.yml").rename(tree / "data/nlu/faq/ache.yml")
    assert "data/nlu/faq/ache.yml:3: the topic of this file is faq/ache" in check(tree, TODAY).errors


def test_rules_that_are_no_yaml_are_named_alone(tree: Path) -> None:
    (tree / RULES).write_text(SOUND[RULES].replace("rules:", "rules: ["))
    [error] = check(tree, TODAY).errors
    assert error.startswith(f"{RULES}:3: not valid YAML: ")


def test_text_message_is_measured_with_the_values_of_the_clinic(tree: Path) -> None:
    (tree / "clinic.yml").write_text(SOUND["clinic.yml"].replace("The door is", "The door is " + "very " * 60))
    assert check(tree, TODAY).errors == [
        f"{CLINIC}:58: the text message has 340 characters with the values of clinic.yml, at most 306 are allowed"
    ]


def test_missing_files_are_named(tree: Path) -> None:
    for name in ("data/sources.yml", "data/languages.yml", "domain.yml", "clinic.yml", "tests/questions/pain.yml"):
        (tree / name).unlink()
    assert check(tree, TODAY).errors == [
        "clinic.yml:1: cannot be read: No such file or directory",
        "data/languages.yml:1: cannot be read: No such file or directory",
        "data/sources.yml:1: cannot be read: No such file or directory",
        "domain.yml:1: cannot be read: No such file or directory",
        "tests/questions/pain.yml:1: is missing; at least 8 questions a topic are needed",
    ]


def test_missing_topic_is_missed_by_what_refers_to_it(tree: Path) -> None:
    (tree / "data/nlu/faq/numbing.yml").unlink()
    errors = check(tree, TODAY).errors
    for place, reason in [
        ("data/nlu/faq/pain.yml:51", "the follow-up numbing is not known, or has no title"),
        ("data/sources.yml:15", "no answer rests on the fact s2-cream"),
        ("data/sources.yml:14", "there is no topic numbing"),
        ("tests/questions/numbing.yml:1", "there is no topic numbing"),
    ]:
        assert f"{place}: {reason}" in errors


def test_one_unreadable_topic_casts_no_doubt_on_the_others(tree: Path) -> None:
    path = tree / "data/nlu/faq/pain.yml"
    path.write_text(path.read_text().replace("        title: Does it hurt?\n", ""))
    assert check(tree, TODAY).errors == ["data/nlu/faq/pain.yml:49: responses.utter_faq/pain.0.metadata.title: Field required"]


def test_questions_are_checked_only_where_there_are_tests(tree: Path) -> None:
    for path in (tree / "tests/questions").iterdir():
        path.unlink()
    (tree / "tests/questions").rmdir()
    assert check(tree, TODAY).sound


def test_questions_of_another_kind_are_kept_from_the_training_too(tree: Path) -> None:
    (tree / "tests/questions/_safety.yml").write_text(questions("safety").replace("question 2 on safety", "way 3 to say pain"))
    assert check(tree, TODAY).errors == [
        "tests/questions/_safety.yml:3: 'way 3 to say pain' stands in the training data, data/nlu/faq/pain.yml:7"
    ]


def test_answer_due_for_review_is_a_warning(tree: Path) -> None:
    findings = check(tree, dt.date(2027, 1, 31))
    line = line_of(tree / "data/nlu/faq/numbing.yml", "review_by")
    assert findings.warnings == [f"data/nlu/faq/numbing.yml:{line}: the answer is due for review since 2027-01-31"]
    assert findings.summary.due == 1
    assert findings.sound


def test_wording_that_is_hard_to_read_is_a_warning(tree: Path) -> None:
    path = tree / "data/nlu/faq/numbing.yml"
    path.write_text(path.read_text().replace("Your clinician will", "Dermatological professionals individually determine"))
    [warning] = check(tree, TODAY).warnings
    line = line_of(path, "- text")
    assert warning.startswith(f"data/nlu/faq/numbing.yml:{line}: the web wording is hard to read: school year ")


def test_summary_counts_what_there_is(tree: Path) -> None:
    path = tree / "data/nlu/clinic/contact.yml"
    path.write_text(
        path.read_text().replace("Call {clinic_phone}. {clinic_dir", "Call {clinic_phone}. " + "x " * 80 + "{clinic_dir")
    )
    summary = check(tree, TODAY).summary
    assert (summary.topics, summary.examples, summary.facts, summary.unapproved, summary.due) == (3, 124, 3, 2, 0)
    assert summary.segments == {"faq/numbing": 1, "faq/pain": 1, "clinic/contact": 2}
    assert summary.median_segments == 1
    assert "  2: clinic/contact" in report(check(tree, TODAY)).splitlines()


def test_report_ends_with_the_summary(tree: Path) -> None:
    (tree / "data/languages.yml").unlink()
    assert report(check(tree, TODAY)).splitlines() == [
        "error: data/languages.yml:1: cannot be read: No such file or directory",
        "3 topics, 124 examples, 3 facts.",
        "2 answers of 3 still to be approved by the clinician, 0 due for review.",
        "Segments of a text message: 1 in the median, at most 1.",
        "1 error, 0 warnings.",
    ]


def test_empty_folder_is_reported_and_does_not_crash(tmp_path: Path) -> None:
    findings = check(tmp_path, TODAY)
    assert "domain.yml:1: cannot be read: No such file or directory" in findings.errors
    assert findings.summary.median_segments == 0


def test_the_project_itself_is_sound() -> None:
    assert check(ROOT).errors == []
