"""The evaluator against the slow referee, and against plans that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iopt.errors import PlanError
from iopt.partition.evaluation import Evaluation, Evaluator, evaluate
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split
from iopt.partition.problem import Problem
from tests.instances import (
    batch,
    chain,
    cluster,
    conv,
    draw_plan,
    draw_problem,
    linear,
    max_pool,
    plans,
    pool,
    problems,
    rescaled,
    tiny_problem,
)
from tests.partition.reference import Judgement, judge

EXACT = 1e-12
SETTINGS = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def bytes_of(evaluation: Evaluation) -> list[tuple[str, str, dict[tuple[int, int], int]]]:
    """Operator, kind and bytes from k to j of every phase."""
    return [
        (phase.operator, phase.kind, {(int(k), int(j)): int(phase.bytes[k, j]) for k, j in np.argwhere(phase.bytes)})
        for phase in evaluation.phases
    ]


def assert_agree(evaluation: Evaluation, judgement: Judgement) -> None:
    assert bytes_of(evaluation) == [(phase.operator, phase.kind, phase.bytes) for phase in judgement.phases]
    assert list(evaluation.memory_bytes.values()) == judgement.memory_bytes
    times = [phase.time_s for phase in evaluation.phases]
    assert times == pytest.approx([phase.time_s for phase in judgement.phases], rel=EXACT)
    assert evaluation.compute_by_operator_s == pytest.approx(judgement.compute_s, rel=EXACT)
    assert evaluation.latency_s == pytest.approx(judgement.latency_s, rel=EXACT)
    assert evaluation.latency_s == pytest.approx(evaluation.compute_s + evaluation.transfer_s, rel=EXACT)


# Any network, cluster and plan


@settings(SETTINGS, max_examples=300)
@given(st.data())
def test_the_evaluator_agrees_with_the_referee(data: st.DataObject) -> None:
    problem = data.draw(problems(devices=(1, 2, 3), plan_limit=10**7))
    for _ in range(2):
        plan = data.draw(plans(problem, via=True))
        assert_agree(evaluate(problem, plan), judge(problem, plan))


@pytest.mark.full
@pytest.mark.parametrize("start", range(0, 8000, 1000))
def test_the_evaluator_agrees_with_the_referee_on_many(start: int) -> None:
    for seed in range(start, start + 1000):
        rng = Random(seed)
        problem = draw_problem(rng, devices=(1, 2, 3, 4, 5), plan_limit=10 ** rng.choice((3, 5, 7, 9)))
        evaluator = Evaluator(problem)
        for _ in range(4):
            plan = draw_plan(rng, problem, via=True)
            assert_agree(evaluator(plan), judge(problem, plan))


def test_random_plans_meet_everything_that_the_page_names() -> None:
    """Otherwise the agreement above says little."""
    met: set[str] = set()
    for seed in range(200):
        rng = Random(seed)
        problem = draw_problem(rng, devices=(2, 3))
        network = problem.cluster.network
        met |= {f"charge {network.charge}", f"medium {network.medium}", f"memory {problem.memory}"}
        met |= {"source is sink" if problem.cluster.source == problem.cluster.sink else "source is not sink"}
        plan = draw_plan(rng, problem, via=True)
        met |= {phase.kind for phase in judge(problem, plan).phases}
        for split in plan.splits:
            combine = type(split.combine).__name__ if split.combine else ""
            met |= {" ".join(filter(None, (split.axis, split.along, combine, split.via)))}
    assert met >= {
        *("charge phase", "charge peer", "medium switched", "medium shared", "memory live", "memory paper"),
        *("source is sink", "source is not sink", "input", "transfer", "scatter", "gather", "output"),
        *("H", "OC", "IC Direct", "IC Scatter", "IC rows Direct", "IC rows Scatter"),
        *("H source", "OC source", "IC Scatter source", "IC rows Scatter source"),
    }


@settings(SETTINGS, max_examples=40)
@given(st.data())
def test_many_plans_at_once_cost_what_each_costs_alone(data: st.DataObject) -> None:
    problem = data.draw(problems(plan_limit=10**6))
    several = [data.draw(plans(problem, via=True)) for _ in range(4)]
    costs = batch(problem, several)
    for index, plan in enumerate(several):
        alone = evaluate(problem, plan)
        assert costs.latency_s[index] == pytest.approx(alone.latency_s, rel=EXACT)
        assert costs.memory_bytes[index].tolist() == list(alone.memory_bytes.values())
        moved = costs.moves[index].sum() + costs.scatter[index].sum() + costs.gather[index].sum()
        assert moved == alone.bytes


@pytest.mark.parametrize("seconds", [1e-9, 1e-6, 1e-3, 1e3])
def test_times_scale_with_rates_and_bytes_do_not(seconds: float) -> None:
    for seed in range(30):
        problem = tiny_problem(seed)
        plan = draw_plan(Random(seed), problem, via=True)
        one, other = evaluate(problem, plan), evaluate(rescaled(problem, seconds), plan)
        assert other.latency_s == pytest.approx(one.latency_s * seconds, rel=EXACT)
        assert other.compute_by_operator_s == pytest.approx([t * seconds for t in one.compute_by_operator_s], rel=EXACT)
        assert [p.time_s for p in other.phases] == pytest.approx([p.time_s * seconds for p in one.phases], rel=EXACT)
        assert bytes_of(other) == bytes_of(one)
        assert other.memory_bytes == one.memory_bytes


# Numbers by hand


# Plans that do not fit


def wrong(index: int, **changes: object) -> Callable[[Plan], Plan]:
    def changed(plan: Plan) -> Plan:
        splits = list(plan.splits)
        splits[index] = replace(splits[index], **changes)  # type: ignore[arg-type]
        return Plan(tuple(splits))

    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: Plan(plan.splits[::-1]), "the plan is not for net: its operators are not op1, op2, op3, op4"),
        (lambda plan: Plan(plan.splits[:-1]), "the plan is not for net"),
        (wrong(0, operator="other"), "the plan is not for net"),
        (wrong(3, axis=Axis.H), "operator 'op4': axis H is not one it may take"),
        (wrong(2, axis=Axis.IC, combine=Direct()), "operator 'op3': axis IC is not one it may take"),
        (
            wrong(0, axis=Axis.IC, along="rows", combine=Direct()),
            "operator 'op1': axis IC along rows is not one it may take",
        ),
        (wrong(3, axis=Axis.OC, along="rows"), "operator 'op4': axis OC along rows is not one it may take"),
        (wrong(0, intervals=((0, 1), (2, 4))), r"operator 'op1': intervals: \[2, 4\] does not continue at 1"),
        (wrong(0, intervals=((0, 3), (2, 4))), r"operator 'op1': intervals: \[2, 4\] does not continue at 3"),
        (wrong(0, intervals=((0, 3), (3, 2))), r"operator 'op1': intervals: \[3, 2\] does not continue at 3"),
        (wrong(0, intervals=((0, 1), (1, 3))), "operator 'op1': intervals: they end at 3; expected 4"),
        (wrong(0, intervals=((0, 1), (1, 5))), "operator 'op1': intervals: they end at 5; expected 4"),
        (wrong(0, intervals=((0, 4),)), "operator 'op1': intervals: 1 given for 2 devices"),
        (
            wrong(1, intervals=((0, 1), (1, 4))),
            r"operator 'op2': intervals: 1 is not on a group boundary \(a multiple of 2\)",
        ),
        (wrong(0, combine=Direct()), "operator 'op1': combine belongs to axis IC, and to it alone"),
        (wrong(3, combine=None), "operator 'op4': combine belongs to axis IC, and to it alone"),
        (
            wrong(3, combine=Scatter(((0, 1), (1, 2)))),
            "operator 'op4': combine.intervals: they end at 2; expected 3",
        ),
        (wrong(3, via="source"), "operator 'op4': via needs a tensor, combine direct leaves partial sums"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(change: Callable[[Plan], Plan], message: str) -> None:
    layers = [conv(4, 3, padding=1), conv(4, 1, groups=2), pool(max_pool(2)), linear(3)]
    problem = Problem(chain("net", (2, 4, 4), layers), cluster((1.0, 1.0)))
    plan = Plan(
        (
            Split("op1", Axis.OC, ((0, 1), (1, 4))),
            Split("op2", Axis.OC, ((0, 2), (2, 4))),
            Split("op3", Axis.OC, ((0, 2), (2, 4))),
            Split("op4", Axis.IC, ((0, 2), (2, 4)), None, Direct()),
        )
    )
    evaluate(problem, plan)
    with pytest.raises(PlanError, match=message):
        evaluate(problem, change(plan))


def test_along_rows_is_refused_where_the_problem_leaves_it_out() -> None:
    graph = chain("net", (2, 2, 1), [linear(3)])
    plan = Plan((Split("op1", Axis.IC, ((0, 1), (1, 2)), "rows", Direct()),))
    evaluate(Problem(graph, cluster((1.0, 1.0))), plan)
    with pytest.raises(PlanError, match="axis IC along rows is not one it may take"):
        evaluate(Problem(graph, cluster((1.0, 1.0)), along_rows=False), plan)
