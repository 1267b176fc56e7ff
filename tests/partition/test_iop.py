"""IOP's greedy: its reference points, where it pairs, and that each pair pays."""

from __future__ import annotations

from typing import Literal

import pytest

from iopt.partition.heuristics import plan_coedge, plan_iop
from iopt.partition.plan import Axis, Direct, Plan, Scatter
from iopt.partition.problem import Problem
from tests.instances import chain, cluster, conv, linear, tiny_problem
from tests.partition.networks import ALEXNET, CAL_LATENCY_MS, CAL_NETWORKS, VGG11, agrees, cal, latency_ms, mixed
from tests.partition.test_heuristics import MOBILE, lengths

Combine = Literal["direct", "scatter"]


@pytest.mark.parametrize("network", CAL_NETWORKS)
@pytest.mark.parametrize("combine", ["direct", "scatter"])
def test_reference_on_equal_devices(network: str, combine: Combine) -> None:
    problem = Problem(CAL_NETWORKS[network], cal())
    plan = plan_iop(problem, combine=combine, ratio="equal")
    assert agrees(latency_ms(problem, plan), CAL_LATENCY_MS[f"iop_equal_{combine}"][network])


def pairs(plan: Plan) -> list[int]:
    return [index - 1 for index, split in enumerate(plan.splits) if split.axis is Axis.IC]


@pytest.mark.parametrize("combine", ["direct", "scatter"])
def test_pairs_are_oc_then_ic_in_the_ratio_of_coedge(combine: Combine) -> None:
    problem = Problem(VGG11, cal())
    base, plan = plan_coedge(problem, ratio="equal"), plan_iop(problem, combine=combine, ratio="equal")
    assert pairs(plan)
    for index in pairs(plan):
        assert plan.splits[index].axis is Axis.OC
        assert plan.splits[index].intervals == plan.splits[index + 1].intervals
        expected = Direct if combine == "direct" else Scatter
        assert isinstance(plan.splits[index + 1].combine, expected)
    paired = {at for index in pairs(plan) for at in (index, index + 1)}
    assert all(plan.splits[at] == base.splits[at] for at in range(len(plan.splits)) if at not in paired)


@pytest.mark.parametrize("combine", ["direct", "scatter"])
@pytest.mark.parametrize("seed", range(40))
def test_every_pair_pays(seed: int, combine: Combine) -> None:
    """Strictly faster than without it while later operators are as in CoEdge; so the whole is not slower."""
    problem = tiny_problem(seed, devices=(2, 3, 4), operators=(3, 5), caps="none", plan_limit=10**12)
    base, plan = plan_coedge(problem), plan_iop(problem, combine=combine)
    reached = latency_ms(problem, base)
    for index in pairs(plan):
        splits = (*plan.splits[: index + 2], *base.splits[index + 2 :])
        faster = latency_ms(problem, Plan(splits))
        assert faster < reached * (1 + 1e-12)
        reached = faster
    assert latency_ms(problem, plan) == pytest.approx(reached, rel=1e-12)


def test_no_pair_where_an_axis_is_missing() -> None:
    """Depthwise and grouped convolutions have no IC, and neither has a pool."""
    plan = plan_iop(Problem(MOBILE, cluster((1e9, 1e9), (1e6, 1e6))), combine="scatter")
    assert not {index + 1 for index in pairs(plan)} & {1, 2, 3, 4, 6, 8}


def test_a_greedy_pair_takes_both_operators() -> None:
    graph = chain("wide", (8, 1, 1), [linear(512), linear(512), linear(512), linear(512)])
    problem = Problem(graph, cluster((1e6, 1e6), (1e12, 1e12)))
    plan = plan_iop(problem)
    assert pairs(plan) == [0, 2]
    assert lengths(plan.splits[0].intervals) == [256, 256]


def test_unequal_devices_pair_in_unequal_shares() -> None:
    plan = plan_iop(Problem(ALEXNET, mixed(4)))
    assert pairs(plan)
    for index in pairs(plan):
        shares = lengths(plan.splits[index].intervals)
        assert max(shares) == shares[3]


def test_a_single_convolution_is_left_alone() -> None:
    problem = Problem(chain("one", (3, 8, 8), [conv(4)]), cal(2))
    assert plan_iop(problem) == plan_coedge(problem)
