"""Windows that leave gaps, meet unevenly, or make a map larger: where inequalities about halos are easily wrong."""

from __future__ import annotations

from random import Random

import pytest
from pyomo.environ import value

from formulations import partition, partition_plain
from formulations.partition_solution import fixings
from iopt.exact import Solver
from iopt.graph import Graph
from iopt.partition.enumeration import best_plan
from iopt.partition.evaluation import evaluate
from iopt.partition.milp import solve_milp
from iopt.partition.milp_data import choices_of, partition_data
from iopt.partition.plan import Axis
from iopt.partition.problem import Problem
from iopt.result import Status
from tests.instances import adaptive_pool, chain, conv, draw_cluster, draw_plan, max_pool, pool

NETWORKS = [
    chain("grows", (2, 4, 4), [conv(2, 3, padding=1), pool(adaptive_pool((6, 4))), conv(2, 1)]),
    chain(
        "skips",
        (2, 5, 1),
        [
            conv(2, (3, 1), padding=(1, 0)),
            conv(2, (2, 1), padding=(1, 0), pooling=max_pool((2, 1), (3, 1), (1, 0))),
            conv(1, 1),
        ],
    ),
    chain("gaps", (3, 7, 1), [conv(2, 1), conv(1, 1, stride=(2, 1), pooling=max_pool((2, 1), (2, 1), (1, 0)))]),
    chain("strides", (2, 7, 1), [conv(2, (2, 1), padding=(1, 0)), conv(2, (2, 1), stride=(3, 1)), conv(1, (1, 1))]),
    chain("uneven", (1, 5, 2), [conv(2, (3, 1), padding=(1, 0), pooling=adaptive_pool((3, 1))), conv(1, (2, 1))]),
]
GRAPHS = {graph.name: graph for graph in NETWORKS}


def problem(graph: Graph, seed: int, devices: int) -> Problem:
    return Problem(graph, draw_cluster(Random(seed), graph, devices))


@pytest.mark.parametrize("name", GRAPHS)
def test_the_optimum_is_that_of_enumeration(name: str) -> None:
    by_rows = 0
    for seed in range(12):
        given = problem(GRAPHS[name], seed, 2)
        best = best_plan(given)
        assert best is not None
        result = solve_milp(given, gap=0.0)
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(best[1], rel=1e-9)
        assert all(step.bound is None or step.bound <= best[1] * (1 + 1e-8) for step in result.history)
        by_rows += any(
            split.axis is Axis.H and sum(hi > lo for lo, hi in split.intervals) > 1 for split in best[0].splits
        )
    assert by_rows


@pytest.mark.parametrize("devices", [2, 3])
@pytest.mark.parametrize("name", GRAPHS)
def test_no_plan_costs_more_in_a_formulation_than_by_the_evaluator(name: str, devices: int) -> None:
    for seed in range(3):
        given, random = problem(GRAPHS[name], seed, devices), Random(seed)
        data = partition_data(given, 1.0)
        plans = [draw_plan(random, given) for _ in range(8)]
        for build in (partition.build, partition_plain.build):
            model = build(data)
            solver = Solver(model)
            for plan in plans:
                found = solver.completed(fixings(model, data, choices_of(plan, given)))
                assert found is not None
                solver.load(found)
                assert value(model.latency) == pytest.approx(evaluate(given, plan).latency_s, rel=1e-7)
