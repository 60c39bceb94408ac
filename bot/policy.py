"""Rasa's rules, found by what they begin with."""

import json
from typing import Any

from rasa.core.policies.rule_policy import SHOULD_NOT_BE_SET, RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

State = dict[str, Any]
Index = dict[tuple[str | None, str | None], list[str]]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class IndexedRulePolicy(RulePolicy):
    """Rasa's rule policy, which goes through all rules at each step; here, through those for the last action and intent."""

    def _get_possible_keys(self, lookup: dict[str, str], states: list[State]) -> set[str]:
        if states:
            index, last = self._index(lookup), states[-1]
            action, intent = _action(last), (last.get(USER) or {}).get(INTENT)
            keys = [*index.get((action, None), ()), *(index.get((action, intent), ()) if intent else ())]
            lookup = {key: lookup[key] for key in keys}
        found: set[str] = super()._get_possible_keys(lookup, states)
        return found

    def _index(self, lookup: dict[str, str]) -> Index:
        """The rules by the action and the intent that their last state asks for; no intent where it asks for none."""
        # A policy has two tables of rules, which stay as they are once it has learned.
        known: dict[int, tuple[dict[str, str], int, Index]] = self.__dict__.setdefault("_indices", {})
        of, count, index = known.get(id(lookup), ({}, -1, {}))
        if of is not lookup or count != len(lookup):
            index = {}
            for key in lookup:
                state = json.loads(key)[-1]
                intent = (state.get(USER) or {}).get(INTENT)
                index.setdefault((_action(state), None if intent == SHOULD_NOT_BE_SET else intent), []).append(key)
            known[id(lookup)] = (lookup, len(lookup), index)
        return index


def _action(state: State) -> str | None:
    # There is none where a conversation begins.
    found: str | None = (state.get(PREVIOUS_ACTION) or {}).get(ACTION_NAME)
    return found
