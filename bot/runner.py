"""Runs the trained graph: its components one after another in this thread, in an order found once.

Rasa's own runner has Dask schedule each run anew, which takes longer than most components do.
"""

from functools import cache
from typing import Any, Self

from rasa.engine.graph import ExecutionContext, GraphNodeHook, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage


class StraightRunner(GraphRunner):
    """Runs the components of a graph that Rasa has loaded."""

    def __init__(self, loaded: DaskGraphRunner) -> None:
        self._schema, self._nodes = loaded._graph_schema, loaded._instantiated_nodes
        self._ordered = cache(self._order)

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> Self:
        """Loads the components of a graph."""
        return cls(DaskGraphRunner.create(graph_schema, model_storage, execution_context, hooks))

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """The outputs of some components, for what is given by the names that components ask for it."""
        wanted = tuple(targets or self._schema.target_names)
        outputs = {name: (name, value) for name, value in (inputs or {}).items()}
        for name, needs in self._ordered(wanted):
            outputs[name] = self._nodes[name](*(outputs[need] for need in needs))
        return dict(outputs[name] for name in wanted)

    def _order(self, targets: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        """The components that some outputs take, each with what it needs, after those that it needs."""
        nodes = self._schema.minimal_graph_schema(list(targets)).nodes
        found: dict[str, list[str]] = {}

        def add(name: str) -> None:
            if name in nodes and name not in found:
                needs = list(nodes[name].needs.values())
                for need in needs:
                    add(need)
                found[name] = needs

        for target in targets:
            add(target)
        return list(found.items())
