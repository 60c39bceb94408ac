"""Stand-ins for what Rasa 3.6 imports at start and Stipple never uses.

Rasa names TensorFlow and the clients of a dozen chat platforms at import time. Each package listed here is answered
with placeholders when, and only when, it is not installed: importing it works, using it raises `NotInstalled` with
one sentence that says why. Rasa's telemetry is switched off in the same breath. The `.pth` file beside this package
registers the finder at interpreter start, so that the
`rasa` command works as it does elsewhere.
"""

import importlib.abc
import importlib.machinery
import os
import sys
import types
from typing import ClassVar

CHAT_PLATFORMS = frozenset({"aiogram", "fbmessenger", "mattermostwrapper", "rocketchat_API", "slack_sdk", "webexteamssdk"})
STORES = frozenset({"aio_pika", "aiormq", "boto3", "botocore", "pamqp", "pymongo"})
TENSORFLOW = frozenset({"tensorflow", "tensorflow_addons", "keras"})
# `google` itself is a namespace that protobuf shares, so only these two of its parts stand in.
GOOGLE = frozenset({"google.auth", "google.oauth2"})
STANDING_IN = CHAT_PLATFORMS | STORES | TENSORFLOW | GOOGLE
# Parts of Rasa that serve TensorFlow alone, and bring in scikit-learn and the most of SciPy at each start.
BATCHES = frozenset({"rasa.utils.tensorflow.model_data", "rasa.utils.tensorflow.data_generator"})
# Where Rasa's components that compute with TensorFlow stand.
COMPUTING = frozenset(
    {
        "rasa.nlu.classifiers.diet_classifier",
        "rasa.nlu.selectors.response_selector",
        "rasa.core.policies.ted_policy",
        "rasa.core.policies.unexpected_intent_policy",
    }
)


class NotInstalled(RuntimeError):
    """Something that this project leaves out was really used."""


def _why(name: str) -> str:
    root = name.split(".")[0]
    if root in TENSORFLOW or name.startswith("rasa.utils.tensorflow."):
        return _without_tensorflow(name)
    return f"Stipple does not use {root}, so {name} is not installed: use Stipple's own channels and tracker store instead."


def _without_tensorflow(name: str) -> str:
    return (
        f"Stipple runs Rasa without TensorFlow, so {name} is not available: DIETClassifier, TEDPolicy and ResponseSelector "
        "cannot be used; name bot.nlu.components.TopicClassifier and RulePolicy in config.yml instead."
    )


class _Placeholder(type):
    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(f"{cls._path}.{name}")

    def __call__(cls, *args: object, **kwargs: object) -> object:
        leaf = cls._path.rsplit(".", 1)[-1]
        if leaf == "function" and not args:  # @tf.function(...)
            return lambda decorated: decorated
        if len(args) == 1 and not kwargs and isinstance(args[0], types.FunctionType):  # @tf.function
            return args[0]
        raise NotInstalled(_why(cls._path))

    def __or__(cls, other: object) -> type:
        return cls

    __ror__ = __or__

    def __getitem__(cls, item: object) -> type:
        return cls


def _placeholder(path: str) -> type:
    # Named in `except` clauses, where only exception classes may stand.
    bases = (Exception,) if ".exceptions" in path or path.endswith("Error") else ()
    return _Placeholder(path.rsplit(".", 1)[-1], bases, {"_path": path, "__module__": path.rsplit(".", 1)[0]})


class _Module(types.ModuleType):
    __path__: ClassVar[list[str]] = []
    __version__ = "0"

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        value = _placeholder(f"{self.__name__}.{name}")
        setattr(self, name, value)
        return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        parts = name.split(".")
        if parts[0] in STANDING_IN or ".".join(parts[:2]) in GOOGLE:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _WithoutTensorFlow(importlib.abc.MetaPathFinder):
    """Leaves out what serves TensorFlow alone, and makes Rasa's check of a config refuse what computes with it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name not in {*BATCHES, "rasa.engine.validation"} or importlib.machinery.PathFinder.find_spec("tensorflow"):
            return None
        if name in BATCHES:
            return importlib.machinery.ModuleSpec(name, _Finder(), is_package=True)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec and spec.loader:
            run = spec.loader.exec_module

            def run_and_refuse(module: types.ModuleType) -> None:
                run(module)
                _refuse_in(module)

            spec.loader.exec_module = run_and_refuse
        return spec


def _refuse_in(validation: types.ModuleType) -> None:
    check = validation._validate_required_packages

    def checked(node: object) -> None:
        if any(base.__module__ in COMPUTING for base in node.uses.__mro__):
            from rasa.shared.exceptions import RasaException

            raise RasaException(_without_tensorflow(node.uses.__name__))
        check(node)

    validation._validate_required_packages = checked


# Rasa reports its use to its makers unless told otherwise; here nothing leaves the machine, whatever the command.
os.environ["RASA_TELEMETRY_ENABLED"] = "false"

# Last in line: a package that is really installed always wins.
sys.meta_path.append(_Finder())
sys.meta_path.insert(0, _WithoutTensorFlow())
