"""Seeded placement problems of any size: three tiers, four exits, limits that bind as much as asked."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from iopt.cluster import Cluster, Device, Network
from iopt.exits import Application, Block, Exit, ExitNetwork, Problem
from iopt.exits.geometry import geometry
from iopt.exits.paths import least_path, path_weight

TIERS = ("device", "edge", "cloud")
SPEED = (1.1e10, 1.5e11, 3.1e11)  # op/s
POWER = (6.0, 100.0, 300.0)  # W
PER_BIT = (3e-8, 1e-8, 1e-8)  # J
RATE = (1e8, 1e9, 1e10)  # bit/s


def drawn(
    blocks: int,
    nodes: int,
    seed: int,
    applications: int = 1,
    tightness: float = 0.5,
    memory: float | None = None,
    rate_per_s: float = 1.0,
) -> Problem:
    """A problem with a third of the nodes in each tier, every constant within a factor of two of its tier's.

    `tightness`: where the latency limit lies between the least possible (0) and that of the least energy (1). `memory`:
    of each node, as a part of all weights; None: no caps. `rate_per_s`: mean rate of an application; what nodes compute
    and links carry is limited by it.
    """
    draw = Random(f"{blocks} {nodes} {applications} {seed}")
    cluster = _cluster(nodes, draw)
    first = max(1, nodes // 3)
    asked = [
        Application(
            _network(blocks, draw, f"network-{index + 1}"),
            accuracy=0.94,
            latency_s=1.0,
            rate_per_s=rate_per_s * draw.uniform(0.5, 1.5),
            source=f"node-{draw.randrange(first) + 1}",
            name=f"app-{index + 1}",
        )
        for index in range(applications)
    ]
    if memory is not None:
        weights = sum(block.weight_bytes for application in asked for block in application.network.blocks)
        cluster = cluster.with_memory((int(memory * weights),) * nodes)
    loose = Problem(tuple(asked), cluster)
    return replace(loose, applications=tuple(_limited(loose, index, tightness) for index in range(applications)))


def _cluster(nodes: int, draw: Random) -> Cluster:
    devices, rates = [], []
    for index in range(nodes):
        tier = 0 if index < max(1, nodes // 3) else 1 if index < max(2, 2 * nodes // 3) else 2
        speed, power, per_bit, rate = (values[tier] * draw.uniform(0.5, 2) for values in (SPEED, POWER, PER_BIT, RATE))
        devices.append(Device(f"node-{index + 1}", speed, tier=TIERS[tier], power_w=power, energy_per_bit_j=per_bit))
        rates.append(rate / 8)
    return Cluster(f"drawn-{nodes}", tuple(devices), Network(0.0, tuple(rates), tuple(rates)), tiers=TIERS)


def _network(blocks: int, draw: Random, name: str) -> ExitNetwork:
    after = sorted({max(1, blocks * quarter // 4) for quarter in (1, 2, 3, 4)})
    shares = [draw.uniform(0.1, 1) for _ in after]
    return ExitNetwork(
        name,
        1e5,
        tuple(
            Block(
                f"block-{index + 1}",
                draw.uniform(2e6, 4e7),
                draw.uniform(5e3, 4e5) if index + 1 < blocks else 0.0,
                draw.randint(10**4, 10**6),
            )
            for index in range(blocks)
        ),
        tuple(
            Exit(f"exit-{index + 1}", block, share / sum(shares), 0.5 + 0.45 * (index + 1) / len(after))
            for index, (block, share) in enumerate(zip(after, shares, strict=True))
        ),
    )


def _limited(problem: Problem, index: int, tightness: float) -> Application:
    """The application with a latency between the least possible and that of the least energy."""
    shape = geometry(problem, index)
    fastest, cheapest = least_path(shape.time, shape.source), least_path(shape.energy, shape.source)
    assert fastest is not None
    assert cheapest is not None
    slow = max(path_weight(shape.time, shape.source, cheapest[0]), 1.05 * fastest[1])
    return replace(problem.applications[index], latency_s=fastest[1] + tightness * (slow - fastest[1]))
