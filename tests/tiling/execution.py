"""A configuration carried out, beside what the evaluator says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from iopt.graph import Graph
from iopt.tiling.evaluation import Evaluation, evaluate
from iopt.tiling.executor.allocator import Allocation, measure
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.scratch import scratch_limit_bytes
from iopt.tiling.executor.trial import difference
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from tests.importer import interpreter
from tests.tiling.executed import State, executed

EXECUTORS = ("lean", "torch")
TOLERANCE = 1e-5
"""Of a difference over the largest value."""


def image(graph: Graph, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, *graph.input_shape, generator=torch.Generator().manual_seed(seed))


def judged(graph: Graph, configuration: Configuration, executor: str, grid: str = "balanced") -> Evaluation:
    options: dict[str, Any] = {"predictor": executor, "grid": grid}
    return evaluate(Problem(graph, weights="none", **options), configuration)


def measured(runtime: Runtime, tensor: torch.Tensor) -> Allocation:
    """After a run, so that what a library allocates once is there."""
    runtime(tensor)
    return measure(lambda: runtime(tensor))


def assert_as_predicted(seed: int, draw: Callable[[int], tuple[Graph, State, Configuration]] = executed) -> None:
    graph, state, configuration = draw(seed)
    tensor = image(graph, seed)
    with torch.inference_mode():
        expected = interpreter.run(graph, {name: value.double() for name, value in state.items()}, tensor.double())
    for executor in EXECUTORS:
        runtime, evaluation = Runtime(graph, configuration, state, executor), judged(graph, configuration, executor)
        assert difference(runtime(tensor).double(), expected) < TOLERANCE
        assert runtime.macs == evaluation.macs
        allocation = measured(runtime, tensor)
        assert allocation.peak_bytes == evaluation.peak_bytes
        assert allocation.scratch_bytes <= scratch_limit_bytes(runtime.layers)
