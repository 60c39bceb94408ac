"""What runs a turn's components and rules quicker than Rasa does gives what Rasa gives."""

import json
import random

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.rule_policy import RULES, RulePolicy
from rasa.engine.runner.dask import DaskGraphRunner

from bot.engine import Engine


@pytest.mark.parametrize("text", ["does it hurt?", "how much is it and where are you?", "my throat is closing up", "/faq", "qwx"])
async def test_the_runner_gives_what_rasas_own_gives(engine: Engine, text: str) -> None:
    ours = engine._processor.graph_runner
    rasas = DaskGraphRunner.__new__(DaskGraphRunner)
    rasas._graph_schema, rasas._instantiated_nodes, rasas._execution_context = ours._schema, ours._nodes, None
    found = await engine._processor.parse_message(UserMessage(text))
    engine._processor.graph_runner = rasas
    try:
        assert await engine._processor.parse_message(UserMessage(text)) == found
    finally:
        engine._processor.graph_runner = ours


def test_the_indexed_rules_are_those_that_rasa_finds(engine: Engine) -> None:
    [policy] = [
        node._component for node in engine._processor.graph_runner._nodes.values() if isinstance(node._component, RulePolicy)
    ]
    rules = policy.lookup[RULES]
    keys = [json.loads(key) for key in rules]
    chance = random.Random(3)
    matched = 0
    for _ in range(300):
        # What one rule asks for, sometimes cut or with another's end, as conversations are.
        states = chance.choice(keys)[-chance.randint(1, 3) :]
        if chance.random() < 0.3:
            states = [*states, chance.choice(keys)[-1]]
        found = policy._get_possible_keys(rules, states)
        assert found == RulePolicy._get_possible_keys(policy, rules, states)
        matched += bool(found)
    assert matched > 100
