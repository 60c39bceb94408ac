"""Actions about the conversation itself: offer topics, repeat, name the sources."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

Events = list[dict[str, Any]]


class ActionOfferTopics(Action):
    """Asks which of the likeliest topics is meant."""

    def name(self) -> str:
        return "action_offer_topics"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        topics = [*tracker.latest_message["choices"], "something_else"]
        buttons = [{"title": title(topic, domain), "payload": topic} for topic in topics]
        dispatcher.utter_message(response="utter_clarify", buttons=buttons)
        return []


class ActionTellMore(Action):
    """Offers the topics that follow on from the last answer."""

    def name(self) -> str:
        return "action_tell_more"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        follow_ups = [
            topic for event in last_said(tracker) for topic in event["metadata"].get("metadata", {}).get("follow_ups", [])
        ]
        # What was said last may only have named the sources of the answer before it.
        follow_ups = follow_ups or last_answered(tracker).get("follow_ups", [])
        if follow_ups:
            dispatcher.utter_message(response="utter_more", metadata={"follow_ups": list(dict.fromkeys(follow_ups))})
        else:
            dispatcher.utter_message(response="utter_help")
        return []


class ActionRepeat(Action):
    """Says once more what was said last."""

    def name(self) -> str:
        return "action_repeat"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        said = last_said(tracker)
        for event in said:
            dispatcher.utter_message(text=event["text"], **_kept(event["metadata"]))
        if not said:
            dispatcher.utter_message(response="utter_nothing_to_repeat")
        return []


class ActionNameSources(Action):
    """Names the documents that the last answer comes from."""

    def name(self) -> str:
        return "action_name_sources"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        facts = last_answered(tracker).get("facts")
        if facts:
            dispatcher.utter_message(response="utter_sources", metadata={"facts": facts})
        else:
            dispatcher.utter_message(response="utter_no_sources")
        return []


def last_said(tracker: Tracker) -> Events:
    """The assistant's messages of the last turn in which it said something, in order."""
    said: Events = []
    for event in reversed(tracker.events):
        if event["event"] == "user" and said:
            break
        if event["event"] == "bot":
            said.insert(0, event)
    return said


def last_answered(tracker: Tracker) -> dict[str, Any]:
    """What stands with the last answer that rests on facts (title, facts, follow-ups); nothing when there was none."""
    for event in reversed(tracker.events):
        found: dict[str, Any] = (event.get("metadata") or {}).get("metadata") or {}
        # What names the sources of an answer has its facts, but is no answer.
        if event["event"] == "bot" and found.get("facts") and found.get("title"):
            return found
    return {}


def title(topic: str, domain: dict[str, Any]) -> str:
    """The title of a topic's button."""
    variations = domain["responses"][f"utter_{topic}"]
    found: str = variations[0]["metadata"]["title"]
    return found


def _kept(metadata: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": metadata.get("metadata") or {}}
