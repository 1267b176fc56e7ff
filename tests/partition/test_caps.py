"""Tight caps by hand."""

from __future__ import annotations

from dataclasses import replace

from iopt.partition.caps import tight_caps
from iopt.partition.evaluation import evaluate
from iopt.partition.heuristics import plan_oc
from iopt.partition.problem import Problem
from tests.instances import chain, cluster, conv, linear, max_pool

NETWORK = chain("net", (3, 8, 8), [conv(4, 3, padding=1, pooling=max_pool(2)), linear(6), linear(2)])


def test_by_hand() -> None:
    parameters = (4 * 3 * 9 + 4) + (6 * 64 + 6) + (2 * 6 + 2)
    first = 3 * 8 * 8 + 4 * 8 * 8  # input and pre tensor of the convolution
    assert tight_caps(NETWORK, 2) == 1136 + 4 * first  # 1.1 * 4 * parameters / 2 = 1135.2
    assert tight_caps(NETWORK, 1) == 2271 + 4 * first
    assert NETWORK.parameters == parameters


def test_equal_channels_fit_and_one_device_does_not() -> None:
    network = chain("net", (8, 8, 8), [conv(16, 3, padding=1) for _ in range(6)])
    for devices in (2, 4):
        equal = cluster((1e6,) * devices)
        capped = equal.with_memory((tight_caps(network, devices),) * devices)
        problem = Problem(network, capped)
        assert evaluate(problem, plan_oc(problem)).is_feasible
        fast = replace(capped, devices=(replace(capped.devices[0], flops_per_s=1e9), *capped.devices[1:]))
        problem = Problem(network, fast)
        assert not evaluate(problem, plan_oc(problem)).is_feasible
