"""Rasa's graph components: thin wrappers around the plain classes beside this file, in the order of `config.yml`."""

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Self

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import encoder, follow_ups, safety_net
from bot.nlu.boundaries import BoundaryModel
from bot.nlu.classifier import Calibration, TopicModel
from bot.nlu.entities import EntityPatterns
from bot.nlu.follow_ups import FollowUpModel
from bot.nlu.questions import DANGERS, Guess, Reader
from bot.nlu.safety import Alarm, SafetyGate
from bot.nlu.safety_net import SafetyNet
from bot.nlu.spelling import Spelling
from bot.nlu.text import plain
from bot.nlu.zones import Zones, in_safety, prediction, sure_ones
from bot.settings import Settings
from bot.training import FOLLOW_UPS, component_fingerprint

# What the components hand on to each other within a message.
REPAIRED, BEFORE, ALARMS, GUESSES = "repaired_text", "before", "alarms", "guesses"
SAFETY, ENTITIES = Path("data/safety"), Path("data/entities")
# Where the metadata of a message hold the question that was answered before it, `{"text", "topic"}`.
ANSWERED = "answered"
_RECIPE = DefaultV1Recipe.ComponentType


class _Component(GraphComponent):
    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config, self._storage, self._resource = config, storage, resource

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> Self:
        return cls(config, model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Makes Rasa's cache train anew when our code or its own data have changed."""
        return component_fingerprint()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Gives each example what `process` gives each message."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        raise NotImplementedError


@DefaultV1Recipe.register([_RECIPE.MESSAGE_FEATURIZER], is_trainable=True)
class SpellingRepair(_Component):
    """Sets the normalised text of a message and of the question before it, with short forms written out and spelling repaired."""

    _spelling: Spelling

    def train(self, training_data: TrainingData) -> Resource:
        self._spelling = Spelling.of([plain(example.get("text")) for example in training_data.intent_examples])
        with self._storage.write_to(self._resource) as folder:
            (folder / "words.json").write_text(json.dumps(self._spelling.own_words))
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> Self:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            component._spelling = _spelling((folder / "words.json").read_text())
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            message.set(REPAIRED, self._spelling.read(message.get("text") or ""))
            if answered := (message.get("metadata") or {}).get(ANSWERED):
                message.set(BEFORE, self._spelling.read(answered["text"]))
        return messages


@DefaultV1Recipe.register([_RECIPE.MESSAGE_FEATURIZER], is_trainable=True)
class SafetyScreen(_Component):
    """Screens a message for danger, and for what only a clinician may decide, before anything else is made of it."""

    _gate: SafetyGate

    def train(self, training_data: TrainingData) -> Resource:
        examples = training_data.intent_examples
        words = json.dumps(Spelling.of([plain(example.get("text")) for example in examples]).own_words)
        labelled = [(example.get("text"), _label(example)) for example in examples]
        net = SafetyNet.train(safety_net.examples(SafetyGate.load(SAFETY), labelled, SAFETY), _encode, _look, SAFETY)
        with self._storage.write_to(self._resource) as folder:
            net.save(folder)
            (folder / "words.json").write_text(words)
        self._gate = SafetyGate.load(SAFETY, _spelling(words).repair, net)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> Self:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            repair = _spelling((folder / "words.json").read_text()).repair
            component._gate = SafetyGate.load(SAFETY, repair, SafetyNet.load(folder, _encode, _look, SAFETY))
        return component

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples alone: nothing that trains after this component wants their alarms."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            message.set(ALARMS, self._gate.screen(message.get("text") or ""))
        return messages


@DefaultV1Recipe.register([_RECIPE.MESSAGE_FEATURIZER], is_trainable=True)
class TopicClassifier(_Component):
    """Finds the questions of a message, and what each is about; of a short one, in the light of the question answered before."""

    _reader: Reader
    _follow_ups: FollowUpModel

    def train(self, training_data: TrainingData) -> Resource:
        examples = training_data.intent_examples
        topics = [_label(example) for example in examples]
        # Examples are learned as they were written: a repair would hide from the model what visitors really type.
        texts = [plain(example.get("text")) for example in examples]
        model, boundaries = TopicModel.train(texts, topics, _encode), BoundaryModel.train(texts, topics)
        spelling = _spelling(json.dumps(Spelling.of(texts).own_words))
        precedents = follow_ups.learned(FOLLOW_UPS, spelling)
        self._read_with(model, boundaries, FollowUpModel.train(precedents, model, self._calibration, _encode))
        with self._storage.write_to(self._resource) as folder:
            for part in (model, boundaries, self._follow_ups):
                part.save(folder)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> Self:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            model = TopicModel.load(folder, _encode)
            after = FollowUpModel.load(folder, model, component._calibration, _encode)
            component._read_with(model, BoundaryModel.load(folder), after)
        return component

    @property
    def _calibration(self) -> Calibration:
        return Calibration(**self._config["calibration"])

    def _read_with(self, model: TopicModel, boundaries: BoundaryModel, after: FollowUpModel) -> None:
        self._reader = Reader(model.score, self._calibration, boundaries.cut, after.read, **self._config["questions"])
        self._follow_ups = after

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples alone: nothing that trains after this component wants their scores."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text, alarms = message.get(REPAIRED), message.get(ALARMS)
            guesses = self._reader.read(text, in_danger=any(alarm.level in DANGERS for alarm in alarms))
            if message.get(BEFORE) and not alarms and len(guesses) == 1:
                leaning = self._follow_ups.read(text, message.get(BEFORE), message.get("metadata")[ANSWERED]["topic"])
                guesses = [leaning or guesses[0]]
            message.set(GUESSES, guesses)
        return messages


@DefaultV1Recipe.register([_RECIPE.INTENT_CLASSIFIER], is_trainable=False)
class ZoneGate(_Component):
    """Decides for each question whether to answer, to offer the likeliest topics, or to say that it does not know.

    Rasa's own commands see the first question; Stipple's engine answers all of them.
    """

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, storage, resource)
        self._zones = Zones(**config["zones"][Settings.read().strictness])

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples alone: their intents are known."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            guesses: list[Guess] = message.get(GUESSES)
            alarms: list[Alarm] = message.get(ALARMS)
            zones = self._zones if len(guesses) == 1 else self._zones.of_several()
            found = [prediction(guess.text, guess.scores.ranking, guess.confidence, zones) for guess in guesses]
            found = in_safety(sure_ones(found), alarms)
            for name, value in {**found[0], "questions": found}.items():
                if name != "text":
                    message.set(name, value, add_to_output=True)
        return messages


