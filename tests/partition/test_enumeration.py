"""Enumeration: how many plans there are, that the best of them is best, and what the page says of IC on one device."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from math import comb

import numpy as np
import pytest

from iopt.graph import Operator
from iopt.graph.layers import Conv2d, Linear, Pool
from iopt.partition.enumeration import best_plan, every_plan, plan_at, splits
from iopt.partition.evaluation import evaluate
from iopt.partition.plan import Axis, Direct, Interval, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from tests.instances import (
    adaptive_pool,
    chain,
    cluster,
    conv,
    linear,
    max_pool,
    plan_count,
    pool,
    tiny_problem,
)
from tests.partition.reference import judge, keeps_caps

# A plain enumeration, from "Decision" in docs/partition.md and nothing else


def pieces(start: int, size: int, step: int, devices: int) -> Iterator[tuple[Interval, ...]]:
    """Every way to hand `[start, size)` to that many devices in order."""
    if devices == 1:
        yield ((start, size),)
        return
    for end in range(start, size + 1, step):
        for rest in pieces(end, size, step, devices - 1):
            yield ((start, end), *rest)


def decisions(problem: Problem, operator: Operator) -> Iterator[Split]:
    body, before, after, name = operator.body, operator.input_shapes[0], operator.output_shape, operator.name
    devices = len(problem.cluster.devices)
    groups = body.groups if isinstance(body, Conv2d) else 1
    to_one_cell = isinstance(body, Pool) and after.height == after.width == 1
    if not isinstance(body, Linear) and not to_one_cell:
        for part in pieces(0, after.height, 1, devices):
            yield Split(name, Axis.H, part)
    for part in pieces(0, after.channels, after.channels // groups if groups > 1 else 1, devices):
        yield Split(name, Axis.OC, part)
    ways: list[tuple[str | None, int]] = []
    if isinstance(body, Linear) or (isinstance(body, Conv2d) and groups == 1):
        ways.append((None, before.channels))
    if isinstance(body, Linear) and problem.along_rows and before.height > 1:
        ways.append(("rows", before.height))
    for along, size in ways:
        for part in pieces(0, size, 1, devices):
            yield Split(name, Axis.IC, part, "rows" if along else None, Direct())
            for scattered in pieces(0, after.channels, 1, devices):
                yield Split(name, Axis.IC, part, "rows" if along else None, Scatter(scattered))


def least_latency(problem: Problem, chosen: tuple[Split, ...] = ()) -> float:
    """By recursion over the operators, judged by the referee; infinite where no plan keeps the caps."""
    if len(chosen) == len(problem.operators):
        judgement = judge(problem, Plan(chosen))
        return judgement.latency_s if keeps_caps(problem, judgement) else float("inf")
    following = decisions(problem, problem.operators[len(chosen)])
    return min(least_latency(problem, (*chosen, split)) for split in following)


# Counts


@pytest.mark.parametrize("devices", [1, 2, 3])
def test_number_of_splits(devices: int) -> None:
    """`size` cells go to m devices in C(size + m - 1, m - 1) ways; IC counts once more for each scatter."""

    def ways(size: int) -> int:
        return comb(size + devices - 1, devices - 1)

    layers = [conv(4, 3), conv(4, 1, groups=2), pool(max_pool(2)), linear(3)]
    problem = Problem(chain("net", (2, 6, 6), layers), cluster((1.0,) * devices))
    counts = [len(splits(problem, index)) for index in range(4)]
    assert counts == [
        ways(4) + ways(4) + ways(2) * (1 + ways(4)),
        ways(4) + ways(2),
        ways(2) + ways(4),
        ways(3) + ways(4) * (1 + ways(3)) + ways(2) * (1 + ways(3)),
    ]


@pytest.mark.parametrize("seed", range(30))
def test_the_splits_are_those_of_the_page(seed: int) -> None:
    problem = tiny_problem(seed)
    product = 1
    for index, operator in enumerate(problem.operators):
        found = splits(problem, index)
        assert len(found) == len(set(found))
        assert set(found) == set(decisions(problem, operator))
        product *= len(found)
    assert product == plan_count(problem)


# The best plan


def assert_best(problem: Problem) -> None:
    expected, found = least_latency(problem), best_plan(problem)
    if found is None:
        assert expected == float("inf")
        return
    plan, latency = found
    judged = evaluate(problem, plan)
    assert latency == pytest.approx(expected, rel=1e-12)
    assert judged.latency_s == pytest.approx(expected, rel=1e-12)
    assert judged.is_feasible


@pytest.mark.parametrize("seed", range(12))
def test_the_best_plan_is_the_best_by_the_referee(seed: int) -> None:
    assert_best(tiny_problem(seed, operators=(1, 2), plan_limit=400))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 160))
def test_the_best_plan_is_the_best_by_the_referee_on_more(seed: int) -> None:
    assert_best(tiny_problem(seed, plan_limit=3000))


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_the_chunk_does_not_matter_and_positions_name_plans(chunk: int) -> None:
    problem = tiny_problem(3, devices=2, operators=2, plan_limit=500)
    latency = np.concatenate([costs.latency_s for costs in every_plan(problem, chunk=chunk)])
    assert len(latency) == plan_count(problem)
    for position in range(0, len(latency), 5):
        assert latency[position] == pytest.approx(evaluate(problem, plan_at(problem, position)).latency_s, rel=1e-12)


def test_no_plan_keeps_a_cap_of_one_byte() -> None:
    graph = chain("net", (2, 3, 3), [conv(2, 3), linear(2)])
    problem = Problem(graph, cluster((1.0, 1.0), memory_bytes=(1, 1)))
    assert best_plan(problem) is None


def test_too_many_plans_are_refused() -> None:
    problem = tiny_problem(5, devices=2, operators=2)
    count = plan_count(problem)
    assert best_plan(replace(problem, cluster=problem.cluster.with_memory((None, None))), limit=count) is not None
    with pytest.raises(ValueError, match=f"{count} plans are too many to enumerate; the limit is {count - 1}"):
        best_plan(problem, limit=count - 1)


# IC on one device


def on_one_device(split: Split) -> bool:
    return split.axis is Axis.IC and sum(hi > lo for lo, hi in split.intervals) == 1


def best_without_sums_of_one(problem: Problem) -> float:
    """Least latency of the plans in which no operator is split along IC with a single device."""
    options = [
        [split for split in splits(problem, index) if not on_one_device(split)]
        for index in range(len(problem.operators))
    ]
    return min(evaluate(problem, Plan(chosen)).latency_s for chosen in itertools.product(*options))


def test_partial_sums_of_one_device_can_be_cheaper_to_move_than_its_output() -> None:
    """A convolution 1x1x1 -> 1x1x1 whose pooling spreads one cell over 2x1: the pre tensor is half of the output.

    The first device has the input and computes 2 FLOPs in 2 s; the sink needs 4 bytes of partial sums at 1 byte/s and
    pools them itself: 6 s. Any other split sends the pooled tensor, 8 bytes: 10 s (the second device would compute for
    2000 s).
    """
    graph = chain("spread", (1, 1, 1), [conv(1, 1, pooling=adaptive_pool((2, 1)))])
    problem = Problem(graph, cluster((1.0, 0.001), sink=1))
    found = best_plan(problem)
    assert found is not None
    assert found[0].splits[0].axis is Axis.IC
    assert found[0].splits[0].combine == Direct()
    assert found[1] == pytest.approx(6.0)
    assert best_without_sums_of_one(problem) == pytest.approx(10.0)


def test_a_scatter_from_one_device_can_be_the_first_half_of_a_broadcast() -> None:
    """Linear 8 -> 3 on the first device, then linear 3 -> 9 on three, which all need the 3 features; no pooling at all.

    The first operator costs 48 s there, the second 18 s on three devices, and the sink then receives 12 bytes of each
    other device, all at 1 byte/s: 12 s. Between them, one device sends 2 * 12 bytes, 24 s: 102 s. A reduce-scatter of
    one feature to each, 8 s, and their concatenation, again 8 s, make 94 s.
    """
    graph = chain("broadcast", (1, 1, 8), [linear(3, bias=False), linear(9, bias=False)])
    problem = Problem(graph, cluster((1.0,) * 3, (1.0,) * 3, (100.0,) * 3))
    found = best_plan(problem)
    assert found is not None
    thirds = intervals_from((1, 1, 1))
    assert found[0].splits[0] == Split("op1", Axis.IC, intervals_from((1, 0, 0)), None, Scatter(thirds))
    assert found[1] == pytest.approx(94.0)
    assert best_without_sums_of_one(problem) == pytest.approx(102.0)
