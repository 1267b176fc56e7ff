"""What all applications share: compute rate, memory and links, as arrays of what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.cluster import LinkRate
from iopt.exits.problem import Problem

Array = NDArray[np.float64]

BITS = 8.0
"""Per byte."""


def link_rates(problem: Problem) -> Array:
    """[N, N] bit/s from row to column: what the cluster lists (0: no link), else by the rule; inf within a node."""
    cluster = problem.cluster
    up, down = np.array(cluster.network.up_bytes_per_s), np.array(cluster.network.down_bytes_per_s)
    rates: Array = (
        np.broadcast_to(down, (len(cluster),) * 2)
        if problem.link_rate is LinkRate.RECEIVER
        else np.minimum.outer(up, down)
    )
    rates = rates.copy()
    for link in cluster.network.links:
        rates[link.sender, link.receiver] = 0.0 if link.bytes_per_s is None else link.bytes_per_s
    np.fill_diagonal(rates, np.inf)
    return rates * BITS


@dataclass(frozen=True)
class Limits:
    """`compute` [N] op/s, `memory` [N] byte, `links` [N, N] bit/s; inf: no limit. As usage, the same with what is
    used."""

    compute: Array
    memory: Array
    links: Array

    @staticmethod
    def of(problem: Problem) -> Limits:
        """The capacities of the problem."""
        devices = problem.cluster.devices
        return Limits(
            np.array([problem.max_load * device.flops_per_s for device in devices]),
            np.array([np.inf if device.memory_bytes is None else device.memory_bytes for device in devices]),
            link_rates(problem),
        )

    @staticmethod
    def zero(nodes: int) -> Limits:
        """Nothing used."""
        return Limits(np.zeros(nodes), np.zeros(nodes), np.zeros((nodes, nodes)))

    def __add__(self, other: Limits) -> Limits:
        return Limits(self.compute + other.compute, self.memory + other.memory, self.links + other.links)

    def __sub__(self, other: Limits) -> Limits:
        return Limits(self.compute - other.compute, self.memory - other.memory, self.links - other.links)

    @property
    def flat(self) -> Array:
        """[2 N + N^2]: compute, memory, links."""
        return np.concatenate((self.compute, self.memory, self.links.ravel()))
