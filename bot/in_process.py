"""Rasa's two ways out, both within this process: custom actions are run here, and what is said is collected here."""

import logging
from typing import Any

from rasa.core.actions.action import RemoteAction
from rasa.core.channels.channel import OutputChannel
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor

from actions.services import use
from clinic.services import Services

log = logging.getLogger(__name__)

# Rasa checks its own schema of an action's result at each call, which takes longer than the rest of the turn. The SDK,
# which runs in this process, has checked the events already.
RemoteAction._validate_action_result = lambda _, result: True


class InProcessActions(EndpointConfig):
    """Runs custom actions in this process; one that fails says so to the visitor instead of saying nothing."""

    def __init__(self, package: str, services: Services) -> None:
        super().__init__("in-process://actions")
        self._services = services
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(self, *_: Any, **call: Any) -> dict[str, Any]:
        """What the action named in the call returns: events and responses."""
        use(self._services)
        try:
            result: dict[str, Any] = await self._executor.run(call["json"])
            return result
        except Exception:
            # The call holds the conversation, so it is the traceback alone that is logged.
            log.exception("action=%s failed", call["json"]["next_action"])
            return {"events": [], "responses": [{"response": "utter_action_failed"}]}


class Collector(OutputChannel):
    """An output channel that keeps what is said. Its name picks the variation of the wording."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.said: list[dict[str, Any]] = []

    def name(self) -> str:
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.said.append(message)
