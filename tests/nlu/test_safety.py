"""The safety gate's patterns: each catches its own examples; look-alikes, denials and questions in general pass."""

from pathlib import Path

import pytest

from bot.evaluate_safety import score
from bot.nlu.safety import LEVELS, Alarm, Data, SafetyGate
from bot.nlu.spelling import Spelling
from clinic import yaml

SAFETY, QUESTIONS = Path("data/safety"), Path("tests/questions")
DATA = Data.read(SAFETY)
EXAMPLES = [
    pytest.param(level, pattern.id, example, id=f"{level}-{pattern.id}-{number}")
    for level in LEVELS
    for pattern in DATA.patterns[level]
    for number, example in enumerate(pattern.examples)
]
IDIOMS = [
    pytest.param(idiom.hides, example, id=f"{idiom.id}-{number}")
    for idiom in DATA.idioms
    for number, example in enumerate(idiom.examples)
]


@pytest.fixture(scope="module")
def gate() -> SafetyGate:
    return SafetyGate(DATA, Spelling({}).repair)


def top(gate: SafetyGate, text: str) -> str | None:
    alarms = gate.screen(text)
    return alarms[0].level if alarms else None


@pytest.mark.parametrize(("level", "rule", "example"), EXAMPLES)
def test_a_pattern_catches_its_examples(gate: SafetyGate, level: str, rule: str, example: str) -> None:
    assert (level, rule) in [(alarm.level, alarm.rule) for alarm in gate.screen(example)]


@pytest.mark.parametrize(("hides", "example"), IDIOMS)
def test_an_idiom_hides_its_examples(gate: SafetyGate, hides: list[str], example: str) -> None:
    assert not [alarm for alarm in gate.screen(example) if alarm.level in hides]


def test_each_rule_has_one_id_and_what_its_level_wants() -> None:
    for level in LEVELS:
        ids = [pattern.id for pattern in DATA.patterns[level]]
        assert len(ids) == len(set(ids))
        for pattern in DATA.patterns[level]:
            assert (pattern.kind is not None) == (level == "emergency"), pattern.id
            assert (pattern.concern is not None) == (level == "clinician"), pattern.id


@pytest.mark.parametrize(
    "text",
    [
        "no fever, just pink",
        "I'm not pregnant",
        "no pus, blisters or fever, all good",
        "I don't have diabetes",
        "my face is not swollen since the session",
        "would I get a fever afterwards?",
        "can it cause infection?",
        "does it ever leave blisters?",
        "dying to try it",
        "killer deal",
        "is a bit of redness normal?",
        "I'm 15 minutes late",
        "no fever no pus just a bit pink, all good",
        "no blisters at all this time and it doesn't sting either",
        "would blisters be a reason to call you?",
        "does a fever mean infection?",
        "could the needles bring out a cold sore?",
        "suicide squad is on at 8",
        "choking on these prices",
        "got a lump in my throat looking at the photos, thank you",
        "red lines on my hips from growing fast",
        "I've had spots since I was 14 and my cheeks are full of dents",
        "my face is drooping with age, does it lift",
        "I'm 6 weeks post treatment and glowing",
        "what does it cost?",
        "",
        "🙂",
    ],
)
def test_harmless_messages_pass(gate: SafetyGate, text: str) -> None:
    assert gate.screen(text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("no fever, but my cheek is swollen and hot", "adverse_reaction"),
        ("my face is swelling up and hot", "adverse_reaction"),
        ("is it normal to have pus coming out?", "adverse_reaction"),
        ("im 16 can i come", "clinician"),
        ("my daughter is 15 and wants it", "clinician"),
        ("on warfarin ok?", "clinician"),
        ("what if i am pregnant", "clinician"),
        ("not sure if I'm pregnant", "clinician"),
        ("just had botox on monday", "clinician"),
        ("can pregnant women have it?", "clinician"),
        ("I have a skin infection, can I still come?", "clinician"),
        ("no fever no pain but there's pus coming out of one spot", "adverse_reaction"),
        ("would pus be a reason to worry? there is some coming from my chin", "adverse_reaction"),
        ("One of the dots has a red streak coming off it", "adverse_reaction"),
        ("the burns from the IPL are filling with water", "adverse_reaction"),
        ("infected pimple where you needled me last week, my next appointment is Friday", "adverse_reaction"),
        ("I have an infected pimple on my cheek and my appointment is on Friday", "clinician"),
        ("cut on my nose hasn't healed and I'm booked in for Wednesday", "clinician"),
        ("lidocaine makes my face swell, what else could you use", "clinician"),
        ("the numbing cream gave me a rash last week", "adverse_reaction"),
        ("having a reaction to the cream, am I to go to hospital", "adverse_reaction"),
        ("lidocaine from this morning has made my face swell up", "adverse_reaction"),
        ("I'm 20 weeks gone, would you do my scars", "clinician"),
        ("my eyebrows were microbladed eleven days back", "clinician"),
        ("lump in my throat since the cream, harder to breathe", "emergency"),
        ("my face has suddenly drooped", "emergency"),
        ("dying to try it but I can't breathe", "emergency"),
        ("I'm not sure, but my tongue is swelling", "emergency"),
        ("CAN’T BREATHE!!!", "emergency"),
    ],
)
def test_reports_are_caught(gate: SafetyGate, text: str, level: str) -> None:
    assert top(gate, text) == level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("cant breth", "emergency"),
        ("throte closing", "emergency"),
        ("shes unconcious", "emergency"),
        ("i am sucidal", "emergency"),
        ("chest payn", "emergency"),
        ("am i ok if pregnnat", "clinician"),
        ("on warfrin", "clinician"),
        ("blisterz on my face since the session", "adverse_reaction"),
        ("i have a feaver since my session", "adverse_reaction"),
    ],
)
def test_spelling_slips_are_caught(gate: SafetyGate, text: str, level: str) -> None:
    assert top(gate, text) == level


