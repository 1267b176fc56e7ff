"""Plans to carry out, with weights and an input, drawn at random or over networks by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import torch

from iopt.graph import Graph
from iopt.graph.state import expected_shapes
from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluator, Phase
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.records import Record
from iopt.partition.runtime.schedule import Exchange, Schedule
from tests.importer import interpreter
from tests.instances import draw_cluster, draw_plan, draw_problem

Bytes = dict[tuple[int, int], int]


@dataclass(frozen=True)
class Case:
    problem: Problem
    plan: Plan
    state: Mapping[str, torch.Tensor]
    image: torch.Tensor

    @property
    def expected(self) -> torch.Tensor:
        """The output of the unsplit network, by the tests' own interpreter."""
        graph = self.problem.graph
        return interpreter.run_all(graph, self.state, self.image[None])[graph.outputs[-1]][0]

    @property
    def precise(self) -> Case:
        """The same in double precision: what is left is no rounding, however much of a sum cancels."""
        state = {name: tensor.double() for name, tensor in self.state.items()}
        return replace(self, state=state, image=self.image.double())


def draw_state(graph: Graph, seed: int) -> dict[str, torch.Tensor]:
    """Weights of deviation 1, variances of batch norms well above zero."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(shape, generator=generator) + 0.5
        if name.endswith("running_var")
        else torch.randn(shape, generator=generator)
        for name, shape in expected_shapes(graph).items()
    }


def case(problem: Problem, plan: Plan, seed: int) -> Case:
    state = draw_state(problem.graph, seed)
    image = torch.randn(tuple(problem.graph.input_shape), generator=torch.Generator().manual_seed(seed + 1))
    return Case(problem, plan, state, image)


def tiny_case(seed: int, devices: tuple[int, ...] = (1, 2, 2, 3, 3, 4), via: bool = True) -> Case:
    """Any plan of any tiny network, deterministic."""
    random = Random(seed)
    problem = draw_problem(random, devices, (1, 2, 3, 4, 5), caps="none")
    return case(problem, draw_plan(random, problem, via), seed)


def cases_over(graph: Graph, seed: int, count: int, devices: int = 3) -> list[Case]:
    """Any plans of this network, sources and sinks anywhere."""
    random = Random(seed)
    problems = [Problem(graph, draw_cluster(random, graph, devices)) for _ in range(count)]
    return [case(problem, draw_plan(random, problem), seed + index) for index, problem in enumerate(problems)]


def record(steps: Schedule, device: int, times_s: list[tuple[float, float]]) -> Record:
    """Of a device that took these times for its steps, and moved what it should."""
    exchanges = [step for step in steps.steps if isinstance(step, Exchange)]
    return Record(
        times_s,
        [{each.receiver: step.bytes_of(each) for each in step.out_of(device)} for step in exchanges],
        [{each.sender: step.bytes_of(each) for each in step.into(device)} for step in exchanges],
    )


def bytes_of(phase: Phase) -> Bytes:
    return {(int(k), int(j)): int(count) for (k, j), count in np.ndenumerate(phase.bytes) if count}


def predicted_bytes(case: Case) -> list[tuple[str, str, Bytes]]:
    """By the evaluator."""
    phases = Evaluator(case.problem)(case.plan).phases
    return [(phase.operator, phase.kind, bytes_of(phase)) for phase in phases]


def predicted_resident(case: Case) -> list[int]:
    """By the evaluator."""
    evaluator = Evaluator(case.problem)
    decisions = Decisions.of(case.problem, evaluator.geometry, case.plan)
    return [int(count) for count in evaluator.loaded_bytes(decisions).sum(axis=0)]


@contextmanager
def double_precision() -> Iterator[None]:
    """New tensors are of float64 meanwhile."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def difference(output: torch.Tensor, case: Case) -> float:
    """The largest one, over the largest expected value."""
    expected = case.expected
    assert output.numel() == expected.numel()
    largest = float(expected.abs().max())
    found = float((output.flatten() - expected.flatten()).abs().max())
    return found / largest if largest else found
