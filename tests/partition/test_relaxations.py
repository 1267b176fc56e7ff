"""Values of the linear relaxations, pinned: a weaker formulation is a regression even while its optimum stays right."""

from __future__ import annotations

import pytest

from formulations import partition, partition_plain
from iopt.cluster import Cluster
from iopt.exact import Solver
from iopt.graph import Graph
from iopt.partition.milp_data import partition_data
from iopt.partition.problem import Problem
from tests.partition.networks import ALEXNET, LENET, VGG11, cal, mixed

PINNED_MS = [
    (LENET, cal(), 1.3588, 2.0831),
    (ALEXNET, cal(), 393.3343, 444.9229),
    (VGG11, cal(), 3840.7851, 3998.9601),
    (ALEXNET, mixed(2), 508.5627, 540.5503),
    (VGG11, mixed(2), 5105.1638, 5291.1867),
    (ALEXNET, mixed(4), 210.7519, 253.0492),
]


@pytest.mark.parametrize(("graph", "cluster", "plain_ms", "tight_ms"), PINNED_MS)
def test_relaxation(graph: Graph, cluster: Cluster, plain_ms: float, tight_ms: float) -> None:
    data = partition_data(Problem(graph, cluster), 1e-3)
    assert Solver(partition_plain.build(data)).relaxation() == pytest.approx(plain_ms, abs=1e-4)
    assert Solver(partition.build(data)).relaxation() == pytest.approx(tight_ms, abs=1e-4)
