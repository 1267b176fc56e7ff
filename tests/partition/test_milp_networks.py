"""The exact method on the networks of the papers and on boards like those that people have."""

from __future__ import annotations

import pytest

from iopt.cluster import Cluster
from iopt.partition.methods import compare, solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import Status
from tests.instances import (
    cluster,
)
from tests.partition.networks import ALEXNET, LENET, LENET5, VGG11, cal, mixed
from tests.partition.reference import judge


@pytest.mark.parametrize(
    ("graph", "devices", "stated_ms"),
    [(ALEXNET, 4, "445.989"), (VGG11, 4, "4014.0375"), (VGG11, 2, None), (ALEXNET, 2, None)],
)
def test_reference_networks_are_proved(graph: object, devices: int, stated_ms: str | None) -> None:
    problem = Problem(graph, cal(devices) if stated_ms else mixed(devices))  # type: ignore[arg-type]
    *others, exact = compare(problem, time_limit_s=60.0)
    assert exact.status is Status.OPTIMAL
    assert exact.objective is not None and exact.bound is not None
    for other in others:
        assert other.objective is not None
        if other.method != "modnn":
            assert exact.bound <= exact.objective <= other.objective
    if stated_ms:
        assert f"{exact.objective * 1e3:.{len(stated_ms.split('.')[1])}f}" == stated_ms


def uses_one_device(plan: Plan) -> bool:
    return all(sum(hi > lo for lo, hi in split.intervals) == 1 for split in plan.splits)


def test_lenet5_is_fastest_on_one_device() -> None:
    exact = solve(Problem(LENET5, cal()), time_limit_s=60.0)
    assert exact.status is Status.OPTIMAL
    assert exact.plan is not None and uses_one_device(exact.plan)
    assert exact.objective == pytest.approx(0.83304e-3, rel=1e-9)


def boards(devices: int) -> Cluster:
    """Boards that are fast beside their links."""
    return cluster((17.5e9,) * devices, (94e6 / 8,) * devices, connection_s=1e-3)


def test_on_realistic_boards_one_device_beats_every_split_of_lenet() -> None:
    exact = solve(Problem(LENET, boards(4)))
    assert exact.status is Status.OPTIMAL
    assert exact.plan is not None and uses_one_device(exact.plan)
    assert exact.objective == pytest.approx(LENET.flops / 17.5e9, rel=1e-9)


def test_on_realistic_boards_alexnet_is_split_by_rows_after_its_first_operator() -> None:
    """The source computes the first operator alone, then rows go to both and feed the first linear layer as such."""
    problem = Problem(ALEXNET, boards(2))
    exact = solve(problem)
    assert exact.status is Status.OPTIMAL
    assert exact.plan is not None and exact.objective is not None
    assert exact.objective < 0.85 * ALEXNET.flops / 17.5e9
    assert exact.objective == pytest.approx(judge(problem, exact.plan).latency_s, rel=1e-12)
    first, *_ = exact.plan.splits
    assert first.intervals[1] == (27, 27)
    assert exact.plan.splits[5].along == "rows"
