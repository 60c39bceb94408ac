"""The second net: it looks closer where there is reason to, and speaks from its thresholds on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bot.nlu.encoder import DIMENSIONS, DangerModel, Vector
from bot.nlu.safety import Alarm
from bot.nlu.safety_net import LABELS, MEDICAL, NONE, SELF_HARM, Closer, SafetyNet, Threshold, joined, limits
from bot.settings import Settings
from clinic import yaml

SAFETY = Path("data/safety")
ALL = (MEDICAL, SELF_HARM, "adverse_reaction", "clinician", NONE)
THRESHOLDS = {level: Threshold(level=level, reason="a test's", alarms=0.4, overrules=0.8) for level in LABELS}
# So little weight that the closer look decides by itself, and so much.
GLANCE, CLOSER = Closer(unless=0.5, weight=0.001), Closer(unless=0.5, weight=0.999)


def encode(text: str) -> Vector:
    """Texts that begin alike are near each other."""
    vector = np.random.default_rng(ord(text[0])).normal(size=DIMENSIONS).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def sure_of(label: str) -> dict[str, float]:
    return {other: 0.96 if other == label else 0.01 for other in ALL}


class Look:
    """A closer look that is sure of one label, and counts how often it was taken."""

    def __init__(self, label: str) -> None:
        self.label, self.taken = label, 0

    def __call__(self, text: str) -> dict[str, float]:
        self.taken += 1
        return sure_of(self.label)


@pytest.fixture(scope="module")
def net() -> Callable[[Look, Closer], SafetyNet]:
    words = dict(zip(ALL, ("medical", "self_harm", "reaction", "clinician", "none"), strict=True))
    examples = {label: [f"{word} {word[0] * n}" for n in range(1, 15)] for label, word in words.items()}
    trained = SafetyNet.train(examples, encode, sure_of, SAFETY)
    return lambda look, closer: SafetyNet(trained._model, look, closer, THRESHOLDS)


def test_what_is_surely_harmless_at_a_glance_is_not_looked_at_closely(net: Callable[[Look, Closer], SafetyNet]) -> None:
    look = Look(MEDICAL)
    assert net(look, CLOSER).screen("none nnnnn") is None
    assert look.taken == 0


def test_what_a_pattern_found_is_looked_at_closely(net: Callable[[Look, Closer], SafetyNet]) -> None:
    alarm = net(Look(MEDICAL), CLOSER).screen("none nnnnn", suspected=True)
    assert alarm
    assert (alarm.level, alarm.rule, alarm.kind) == ("emergency", "net:emergency", MEDICAL)


@pytest.mark.parametrize("text", ["\U00020000" * 50, "你好", "1234", "?", ""])
def test_net_says_nothing_of_a_script_that_it_has_not_learned(net: Callable[[Look, Closer], SafetyNet], text: str) -> None:
    assert net(Look(MEDICAL), CLOSER).screen(text, suspected=True) is None


def test_closer_look_takes_back_what_the_glance_feared(net: Callable[[Look, Closer], SafetyNet]) -> None:
    look = Look(NONE)
    assert net(look, GLANCE).screen("medical mmmmm")
    assert net(look, CLOSER).screen("medical mmmmm") is None


@pytest.mark.parametrize(("label", "level"), [(label, level) for level, labels in LABELS.items() for label in labels])
def test_each_label_alarms_at_its_level(net: Callable[[Look, Closer], SafetyNet], label: str, level: str) -> None:
    alarm = net(Look(label), CLOSER).screen("medical mmmmm")
    assert alarm
    assert alarm.level == level
    assert alarm.kind == (label if level == "emergency" else None)


HEART, RASH = Alarm("emergency", "heart_attack_or_stroke", "medical"), Alarm("adverse_reaction", "rash")


def test_pattern_is_overruled_where_a_message_is_surely_harmless(net: Callable[[Look, Closer], SafetyNet]) -> None:
    assert net(Look(NONE), CLOSER).weigh("medical mmmmm", HEART) is None
    assert net(Look(NONE), CLOSER).weigh("medical mmmmm", RASH) is None


def test_alarm_is_lowered_where_something_less_urgent_is_surely_meant(net: Callable[[Look, Closer], SafetyNet]) -> None:
    assert net(Look("clinician"), CLOSER).weigh("none nnnnn", HEART) == Alarm("clinician", "net:clinician")
    assert net(Look("adverse_reaction"), CLOSER).weigh("none nnnnn", HEART) == Alarm("adverse_reaction", "net:adverse_reaction")
    assert net(Look("clinician"), CLOSER).weigh("none nnnnn", RASH) == Alarm("clinician", "net:clinician")


@pytest.mark.parametrize("alarm", [HEART, RASH, Alarm("clinician", "pregnant")])
def test_alarm_stays_where_something_as_urgent_may_be_meant(net: Callable[[Look, Closer], SafetyNet], alarm: Alarm) -> None:
    assert net(Look(MEDICAL), CLOSER).weigh("none nnnnn", alarm) == alarm
    assert net(Look(SELF_HARM), GLANCE).weigh("medical mmmmm", alarm) == alarm


def test_one_text_is_looked_at_once(net: Callable[[Look, Closer], SafetyNet]) -> None:
    look = Look(NONE)
    asked = net(look, CLOSER)
    for level in LABELS:
        asked.weigh("medical mmmmm", Alarm(level, "a_rule"))
    asked.screen("medical mmmmm", suspected=True)
    assert look.taken == 1


def test_both_looks_count_by_their_weight() -> None:
    even = joined(sure_of(NONE), sure_of(MEDICAL), 0.5)
    assert even[NONE] == pytest.approx(even[MEDICAL])
    assert sum(even.values()) == pytest.approx(1)
    tilted = joined(sure_of(NONE), sure_of(MEDICAL), 0.7)
    assert tilted[MEDICAL] > tilted[NONE] > tilted["clinician"]


def test_missing_level_is_named(tmp_path: Path) -> None:
    landed = (SAFETY / "net.yml").read_text(encoding="utf-8")
    (tmp_path / "net.yml").write_text(landed.replace("level: clinician", "level: emergency"), encoding="utf-8")
    with pytest.raises(yaml.BadFile, match="no threshold for clinician"):
        limits(tmp_path)


def test_model_of_dangers_knows_the_labels_and_nothing_else() -> None:
    model = DangerModel(Settings.read().folder / "encoder")
    chances = model.chances("does it hurt?")
    assert set(chances) == set(ALL)
    assert sum(chances.values()) == pytest.approx(1, abs=1e-4)
    assert max(chances, key=chances.__getitem__) == NONE


@pytest.mark.parametrize("text", ["", "?", "\U0001f642", "a" * 5000])
def test_model_of_dangers_reads_anything(text: str) -> None:
    assert set(DangerModel(Settings.read().folder / "encoder").chances(text)) == set(ALL)
