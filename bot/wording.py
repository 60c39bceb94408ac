"""The approved wording: picks the variation for the channel, fills in what the clinic is, and holds back what nobody approved."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot import sources
from bot.settings import Settings
from bot.sources import Sources
from clinic import practice
from clinic.facts import ClinicFacts

NOT_APPROVED, NO_MORE = "utter_not_approved", "utter_no_more"
# The responses that a clinician has to approve are the topics' own.
TOPICS = ("utter_faq/", "utter_clinic/")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class ApprovedWording(TemplatedNaturalLanguageGenerator):
    """Rasa's templates, with the clinic's values and the rule that unapproved answers may be held back.

    A response's metadata (title, facts, follow-ups, approval) is written once, with its first variation, and counts for
    all of them.
    """

    def __init__(
        self,
        domain: Domain,
        facts: ClinicFacts | None = None,
        known: Sources | None = None,
        require_approval: bool | None = None,
        clock: Callable[[], dt.datetime] = _now,
        **_: Any,
    ) -> None:
        """Takes what is not given (as from `endpoints.yml`) from the settings."""
        super().__init__(domain.responses)
        settings = Settings.read()
        self._facts = facts or ClinicFacts(practice.load(settings.clinic))
        self._sources = known or sources.load()
        self._require_approval = settings.require_approval if require_approval is None else require_approval
        self._clock = clock

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """The filled-in response with its metadata; None for a response that does not exist.

        An answer that has just been given begins by saying that there is no more to it.
        """
        message = tracker.latest_message
        response = self.say(utter_action, output_channel, tracker.current_slot_values() | _asked(message), **kwargs)
        answers = utter_action.startswith(TOPICS) and not self._held_back(utter_action)
        if response and answers and _last_said(tracker).endswith(response["text"]):
            lead = self.say(NO_MORE, output_channel)
            response |= {"text": f"{lead['text']} {response['text']}"} if lead else {}
        return response

    def say(self, utter_action: str, channel: str, slots: dict[str, Any] | None = None, **kwargs: Any) -> dict[str, Any] | None:
        """The same without a tracker."""
        if self._held_back(utter_action):
            utter_action = NOT_APPROVED
        metadata = kwargs.get("metadata") or self.metadata(utter_action)
        titles = "; ".join(source.title for source in self._sources.behind(metadata.get("facts", [])))
        values = (slots or {}) | self._facts.values(self._clock()) | {"source_titles": titles}
        response: dict[str, Any] | None = self.generate_from_slots(utter_action, values, channel, **kwargs)
        return response | {"metadata": metadata} if response is not None else None

    @property
    def topics(self) -> list[str]:
        """The labels of the topics that have an answer, such as `faq/pain`, in alphabetical order."""
        return sorted(name.removeprefix("utter_") for name in self.responses if name.startswith(TOPICS))

    def metadata(self, utter_action: str) -> dict[str, Any]:
        """What stands with a response: title, facts, follow_ups, choices, approval."""
        variations = self.responses.get(utter_action) or [{}]
        found: dict[str, Any] = variations[0].get("metadata") or {}
        return found

    def label(self, topic: str) -> str:
        """The label of a topic's bare id: `faq/pain` for `pain`; what is no topic of an answer stays as it is."""
        for kind in ("faq", "clinic"):
            if f"utter_{kind}/{topic}" in self.responses:
                return f"{kind}/{topic}"
        return topic

    def _held_back(self, utter_action: str) -> bool:
        approved = bool(self.metadata(utter_action).get("approved_by"))
        return self._require_approval and utter_action.startswith(TOPICS) and not approved


def _last_said(tracker: DialogueStateTracker) -> str:
    return next((event.text or "" for event in reversed(tracker.events) if isinstance(event, BotUttered)), "")


def _asked(message: UserUttered | None) -> dict[str, Any]:
    """What the visitor named in the message: `area` and `area_kind` (`named` or `unnamed`), and so on for each entity."""
    values: dict[str, Any] = {}
    for entity in message.entities if message else []:
        # The first one named counts.
        if entity["entity"] not in values:
            values |= {entity["entity"]: entity["value"], f"{entity['entity']}_kind": entity["kind"]}
    return values