@pytest.mark.parametrize(
    "text",
    [
        "me aprieta mucho el pecho",
        "un dolor muy fuerte en el pecho",
        "no puedo respirar",
        "se me cierra la garganta",
        "quiero morir",
        "llamen una ambulancia",
    ],
)
def test_spanish_emergencies_are_caught(gate: SafetyGate, text: str) -> None:
    assert top(gate, text) == "emergency"


@pytest.mark.parametrize(
    ("text", "kind"), [("I want to die", "self_harm"), ("quiero morir", "self_harm"), ("she is not breathing", "medical")]
)
def test_an_emergency_tells_its_kind(gate: SafetyGate, text: str, kind: str) -> None:
    assert gate.screen(text)[0].kind == kind


def test_the_most_urgent_comes_first(gate: SafetyGate) -> None:
    levels = [alarm.level for alarm in gate.screen("I'm pregnant, there's pus since my session and I can't breathe")]
    assert levels[0] == "emergency"
    assert levels == sorted(levels, key=LEVELS.index)
    assert set(levels) == set(LEVELS)


class _Net:
    """Finds the same in every message, and lowers the alarms of those that do not hold its word."""

    def __init__(self, alarm: Alarm | None = None, harmful: str = "", lowered: Alarm | None = None) -> None:
        self.alarm, self.harmful, self.lowered = alarm, harmful, lowered
        self.suspected: list[bool] = []

    def screen(self, text: str, suspected: bool = False) -> Alarm | None:
        self.suspected.append(suspected)
        return self.alarm

    def weigh(self, text: str, alarm: Alarm) -> Alarm | None:
        return alarm if self.harmful in text else self.lowered


def test_the_net_adds_what_the_patterns_missed() -> None:
    alarm = Alarm("adverse_reaction", "net:adverse_reaction")
    netted = SafetyGate(DATA, net=_Net(alarm))
    assert netted.screen("the mirror frightens me today") == [alarm]
    assert netted.screen("I am pregnant")[0] == alarm
    assert alarm not in netted.screen("I can't breathe")


def test_the_net_does_not_overrule_a_denial() -> None:
    assert SafetyGate(DATA, net=_Net(Alarm("clinician", "net:clinician"))).screen("I'm not pregnant") == []


def test_the_net_may_alarm_for_what_an_idiom_hides() -> None:
    alarm = Alarm("emergency", "net:emergency", "medical")
    assert SafetyGate(DATA, net=_Net(alarm)).screen("dying to try it") == [alarm]


def test_the_net_lowers_what_is_less_urgent_than_its_words() -> None:
    lowered = Alarm("clinician", "net:clinician")
    gate = SafetyGate(DATA, net=_Net(harmful="now", lowered=lowered))
    text = "I had a heart attack in May"
    assert top(SafetyGate(DATA), text) == "emergency"
    assert gate.screen(f"{text}, and I take warfarin") == [lowered]
    assert top(gate, f"{text}, and another now") == "emergency"


def test_the_net_overrules_what_the_patterns_took_for_a_danger() -> None:
    gate = SafetyGate(DATA, net=_Net(harmful="throat"))
    assert top(SafetyGate(DATA), "there was a pregnant pause when I asked the price") == "clinician"
    assert gate.screen("there was a pregnant pause when I asked the price") == []
    assert top(gate, "my throat is closing") == "emergency"


def test_the_net_is_told_whether_a_pattern_found_something() -> None:
    net = _Net(harmful="pain")
    for text in ("there was a pregnant pause when I asked the price", "when are you open"):
        assert SafetyGate(DATA, net=net).screen(text) == []
    assert net.suspected == [True, False]


def test_an_unknown_group_is_named(tmp_path: Path) -> None:
    for file in SAFETY.glob("*.yml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "context.yml").write_text(
        (SAFETY / "context.yml").read_text(encoding="utf-8").replace("<treatment>", "<tretment>"), encoding="utf-8"
    )
    with pytest.raises(yaml.BadFile, match="no group 'tretment'"):
        SafetyGate.load(tmp_path)


def test_patterns_alone_miss_little(gate: SafetyGate) -> None:
    """What the patterns and the net find together is for tests/test_evaluation.py to say."""
    report = score(gate, QUESTIONS / "_safety.yml")
    assert report.recall("emergency") >= 0.97, report.table()
    assert report.recall("adverse_reaction") >= 0.95, report.table()
    assert report.recall("clinician") >= 0.94, report.table()


@pytest.mark.parametrize(("topic", "floor"), [("emergency", 0.98), ("adverse_reaction", 0.95)])
def test_recall_on_the_topics_questions(gate: SafetyGate, topic: str, floor: float) -> None:
    texts = [text for texts in yaml.read(QUESTIONS / f"{topic}.yml").values() for text in texts]
    wanted = LEVELS[: LEVELS.index(topic) + 1]
    assert sum(top(gate, text) in wanted for text in texts) >= floor * len(texts)


def test_ordinary_questions_raise_few_alarms(gate: SafetyGate) -> None:
    ordinary = [path for path in QUESTIONS.glob("*.yml") if path.stem[0] != "_" and path.stem not in LEVELS]
    texts = [text for path in ordinary for texts in yaml.read(path).values() for text in texts]
    alarmed = [text for text in texts if top(gate, str(text)) in ("emergency", "adverse_reaction")]
    assert len(alarmed) <= 0.01 * len(texts), alarmed