@DefaultV1Recipe.register([_RECIPE.ENTITY_EXTRACTOR], is_trainable=False)
class EntityExtractor(_Component):
    """Finds parts of the body, products and concerns in each question; answers take them up where the sources do."""

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, storage, resource)
        self._patterns = EntityPatterns(ENTITIES)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the examples alone: nothing learns from entities."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            questions = [question | {"entities": self._patterns.find(question["text"])} for question in message.get("questions")]
            message.set("questions", questions, add_to_output=True)
            message.set("entities", questions[0]["entities"], add_to_output=True)
        return messages


@lru_cache(maxsize=2)
def _spelling(own_words: str) -> Spelling:
    # Two components of a model use the same words, and the index of them takes a second to make.
    return Spelling(json.loads(own_words))


def _encode(text: str) -> encoder.Vector:
    return _encoder().encode(text)


def _look(text: str) -> dict[str, float]:
    return _danger_model().chances(text)


@cache
def _encoder() -> encoder.Encoder:
    # Read once: to look into the settings for each text takes a tenth of a turn.
    return encoder.Encoder(Settings.read().folder / "encoder")


@cache
def _danger_model() -> encoder.DangerModel:
    return encoder.DangerModel(Settings.read().folder / "encoder")


def _label(example: Message) -> str:
    # For `faq/pain` Rasa keeps `faq` as the intent and the whole as the response key.
    label: str = example.get("intent_response_key") or example.get("intent")
    return label
