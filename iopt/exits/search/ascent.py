"""Prices that prove much: subgradient ascent on the Lagrangian dual, for any number of applications at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.paths import completions
from iopt.exits.problem import TOLERANCE
from iopt.exits.search.prices import Prices
from iopt.exits.search.resources import Ints

PATIENCE = 20
"""Steps without a better bound after which the step length is halved."""


@dataclass(frozen=True)
class Dual:
    """`bound`: no plan within the limits needs less energy; inf where an application has no path at all. `prices`: one
    per application, with the same shared prices."""

    bound: float
    prices: tuple[Prices, ...]


class _Stack:
    """H applications padded to one depth: past its last block an application stays where it is, for nothing."""

    def __init__(self, geometries: Sequence[Geometry]) -> None:
        depth, nodes = max(geometry.depth for geometry in geometries), geometries[0].nodes
        stay = np.where(np.eye(nodes, dtype=bool), 0.0, np.inf)
        self.energy = np.broadcast_to(stay, (len(geometries), depth, nodes, nodes)).copy()
        self.time = np.zeros_like(self.energy)
        self.compute, self.memory, self.traffic = (np.zeros((len(geometries), depth)) for _ in range(3))
        for index, geometry in enumerate(geometries):
            part = (index, slice(geometry.depth))
            self.energy[part] = geometry.energy
            self.time[part] = np.where(np.isfinite(geometry.time), geometry.time, 0.0)
            self.compute[part], self.memory[part], self.traffic[part] = (
                geometry.compute,
                geometry.memory,
                geometry.traffic,
            )
        self.sources = np.array([geometry.source for geometry in geometries])
        self.longest = np.array([geometry.longest_s for geometry in geometries])

    def paths(self, weights: Array) -> tuple[Array, Ints]:
        """[H] least weights and their paths [H, L]."""
        ahead, every = completions(weights), np.arange(len(weights))
        nodes = np.empty((len(ahead), ahead.shape[1]), dtype=np.intp)
        before = self.sources
        first = weights[every, 0, before] + ahead[:, 0]
        for block in range(nodes.shape[1]):
            before = nodes[:, block] = (weights[every, block, before] + ahead[:, block]).argmin(axis=1)
        return first.min(axis=1), nodes

    def use(self, nodes: Ints) -> tuple[Array, Limits]:
        """[H] seconds, and what all paths together use."""
        every, blocks = np.arange(nodes.shape[0])[:, None], np.arange(nodes.shape[1])
        before = np.column_stack((self.sources, nodes[:, :-1]))
        count = self.energy.shape[-1]
        moved = before != nodes
        return self.time[every, blocks, before, nodes].sum(axis=1), Limits(
            _summed(nodes, self.compute, count),
            _summed(nodes, self.memory, count),
            _summed((before * count + nodes)[moved], self.traffic[moved], count * count).reshape(count, count),
        )


def ascend(geometries: Sequence[Geometry], limits: Limits, known: float, steps: int) -> Dual:
    """At most `steps` subgradient steps towards `known`, the energy of a plan (inf: none is known).

    Polyak's step length on prices in units of energy: each price times its limit. Steps are averaged with those before.
    """
    stack = _Stack(geometries)
    capacity = np.concatenate((stack.longest, limits.flat * (1 + TOLERANCE)))
    scale = np.where(np.isfinite(capacity) & (capacity > 0), capacity, np.inf)
    count = len(geometries)
    worth = np.zeros(len(capacity))
    best, best_worth, since, length, direction = -np.inf, worth, 0, 1.0, np.zeros(len(capacity))
    for _ in range(steps):
        prices = worth / scale
        least, nodes = stack.paths(_weights(stack, prices, count))
        if not np.isfinite(least).all():
            return Dual(np.inf, _prices(prices, count, limits))
        value = float(least.sum() - worth.sum())
        if value > best + 1e-9 * abs(best) or best == -np.inf:
            best, best_worth, since = value, worth, 0
        else:
            since += 1
            if since % PATIENCE == 0:
                length, worth, direction = length / 2, best_worth, np.zeros(len(capacity))
                if length < 1e-4:
                    break
                continue
        time, used = stack.use(nodes)
        slope = np.where(np.isfinite(scale), np.concatenate((time, used.flat)) / scale - 1, 0.0)
        direction = 0.3 * slope + 0.7 * direction
        moving = np.where((worth <= 0) & (direction < 0), 0.0, direction)
        norm = float(moving @ moving)
        if norm == 0 or best >= known * (1 - 1e-9):
            break
        target = known if np.isfinite(known) else best + 0.1 * abs(best)
        worth = np.maximum(worth + length * max(target - value, 1e-9 * abs(target)) / norm * moving, 0.0)
    return Dual(best, _prices(best_worth / scale, count, limits))


def _summed(places: Ints, amounts: Array, count: int) -> Array:
    """[count] the amounts at each place, added up."""
    return np.bincount(places.ravel(), amounts.ravel(), count).astype(float)


def _weights(stack: _Stack, prices: Array, count: int) -> Array:
    """[H, L, N, N] energy with everything priced."""
    nodes = stack.energy.shape[-1]
    compute, memory, links = np.split(prices[count:], (nodes, 2 * nodes))
    weights: Array = stack.energy + prices[:count, None, None, None] * stack.time
    weights += (stack.compute[..., None] * compute + stack.memory[..., None] * memory)[:, :, None, :]
    if links.any():
        weights += stack.traffic[..., None, None] * links.reshape(nodes, nodes)
    return weights


def _prices(prices: Array, count: int, limits: Limits) -> tuple[Prices, ...]:
    nodes = len(limits.compute)
    compute, memory, links = np.split(prices[count:], (nodes, 2 * nodes))
    shared = Limits(compute, memory, links.reshape(nodes, nodes))
    return tuple(Prices(float(price), shared) for price in prices[:count])
