"""Rounding, the baselines, and what holds for the plans of every heuristic."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.cluster import Charge
from iopt.graph.layers import Linear
from iopt.partition.evaluation import evaluate
from iopt.partition.heuristics import plan_coedge, plan_iop, plan_modnn, plan_oc, plan_single
from iopt.partition.heuristics.shares import earliest_shares, round_shares
from iopt.partition.plan import Axis, Plan
from iopt.partition.problem import Problem
from tests.instances import adaptive_pool, chain, cluster, conv, draw_problem, linear, max_pool, norm, pool
from tests.partition.networks import CAL_LATENCY_MS, CAL_NETWORKS, LENET, VGG11, agrees, cal, latency_ms, mixed

Heuristic = Callable[[Problem], Plan]
HEURISTICS: dict[str, Heuristic] = {
    "single": plan_single,
    "oc": plan_oc,
    "modnn": plan_modnn,
    "coedge": plan_coedge,
    "coedge_oc": lambda problem: plan_coedge(problem, fc="oc"),
    "coedge_equal": lambda problem: plan_coedge(problem, ratio="equal"),
    "iop": plan_iop,
    "iop_scatter": lambda problem: plan_iop(problem, combine="scatter", fc="oc"),
}
MOBILE = chain(
    "mobile",
    (4, 13, 9),
    [
        conv(8, 3, 2, 1, norm=True),
        conv(8, 3, 1, 1, groups=8),
        pool(max_pool(3, 2, 1)),
        norm(),
        conv(12, 1, groups=4),
        conv(6, 1),
        pool(adaptive_pool(1)),
        linear(5),
        norm(),
    ],
)


def lengths(intervals: tuple[tuple[int, int], ...]) -> list[int]:
    return [hi - lo for lo, hi in intervals]


@given(
    st.integers(0, 300),
    st.integers(1, 7),
    st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=1, max_size=8).filter(any),
)
def test_rounded_shares_are_whole_units_near_their_quota(blocks: int, unit: int, weights: list[float]) -> None:
    shares = round_shares(blocks * unit, np.array(weights), unit)
    quota = blocks * np.array(weights) / sum(weights)
    assert shares.sum() == blocks * unit
    assert not (shares % unit).any()
    assert (abs(shares / unit - quota) < 1 + 1e-6).all()
    assert not shares[np.array(weights) == 0].any()


def test_ties_go_to_the_earlier_device_whatever_the_rounding_of_weights() -> None:
    assert round_shares(14, np.array([1.0, 1.0, 1.0, 1.0])).tolist() == [4, 4, 3, 3]
    assert round_shares(14, np.array([0.1, 0.1, 0.1 + 1e-17, 0.3 - 0.2])).tolist() == [4, 4, 3, 3]
    assert round_shares(5, np.array([[1, 3, 0], [0, 1, 1]])).tolist() == [[1, 4, 0], [0, 3, 2]]


@given(
    st.integers(0, 40), st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 4.0]), min_size=1, max_size=5).filter(any)
)
def test_earliest_shares_are_done_as_early_as_can_be(size: int, rates: list[float]) -> None:
    """In less time fewer units than there are would be done."""
    speeds = np.array(rates)
    shares = earliest_shares(size, speeds)
    assert shares.sum() == size and not shares[speeds == 0].any()
    last = max((share / rate for share, rate in zip(shares, rates, strict=True) if rate), default=0.0)
    assert sum(math.ceil(last * rate * (1 - 1e-9)) - 1 for rate in rates if rate) < max(size, 1)


def test_earliest_shares_go_to_the_earlier_device_where_tied() -> None:
    assert earliest_shares(13, np.array([1.0, 2.0, 1.5, 4.0])).tolist() == [1, 3, 2, 7]
    assert earliest_shares(5, np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])).tolist() == [[3, 2, 0], [2, 2, 1]]


@pytest.mark.parametrize("network", CAL_NETWORKS)
@pytest.mark.parametrize("name", ["single", "oc"])
def test_baselines_on_equal_devices(name: str, network: str) -> None:
    problem = Problem(CAL_NETWORKS[network], cal())
    assert agrees(latency_ms(problem, HEURISTICS[name](problem)), CAL_LATENCY_MS[name][network])


def test_single_takes_the_fastest_device_that_has_the_memory() -> None:
    free = Problem(LENET, mixed(4))
    fastest = plan_single(free)
    assert all(lengths(split.intervals)[3] == split.intervals[-1][1] for split in fastest.splits)
    capped = Problem(LENET, mixed(4).with_memory((10**8, 10**8, 10**8, 10**6)))
    assert evaluate(capped, fastest).violations
    assert evaluate(capped, plan_single(capped)).is_feasible
    nowhere = Problem(LENET, mixed(4).with_memory((1000,) * 4))
    assert plan_single(nowhere) == fastest


def test_oc_follows_speed_on_group_boundaries() -> None:
    problem = Problem(MOBILE, cluster((1.0, 3.0)))
    shares = {split.operator: lengths(split.intervals) for split in plan_oc(problem).splits}
    assert shares["op2"] == [2, 6]
    assert shares["op5"] == [3, 9]


def test_modnn_goes_through_the_source() -> None:
    problem = Problem(VGG11, mixed(4))
    plan = plan_modnn(problem)
    assert {split.via for split in plan.splits} == {"source"}
    for operator, split in zip(problem.operators, plan.splits, strict=True):
        is_linear = isinstance(operator.body, Linear)
        assert split.axis is (Axis.OC if is_linear else Axis.H)
        if is_linear:
            assert lengths(split.intervals)[1:] == [0, 0, 0]
    phases = [(phase.operator, phase.kind) for phase in evaluate(problem, plan).phases]
    convolutions = [operator.name for operator in problem.operators if not isinstance(operator.body, Linear)]
    first = ["input", *["transfer"] * (len(convolutions) - 1)]
    expected = [
        pair for name, kind in zip(convolutions, first, strict=True) for pair in ((name, kind), (name, "gather"))
    ]
    assert phases == expected


@pytest.mark.parametrize("name", HEURISTICS)
@settings(max_examples=25, deadline=None)
@given(rng=st.randoms(use_true_random=False))
def test_every_plan_fits_its_problem(name: str, rng: random.Random) -> None:
    problem = draw_problem(rng, devices=(1, 2, 3, 4, 5, 6), operators=(1, 2, 4, 6), caps="none", plan_limit=10**12)
    plan = HEURISTICS[name](problem)
    assert evaluate(problem, plan).latency_s > 0 or problem.graph.flops == 0
    assert HEURISTICS[name](problem) == plan


@pytest.mark.parametrize("name", HEURISTICS)
@pytest.mark.parametrize("devices", [1, 6, 15])
def test_more_devices_than_rows_or_channels(name: str, devices: int) -> None:
    rates = [1e6 * (1 + index % 3) for index in range(devices)]
    problem = Problem(MOBILE, cluster(rates, [1e5] * devices, charge=Charge.PEER, source=devices - 1))
    assert evaluate(problem, HEURISTICS[name](problem)).latency_s > 0


def test_speeds_far_apart_are_no_obstacle() -> None:
    for rate, link in ((1e3, 1e12), (1e15, 1e2)):
        problem = Problem(LENET, cluster((rate, rate * 1e3, rate), (link, link * 1e3, link), overhead_s=(0, 1e3, 1e-6)))
        for plan in HEURISTICS.values():
            assert evaluate(problem, plan(problem)).latency_s > 0
