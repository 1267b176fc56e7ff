"""The papers' networks, whole modules of PyTorch, carried out as every method plans them."""

from __future__ import annotations

import pytest
import torch

from iopt import zoo
from iopt.inference import run
from iopt.partition.evaluation import Evaluator
from iopt.partition.methods import solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.local import LocalRun
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import StateWeights
from iopt.result import Status
from tests.partition.networks import cal, mixed
from tests.partition.runtime.cases import bytes_of

METHODS = ("single", "oc", "coedge", "modnn", "iop", "dp")
CLUSTERS = {"cal4": cal(), "mixed4": mixed(4)}
SHAPES = {"lenet": (1, 1, 28, 28), "alexnet": (1, 3, 63, 63), "vgg11": (1, 3, 64, 64)}


def planned(name: str, cluster: str, method: str) -> tuple[Problem, Plan]:
    problem = Problem(zoo.graph(name, SHAPES[name]), CLUSTERS[cluster])
    plan = solve(problem, method).plan
    assert plan is not None
    return problem, plan


@pytest.mark.parametrize(
    "name", ["lenet", *(pytest.param(name, marks=pytest.mark.full) for name in ("alexnet", "vgg11"))]
)
def test_every_method_on_one_machine(name: str) -> None:
    module, image = zoo.build(name, 3), torch.randn(SHAPES[name], generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = module(image).flatten()
    weights = StateWeights(module.state_dict())
    for cluster in CLUSTERS:
        for method in METHODS:
            problem, plan = planned(name, cluster, method)
            output, moved = LocalRun(schedule(problem, plan), weights)(image[0])
            assert float((output.flatten() - expected).abs().max() / expected.abs().max()) < 1e-5
            phases = [(phase.operator, phase.kind, bytes_of(phase)) for phase in Evaluator(problem)(plan).phases]
            assert [(step.operator, step.kind, pairs) for step, pairs in moved] == phases


@pytest.mark.full
@pytest.mark.parametrize("name", SHAPES)
def test_the_fastest_plan_on_real_processes(name: str) -> None:
    carry_out(name, *planned(name, "mixed4", "dp"))


@pytest.mark.full
@pytest.mark.parametrize("name", ["lenet", "alexnet"])
def test_a_plan_that_is_proved_on_real_processes(name: str) -> None:
    problem = Problem(zoo.graph(name, SHAPES[name]), mixed(2))
    result = solve(problem, "milp", time_limit_s=120.0, gap=0.01)
    assert result.status is Status.OPTIMAL
    assert result.plan is not None
    carry_out(name, problem, result.plan)


def carry_out(name: str, problem: Problem, plan: Plan) -> None:
    found = run(plan, zoo.build(name, 3), torch.ones(SHAPES[name]), problem=problem, verify=True, repeat=2)
    assert found.difference is not None
    assert found.difference < 1e-5
    assert found.bytes_agree
    assert found.resident_bytes == found.predicted_resident_bytes
    assert found.peak_memory_bytes == found.predicted_memory_bytes["runtime"]
    assert found.outputs.shape == zoo.build(name, 3)(torch.ones(SHAPES[name])).shape
    assert len(found.latencies_s) == 2
