"""The shared limits that one application can reach, as columns that its labels carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.problem import TOLERANCE

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Resources:
    """R columns: first those of nodes, then those of links.

    `capacity` [R] with the tolerance of every comparison; `amount` [L, R] what block b takes where it touches the
    column; `left` [L, R] what all blocks after b can take at most. `node` [R]: the node; for a link its sender, and
    `receiver` [R] its receiver (-1: not a link). `tier` [R]: once a path has left it, the column is free for good.
    `own` [2, N]: the columns of compute and memory of each node; R for one that has none.
    """

    capacity: Array
    amount: Array
    left: Array
    node: Ints
    receiver: Ints
    tier: Ints
    own: Ints

    def __len__(self) -> int:
        return len(self.capacity)

    def enter(self, used: Array, block: int, before: Ints, node: Ints) -> Array:
        """[K, R] use after block `block`, entered on `node` [K] from `before` [K]."""
        touched = np.where(self.receiver < 0, node[:, None] == self.node, False)
        touched |= (before[:, None] == self.node) & (node[:, None] == self.receiver)
        entered: Array = used + touched * self.amount[block]
        return entered

    def of_node(self, used: Array, node: Ints) -> Array:
        """[2, K] compute and memory used of the nodes [K] that the labels are on."""
        padded = np.column_stack((used, np.zeros(len(used))))
        return padded[np.arange(len(used)), self.own[:, node]]

    def excess(self, used: Array, block: int) -> Array:
        """[K, R] by how much the use lies above what can never matter; 0: this column cannot bind any more."""
        over: Array = np.maximum(used - np.maximum(self.capacity - self.left[block], 0.0), 0.0)
        return over


def resources(geometry: Geometry, limits: Limits, links: frozenset[tuple[int, int]] = frozenset()) -> Resources:
    """Compute and memory of every node where all blocks together would not fit, and the links given."""
    room = 1 + TOLERANCE
    tiers = np.array(geometry.tiers)
    columns: list[tuple[float, Array, int, int]] = []
    own = np.full((2, geometry.nodes), -1)
    for kind, (amount, capacity) in enumerate(((geometry.compute, limits.compute), (geometry.memory, limits.memory))):
        for index in np.flatnonzero(amount.sum() > capacity * room):
            own[kind, index] = len(columns)
            columns.append((float(capacity[index]) * room, amount, int(index), -1))
    columns += [(limits.links[n, m] * room, geometry.traffic, n, m) for n, m in sorted(links)]
    amount = np.array([column[1] for column in columns]).reshape(len(columns), geometry.depth).T
    node = np.array([column[2] for column in columns], dtype=np.intp)
    return Resources(
        np.array([column[0] for column in columns]),
        amount,
        amount.sum(axis=0) - np.cumsum(amount, axis=0),
        node,
        np.array([column[3] for column in columns], dtype=np.intp),
        tiers[node] if len(columns) else np.zeros(0, dtype=np.intp),
        np.where(own < 0, len(columns), own),
    )
