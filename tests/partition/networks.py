"""The networks and clusters of the reference points, by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from iopt.cluster import Charge, Cluster
from iopt.graph import Graph
from iopt.partition.evaluation import evaluate
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from tests.instances import chain, cluster, conv, linear, max_pool

CAL_LATENCY_MS: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "partition_cal.json").read_text()
)["latency_ms"]

LENET = chain(
    "lenet", (1, 28, 28), [conv(20, 5, pooling=max_pool(2)), conv(50, 5, pooling=max_pool(2)), linear(500), linear(10)]
)
LENET5 = chain(
    "lenet5",
    (1, 28, 28),
    [
        conv(6, 5, padding=2, pooling=max_pool(2)),
        conv(16, 5, pooling=max_pool(2)),
        *map(linear, (120, 84, 10)),
    ],
)
ALEXNET = chain(
    "alexnet",
    (3, 224, 224),
    [
        conv(64, 11, 4, 2, pooling=max_pool(3, 2)),
        conv(192, 5, padding=2, pooling=max_pool(3, 2)),
        conv(384, padding=1),
        conv(256, padding=1),
        conv(256, padding=1, pooling=max_pool(3, 2)),
        *map(linear, (4096, 4096, 1000)),
    ],
)


def _vgg(name: str, blocks: Sequence[Sequence[int]]) -> Graph:
    """Blocks of convolutions, given by their channels, each with a pooling at its end."""
    layers = [
        conv(channels, padding=1, pooling=max_pool(2) if index == len(block) - 1 else None)
        for block in blocks
        for index, channels in enumerate(block)
    ]
    return chain(name, (3, 224, 224), [*layers, *map(linear, (4096, 4096, 1000))])


VGG11 = _vgg("vgg11", [[64], [128], [256] * 2, [512] * 2, [512] * 2])
VGG19 = _vgg("vgg19", [[64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4])
CAL_NETWORKS = {graph.name: graph for graph in (LENET, ALEXNET, VGG11)}


def cal(devices: int = 4, charge: Charge = Charge.PHASE) -> Cluster:
    """Equal devices of 1 GFLOP/s on 100 Mbit/s links, 0.2 ms a phase."""
    return cluster((1e9,) * devices, (12.5e6,) * devices, connection_s=2e-4, charge=charge)


def mixed(devices: int) -> Cluster:
    """The first of eight unequal devices."""
    rates = (1.0, 2.0, 1.5, 4.0, 1.2, 2.5, 3.0, 1.7)[:devices]
    links = (1.0, 1.0, 0.8, 1.0, 0.5, 1.0, 0.7, 1.0)[:devices]
    return cluster([1e9 * rate for rate in rates], [12.5e6 * link for link in links], connection_s=2e-4)


def tight(graph: Graph, given: Cluster) -> Cluster:
    """Every device may hold a tenth more than an equal share of the parameters, and the largest operator's tensors."""
    largest = max(operator.input_shape.bytes + operator.pre_shape.bytes for operator in graph)
    return given.with_memory((int(1.1 * 4 * graph.parameters / len(given)) + largest,) * len(given))


def latency_ms(problem: Problem, plan: Plan) -> float:
    return evaluate(problem, plan).latency_s * 1e3


def agrees(value: float, stated: str) -> bool:
    """Equal to the digits stated."""
    decimals = len(stated.partition(".")[2])
    return abs(value - float(stated)) <= 0.5001 / 10.0**decimals
