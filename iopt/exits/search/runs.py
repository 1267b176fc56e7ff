"""What is still to come, run by run: bounds that know how many blocks in a row fit on a node.

A placement is a sequence of runs, maximal stretches of blocks on one node. Each must fit on its node by itself, the one
that a label is in must fit beside what the label has used. Counting only that, and not what several runs on one node
use together, leaves a shortest path over runs, whose least weight bounds every placement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.paths import completions
from iopt.exits.problem import TOLERANCE
from iopt.exits.search.resources import Ints

ROUNDING = 1e-12
"""Sums of amounts may differ by this part of their total."""


@dataclass(frozen=True)
class Rooms:
    """How far runs get: capacity [2, N] of each node for compute and memory (inf where all blocks fit), and the amounts
    of the blocks [2, L]."""

    capacity: Array
    amount: Array

    @staticmethod
    def of(geometry: Geometry, limits: Limits) -> Rooms:
        capacity = np.stack((limits.compute, limits.memory)) * (1 + TOLERANCE)
        amount = np.stack((geometry.compute, geometry.memory))
        return Rooms(np.where(amount.sum(axis=1)[:, None] > capacity, capacity, np.inf), amount)

    @property
    def binds(self) -> bool:
        return bool(np.isfinite(self.capacity).any())

    def last(self, block: int, node: Ints, used: Array) -> Ints:
        """[K] the last block that a run on `node` [K] may reach after `block`, with `used` [2, K] of it taken."""
        total = np.cumsum(self.amount, axis=1)
        room = self.capacity[:, node] - used + total[:, block, None] + ROUNDING * total[:, -1:]
        compute, memory = (
            np.searchsorted(sums, rooms, side="right") - 1 for sums, rooms in zip(total, room, strict=True)
        )
        least: Ints = np.minimum(compute, memory)
        return least

    def ahead(self, weights: Array) -> Array:
        """[..., L, N, L]: least weight to come after block b on node n, where its run may go on up to block j.

        `weights` [..., L, N, N] of the steps. Entries with j < b are not defined. Where nothing binds the last
        dimension is 1.
        """
        if not self.binds:
            return completions(weights)[..., None]
        depth, every = weights.shape[-3], np.arange(weights.shape[-1])
        moves = weights.copy()
        moves[..., every, every] = np.inf
        ahead = np.zeros((*weights.shape[:-1], depth))
        for block in range(depth - 2, -1, -1):
            after = ahead[..., block + 1, :, :]
            fresh = self.last(block + 1, every, np.broadcast_to(self.amount[:, block + 1, None], (2, len(every))))
            begun = after[..., every, np.maximum(fresh, block + 1)]
            leave = (moves[..., block + 1, :, :] + begun[..., None, :]).min(axis=-1)[..., None]
            stay = weights[..., block + 1, every, every][..., None] + after[..., block + 1 :]
            ahead[..., block, :, : block + 1] = leave
            ahead[..., block, :, block + 1 :] = np.minimum(leave, stay)
        return ahead
