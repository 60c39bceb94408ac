"""A small project in which nothing is wrong, for what checks data."""

from pathlib import Path


def examples(label: str, count: int) -> str:
    """A file's examples: as many ways to ask as wanted."""
    name = label.rpartition("/")[2]
    lines = [f"      - way {number} to say {name}" for number in range(1, count + 1)]
    return "\n".join(['version: "3.1"', "nlu:", f"  - intent: {label}", "    examples: |", *lines, ""])


def questions(name: str) -> str:
    lines = [f'  - "question {number} on {name}"' for number in range(1, 5)]
    return "\n".join(["web:", *lines, "sms:", *(line.replace("question", "short one") for line in lines), ""])


PAIN = """\
responses:
  utter_faq/pain:
    - text: It may prickle a little. Most people have 3 to 6 visits, at least 4 days apart.
      metadata:
        title: Does it hurt?
        facts: [s1-prickles, s1-visits]
        follow_ups: [numbing, talk_to_human]
        approved_by: null
        approved_on: null
        review_by: null
    - channel: sms
      text: It may prickle. Have 3 to 6 visits.
"""
NUMBING = """\
responses:
  utter_faq/numbing:
    - text: A cream may be put on first. Your clinician will decide with you.
      metadata:
        title: Is it numbed?
        facts: [s2-cream]
        follow_ups: [pain, contact]
        approved_by: Dr Able
        approved_on: "2026-01-31"
        review_by: "2027-01-31"
    - channel: sms
      text: A cream may be put on first.
"""
CONTACT = """\
responses:
  utter_clinic/contact:
    - text: We are at {clinic_address}. Call us on {clinic_phone}.
      metadata:
        title: How do I reach you?
        follow_ups: [pain, numbing, talk_to_human]
        approved_by: null
        approved_on: null
        review_by: null
    - channel: sms
      text: Call {clinic_phone}.
    - condition: [{type: slot, name: clinic_has_directions, value: true}]
      text: Call us on {clinic_phone}. {clinic_directions}
    - condition: [{type: slot, name: clinic_has_directions, value: true}]
      channel: sms
      text: Call {clinic_phone}. {clinic_directions}
"""
SOUND = {
    "clinic.yml": """\
name: Made-up Clinic
country: US
time_zone: America/New_York
address: 1 Nowhere Lane
directions: The door is green.
phone: "+1 212 555 0142"
urgent_phone: "+1 212 555 0143"
email: hello@clinic.example
emergency: {number: "911", crisis_line: "988", crisis_name: the Lifeline}
hours: {monday: ["09:00-18:00"], tuesday: [], wednesday: [], thursday: [], friday: [], saturday: [], sunday: []}
services: [{id: visit, name: Visit, minutes: 30}]
""",
    "domain.yml": """\
version: "3.1"
intents:
  - faq: {use_entities: []}
  - clinic: {use_entities: []}
  - talk_to_human
  - greet
  - clarify
slots:
  first_name: {type: text, mappings: [{type: custom}]}
forms:
  name_form: {required_slots: [first_name]}
actions: [utter_faq, utter_clinic, action_name]
responses:
  utter_greet:
    - text: Hello {first_name}, this is {clinic_name}.
      metadata: {choices: [faq/pain, talk_to_human]}
    - channel: sms
      text: Hello.
  utter_talk_to_human:
    - text: Call {clinic_phone}.
      metadata: {title: Talk to a person}
  utter_name:
    - text: You are {given_name}.
  utter_ask_first_name:
    - text: What is your name?
  utter_met_before:
    - text: Welcome back.
  utter_default:
    - text: Sorry?
""",
    "data/nlu/faq/pain.yml": examples("faq/pain", 40) + PAIN,
    "data/nlu/faq/numbing.yml": examples("faq/numbing", 40) + NUMBING,
    "data/nlu/clinic/contact.yml": examples("clinic/contact", 40) + CONTACT,
    "data/nlu/talk_to_human.yml": examples("talk_to_human", 2),
    "data/nlu/greet.yml": examples("greet", 2),
    "data/stories/rules.yml": """\
version: "3.1"
rules:
  - rule: Answer
    steps: [{intent: faq}, {action: utter_faq}]
  - rule: Greet
    steps:
      - intent: greet
      - action: utter_greet
  - rule: Tell how to reach a person
    steps:
      - intent: talk_to_human
      - action: utter_talk_to_human
""",
    "data/sources.yml": """\
sources:
  - {id: S1, title: First guide, words: from the first guide, description: A guide.}
  - {id: S2, title: Second guide, words: from the second guide, description: A guide.}
facts:
  - id: s1-prickles
    source: S1
    heading: Opening
    claim: It can prickle.
    topics: [pain]
  - id: s1-visits
    source: S1
    heading: Opening
    claim: Three to six visits are usual, with at least 4 days in between.
    topics: [pain, numbing]
  - id: s2-cream
    source: S2
    heading: Opening
    claim: A cream may be put on.
    topics: [numbing]
""",
    "data/languages.yml": "spanish: [hola, gracias]\nfrench: [bonjour]\n",
    "data/entities/area.yml": "neck: {named: true, says: [neck]}\n",
    "data/phrases.yml": "- says: [ouch]\n  else: pain\n",
    "data/follow_ups/pain.yml": "- {after: what is it, says: and sore}\n",
    "actions/names.py": 'say(response="utter_name", given_name=name)\nsay(response=f"utter_met_{how}")\n',
    "bot/zones.py": 'CLARIFY = "clarify"\nKEY = "utter_action"\n',
    **{f"tests/questions/{name}.yml": questions(name) for name in ("pain", "numbing", "contact", "talk_to_human", "greet")},
}


def make(folder: Path) -> Path:
    """Writes the project into a folder."""
    for name, text in SOUND.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
