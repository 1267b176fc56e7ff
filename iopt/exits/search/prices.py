"""Prices on limits, and what they prove: every placement within the limits costs at least its priced weight, less what
the limits are worth at these prices (Lagrangian relaxation)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.problem import TOLERANCE
from iopt.exits.search.resources import Ints
from iopt.exits.search.runs import Rooms


@dataclass(frozen=True)
class Prices:
    """All zero or more. `time`: energy per second of the application; `shared`: per op/s, byte and bit/s."""

    time: float
    shared: Limits

    def worth(self, geometry: Geometry, limits: Limits) -> float:
        """What the limits, with the tolerance of every comparison, are worth at these prices."""
        price, capacity = self.shared.flat, limits.flat
        counts = price > 0
        return self.time * geometry.longest_s + float(price[counts] @ capacity[counts]) * (1 + TOLERANCE)

    def weights(self, geometry: Geometry) -> Array:
        """[L, N, N] energy with everything priced."""
        entering = geometry.compute[:, None] * self.shared.compute + geometry.memory[:, None] * self.shared.memory
        over = geometry.traffic[:, None, None] * self.shared.links
        return geometry.priced(self.time) + entering[:, None, :] + over


def at_prices(geometry: Geometry, shared: Limits) -> Geometry:
    """With the prices of what is shared in its energy; its time is limited as before."""
    return replace(geometry, energy=Prices(0.0, shared).weights(geometry))


@dataclass(frozen=True)
class Potentials:
    """J priced weights [J, L, N, N], the least to come [J, L, N, L or 1] after block b on node n where the run there
    may go on up to block j, and the worth [J] of the limits; `fastest` [L, N, L or 1]: the least time to come."""

    rooms: Rooms
    weights: Array
    ahead: Array
    worth: Array
    fastest: Array

    def __len__(self) -> int:
        return len(self.worth)

    def step(self, block: int, before: Ints, node: Ints) -> Array:
        """[K, J] priced weight of the step into a block."""
        return self.weights[:, block, before, node].T

    def reach(self, block: int, node: Ints, used: Array) -> Ints:
        """[K] index into the last dimension of `ahead` and `fastest`; `used` [2, K] compute and memory of the node."""
        return self.rooms.last(block, node, used) if self.rooms.binds else np.zeros(len(node), dtype=np.intp)

    def bounds(self, weight: Array, block: int, node: Ints, reach: Ints) -> Array:
        """[K] at least so much energy has every placement that goes on from a label."""
        bounds: Array = (weight + (self.ahead[:, block, node, reach] - self.worth[:, None]).T).max(axis=1)
        return bounds

    def bound(self, source: int) -> float:
        """At least so much energy has every placement."""
        nodes = np.arange(self.weights.shape[-1])
        reach = self.reach(0, nodes, np.repeat(self.rooms.amount[:, :1], len(nodes), axis=1))
        first = self.weights[:, 0, source] + self.ahead[:, 0, nodes, reach]
        return float((first.min(axis=1) - self.worth).max())


def potentials(geometry: Geometry, limits: Limits, prices: Sequence[Prices]) -> Potentials:
    """Bounds at each of these prices."""
    rooms = Rooms.of(geometry, limits)
    weights = np.stack([price.weights(geometry) for price in prices])
    worth = np.array([price.worth(geometry, limits) for price in prices])
    return Potentials(rooms, weights, rooms.ahead(weights), worth, rooms.ahead(geometry.time))
