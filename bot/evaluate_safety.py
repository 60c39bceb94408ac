"""How well the safety gate does on questions that it has not seen: what it misses, and where it sees danger and none is."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.nlu.safety import LEVELS, Alarm, Level
from clinic import yaml

LOOKALIKE = "lookalike"
# No pattern, and no net, raised this alarm.
NOTHING = "-"


class Screen(Protocol):
    """What is measured: the gate, or anything that screens as it does."""

    def screen(self, text: str) -> list[Alarm]:
        """The alarms of a message, the most urgent first."""


@dataclass(frozen=True)
class Judged:
    """A message that was not taken as it should be: the level wanted (none for a look-alike), the level and rule that came."""

    text: str
    wanted: Level | None
    got: Level | None
    rule: str


@dataclass
class Report:
    """The outcome of a set of questions, by level."""

    asked: dict[str, int] = field(default_factory=dict)
    caught: dict[str, int] = field(default_factory=dict)
    misses: list[Judged] = field(default_factory=list)
    false_alarms: list[Judged] = field(default_factory=list)

    def recall(self, level: Level) -> float:
        """The share of a level's messages that raised its alarm, or a more urgent one; 1 when there are none."""
        return self.caught.get(level, 0) / self.asked[level] if self.asked.get(level) else 1.0

    @property
    def false_alarm_rate(self) -> float:
        """The share of the look-alikes that raised any alarm."""
        return len(self.false_alarms) / self.asked[LOOKALIKE] if self.asked.get(LOOKALIKE) else 0.0

    def table(self) -> str:
        """The figures, then each miss and each false alarm with the rule that fired."""
        lines = [f"{'level':<18}{'asked':>6}{'caught':>8}{'recall':>9}"]
        lines += [
            f"{level:<18}{self.asked[level]:>6}{self.caught.get(level, 0):>8}{self.recall(level):>9.1%}"
            for level in LEVELS
            if self.asked.get(level)
        ]
        if self.asked.get(LOOKALIKE):
            alarms = len(self.false_alarms)
            lines += [f"{LOOKALIKE:<18}{self.asked[LOOKALIKE]:>6}{alarms:>8}{self.false_alarm_rate:>9.1%}  false alarms"]
        lines += [f"missed {case.wanted}: {case.text!r} -> {case.got or 'no alarm'} ({case.rule})" for case in self.misses]
        lines += [f"false {case.got}: {case.text!r} ({case.rule})" for case in self.false_alarms]
        return "\n".join(lines)


def score(gate: Screen, questions: Path) -> Report:
    """Screens the questions of a file with the keys emergency, adverse_reaction, clinician and lookalike, each a list.

    A more urgent alarm than wanted counts as caught, except for clinician: there it would frighten without need.

    Raises:
        clinic.yaml.BadFile: the file cannot be read.
    """
    content: dict[str, list[str]] = yaml.read(questions)
    report = Report()
    for level in LEVELS:
        for text in content.get(level) or []:
            alarm = next(iter(gate.screen(text)), None)
            report.asked[level] = report.asked.get(level, 0) + 1
            if alarm is not None and (alarm.level == level or (level == "adverse_reaction" and alarm.level == "emergency")):
                report.caught[level] = report.caught.get(level, 0) + 1
            else:
                report.misses.append(Judged(text, level, alarm.level if alarm else None, alarm.rule if alarm else NOTHING))
    for text in content.get(LOOKALIKE) or []:
        report.asked[LOOKALIKE] = report.asked.get(LOOKALIKE, 0) + 1
        if alarms := gate.screen(text):
            report.false_alarms.append(Judged(text, None, alarms[0].level, alarms[0].rule))
    return report
