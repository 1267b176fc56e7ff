"""CoEdge: its linear programme, its padding rule, and what goes by rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from iopt.cluster import Cluster
from iopt.partition.evaluation import evaluate
from iopt.partition.heuristics import plan_coedge, plan_oc
from iopt.partition.heuristics.ratio import lp_ratio
from iopt.partition.heuristics.splits import goes_by_rows
from iopt.partition.plan import Axis
from iopt.partition.problem import Problem
from tests.instances import adaptive_pool, chain, cluster, conv, linear, max_pool, norm, pool
from tests.partition.networks import ALEXNET, CAL_LATENCY_MS, CAL_NETWORKS, agrees, cal, latency_ms, mixed
from tests.partition.test_heuristics import MOBILE, lengths


@pytest.mark.parametrize("network", CAL_NETWORKS)
@pytest.mark.parametrize("ratio", ["equal", "lp"])
def test_reference_on_equal_devices(network: str, ratio: str) -> None:
    """Equal shares are also what the programme finds among equal devices."""
    problem = Problem(CAL_NETWORKS[network], cal())
    plan = plan_coedge(problem, ratio="equal" if ratio == "equal" else "lp")
    assert agrees(latency_ms(problem, plan), CAL_LATENCY_MS["coedge_equal_one"][network])


def model_s(problem: Problem, ratio: np.ndarray, target: int) -> float:
    """The objective of the programme for given shares, on a switched network, of convolutions alone."""
    cluster, network = problem.cluster, problem.cluster.network
    up, down = np.array(network.up_bytes_per_s), np.array(network.down_bytes_per_s)
    rate = np.array([device.flops_per_s for device in cluster.devices])
    overhead = np.array([device.overhead_s for device in cluster.devices])
    compute = sum((overhead + ratio * operator.flops / rate).max() for operator in problem.operators)
    size_in, size_out = problem.graph.input_shape.bytes, problem.graph.output_shape.bytes
    others = np.arange(len(ratio)) != cluster.source
    sent = max(size_in * ratio[others].sum() / up[cluster.source], (size_in * ratio / down)[others].max())
    rest = np.arange(len(ratio)) != target
    gathered = max((size_out * ratio / up)[rest].max(), size_out * ratio[rest].sum() / down[target])
    return float(compute + sent + gathered)


@pytest.mark.parametrize("target", [0, 1, 2])
@pytest.mark.parametrize(
    ("up", "down"),
    [
        ((1e6, 3e6, 2e6), (2e6, 1e5, 2e6)),
        ((1e6, 3e6, 2e6), (3e5, 2e6, 3e5)),
        ((2e5, 3e6, 3e5), (5e6, 5e6, 5e6)),
    ],
)
def test_ratio_is_the_best_of_a_grid(target: int, up: tuple[float, ...], down: tuple[float, ...]) -> None:
    graph = chain("square", (16, 32, 32), [conv(16, 3, padding=1), conv(16, 3, padding=1)])
    given = cluster((1e8, 2e8, 1.5e8), up, down, overhead_s=(1e-3, 0, 2e-2), source=1)
    problem = Problem(graph, given)
    found = lp_ratio(problem, (True, True), [0, 1, 2], target)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    best = model_s(problem, found, target)
    steps = [(a / 60, b / 60, (60 - a - b) / 60) for a, b in itertools.product(range(61), repeat=2) if a + b <= 60]
    assert all(best <= model_s(problem, np.array(step), target) * (1 + 1e-9) for step in steps)


def test_ratio_of_a_shared_medium_weighs_all_bytes_alike() -> None:
    """The slower the channel, the more stays on the source, which also has the linear layers."""
    shares = []
    for bandwidth in (1e9, 1e7, 1e5):
        problem = Problem(ALEXNET, cluster((1e9, 1e9), bandwidth=bandwidth))
        shares.append(lp_ratio(problem, goes_by_rows(problem), [0, 1], 0)[0])
    assert shares[0] == pytest.approx(0.5, abs=1e-6)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def rows_held(problem: Problem, ratio: str) -> list[list[int]]:
    plan = plan_coedge(problem, ratio="equal" if ratio == "equal" else "lp")
    return [lengths(split.intervals) for split in plan.splits if split.axis is Axis.H]


def test_padding_rule_drops_the_smallest_offender() -> None:
    """7 x 7 kernels read 3 rows beyond; of 16 rows a device of a tenth would have 2."""
    for kernel, expected in ((7, [9, 7, 0]), (3, [8, 6, 2])):
        graph = chain("same", (2, 16, 16), [conv(4, kernel, padding=kernel // 2)] * 3)
        assert rows_held(Problem(graph, cluster((5.0, 4.0, 1.0), (1e9,) * 3)), "lp") == [expected] * 3


def test_of_equal_offenders_the_slowest_goes_then_the_last() -> None:
    graph = chain("same", (2, 6, 6), [conv(4, 7, padding=3)] * 2)
    for rates, expected in (((1.0, 1.0, 1.0), [3, 3, 0]), ((1.0, 0.5, 1.0), [3, 0, 3])):
        assert rows_held(Problem(graph, cluster(rates)), "equal") == [expected] * 2


@pytest.mark.parametrize("ratio", ["equal", "lp"])
@pytest.mark.parametrize("devices", [2, 4, 8])
def test_neighbours_have_the_halo(ratio: str, devices: int) -> None:
    """Under the padding rule no device needs rows from beyond its neighbours among those that take part."""
    for graph in CAL_NETWORKS.values():
        problem = Problem(graph, mixed(devices))
        evaluation = evaluate(problem, plan_coedge(problem, ratio="equal" if ratio == "equal" else "lp"))
        held = rows_held(problem, ratio)
        for phase in evaluation.phases[1:]:
            index = [operator.name for operator in problem.operators].index(phase.operator)
            if phase.kind == "transfer" and index < len(held):
                active = np.flatnonzero(held[index - 1])
                between = phase.bytes[np.ix_(active, active)]
                assert not np.triu(between, 2).any()
                assert not np.tril(between, -2).any()


def test_overhead_leaves_devices_out() -> None:
    graph = chain("small", (1, 8, 8), [conv(2, 3, padding=1)] * 3)
    cheap, dear = (Problem(graph, cluster((1e6,) * 3, (1e8,) * 3, overhead_s=(0, 0, cost))) for cost in (0, 1.0))
    assert rows_held(cheap, "lp") == [[3, 3, 2]] * 3
    assert rows_held(dear, "lp") == [[4, 4, 0]] * 3


def test_what_goes_by_rows() -> None:
    assert goes_by_rows(Problem(MOBILE, cluster((1.0, 1.0)))) == (True,) * 6 + (False,) * 3
    again = chain("again", (2, 6, 6), [norm(), linear(4), norm(), conv(3, 1), linear(2)])
    assert goes_by_rows(Problem(again, cluster((1.0, 1.0)))) == (True, False, False, True, False)


def test_tail_on_one_device_or_by_channels() -> None:
    graph = chain("tail", (3, 12, 12), [conv(8, 3, padding=1), pool(max_pool(2)), pool(adaptive_pool(1)), linear(6)])
    problem = Problem(graph, cluster((1e4, 1e4, 1e4), (1e9,) * 3))
    one, oc = plan_coedge(problem), plan_coedge(problem, fc="oc")
    assert [split.axis for split in one.splits] == [Axis.H, Axis.H, Axis.OC, Axis.OC]
    assert all(lengths(split.intervals).count(0) == 2 for split in one.splits[2:])
    assert [lengths(split.intervals) for split in oc.splits[2:]] == [[3, 3, 2], [2, 2, 2]]


def test_tail_goes_where_the_whole_is_fastest() -> None:
    """Each device in turn is the only one with a fast processor."""
    for fast in range(3):
        given = cluster([1e12 if device == fast else 1e9 for device in range(3)], (1e9,) * 3)
        plan = plan_coedge(Problem(ALEXNET, given), ratio="equal")
        assert all(lengths(split.intervals)[fast] for split in plan.splits[5:])


@pytest.mark.parametrize(
    "odd",
    [
        cluster((1e-300, 1e9), (1e9,) * 2),
        cluster((1e-9, 1e9), (1e9,) * 2),
        cluster((1e299, 1e9), (1e9,) * 2),
        cluster((1.7e308, 1.7e308), (1e9,) * 2),
        cluster((1e9, 1e9), (1e-9,) * 2),
        cluster((1e9, 1e9), (1e-308,) * 2),
        cluster((1e9, 1e9), bandwidth=1e-300),
        cluster((1e9, 1e9), (1e9,) * 2, overhead_s=(1e20, 0)),
    ],
)
@pytest.mark.filterwarnings("error")
def test_odd_devices_have_a_ratio(odd: Cluster) -> None:
    problem = Problem(chain("two", (3, 12, 12), [conv(8, 3, padding=1), conv(8, 3, padding=1)]), odd)
    ratio = lp_ratio(problem, (True, True), [0, 1], 0)
    assert ratio.sum() == pytest.approx(1)
    assert (ratio >= 0).all()


@pytest.mark.filterwarnings("error")
def test_rates_whose_sum_is_beyond_all_floats() -> None:
    problem = Problem(chain("one", (3, 12, 12), [conv(8, 3)]), cluster((1.7e308, 1.7e308), (1e9,) * 2))
    assert lengths(plan_oc(problem).splits[0].intervals) == [4, 4]


def test_shares_follow_the_rates_where_the_programme_is_not_solved() -> None:
    problem = Problem(chain("one", (3, 12, 12), [conv(8, 3)]), cluster((3e9, 1e9), (1e-308,) * 2))
    assert lp_ratio(problem, (True,), [0, 1], 0) == pytest.approx([0.75, 0.25])
