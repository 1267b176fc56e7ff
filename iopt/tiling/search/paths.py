"""Shortest paths over cuts: which groups follow each other, and how each is tiled.

A cut between segments is a node, a group with its best tiling an edge. Memory is a filter of tilings, so that what is
left is a sum: multiply-accumulates or seconds. `path` breaks ties in it by the peak, then by groups, then by tiles;
`coarsest` by calls of layers, then by groups, then by the peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iopt.tiling.plan import Configuration
from iopt.tiling.regions import Array
from iopt.tiling.search.sweep import NEVER
from iopt.tiling.search.table import Table

FAR = 2**61
"""Sum of a path that does not exist; two of them add up to a whole number of 64 bits."""

MANY = 2**40
"""More tiles than a configuration has: one group more weighs as much."""

GROUP = 2**20
"""More groups than a configuration has: one call of a layer more weighs as much."""

Weights = NDArray[Any]
"""Whole numbers or seconds, [first segment, last segment, option]."""


@dataclass(frozen=True)
class Path:
    """The best configuration under a limit: its sum of weights and its peak."""

    weight: float | int
    peak: int
    configuration: Configuration


class Paths:
    """Shortest paths of one table under any limit of memory. `max_groups`: at most so many groups."""

    def __init__(self, table: Table, weights: Weights, max_groups: int | None = None) -> None:
        self.table, self._weights = table, np.where(table.peak < NEVER, weights, FAR)
        self._rounds = len(table.segments) if max_groups is None else min(max_groups, len(table.segments))
        by_weight = np.argsort(self._weights, axis=2, kind="stable")
        by_peak = np.argsort(np.take_along_axis(table.peak, by_weight, 2), axis=2, kind="stable")
        chosen = np.take_along_axis(by_weight, by_peak, 2)
        self._peaks = np.take_along_axis(table.peak, chosen, 2)
        sums = np.take_along_axis(self._weights, chosen, 2)
        self._least = np.minimum.accumulate(sums, axis=2)
        self._chosen = chosen
        places = np.where(np.diff(self._least, axis=2, prepend=FAR + 1) < 0, np.arange(sums.shape[2]), 0)
        self._best = np.maximum.accumulate(places, axis=2)

    @property
    def peaks(self) -> Array:
        """All peaks that groups may have, rising."""
        return np.unique(self._peaks[self._peaks < NEVER])

    @property
    def is_undominated(self) -> NDArray[np.bool_]:
        """Per group and option, whether no other option of the group equals or beats it in weight and peak; of equals
        the first."""
        kept = np.diff(self._least, axis=2, prepend=FAR + 1) < 0
        found = np.zeros_like(kept)
        np.put_along_axis(found, self._chosen, kept, 2)
        return np.asarray(found & (self.table.peak < NEVER))

    def least(self, limit: int) -> tuple[float | int, int] | None:
        """Least sum of weights with a peak of at most `limit` bytes, and the least peak with that sum; None if there is
        no path."""
        weights, peaks = self._edges(limit)
        sums, worst, _ = self._shortest(weights, peaks, np.maximum)
        return None if sums[-1] >= FAR else (sums[-1].item(), int(worst[-1]))

    def path(self, limit: int) -> Path | None:
        """The best configuration with a peak of at most `limit` bytes."""
        found = self.least(limit)
        if found is None:
            return None
        weight, peak = found
        least, _ = self._edges(peak)
        fits = (self.table.peak <= peak) & (self._weights == least[:, :, None])
        option = np.argmax(fits, axis=2)
        tiles = np.array([rows * columns for rows, columns, _ in self.table.options])
        _, _, parents = self._shortest(least, MANY + tiles[option], np.add)
        return Path(weight, peak, self._configuration(parents, option))

    def coarsest(self, limit: int) -> Path | None:
        """Of the best configurations with a peak of at most `limit` bytes, the one with the fewest calls of layers (a
        tile calls every layer of its group), then the fewest groups, then the least peak."""
        found = self._coarse(limit)
        if found is None:
            return None
        peaks = self.peaks
        low, high = 0, int(np.searchsorted(peaks, found[1].peak))
        while low < high:
            middle = (low + high) // 2
            other = self._coarse(int(peaks[middle]))
            if other is not None and other[0] == found[0]:
                high, found = int(np.searchsorted(peaks, other[1].peak)), other
            else:
                low = middle + 1
        return found[1]

    def _coarse(self, limit: int) -> tuple[tuple[float | int, int], Path] | None:
        """A configuration of the least sum within the limit, then of the fewest calls and groups; these two, and it."""
        least, _ = self._edges(limit)
        fits = (self.table.peak <= limit) & (self._weights == least[:, :, None])
        tiles = np.array([rows * columns for rows, columns, _ in self.table.options])
        counts = np.where(fits, tiles, NEVER)
        fewest = counts.min(axis=2)
        option = np.where(counts == fewest[:, :, None], self.table.peak, NEVER).argmin(axis=2)
        calls = np.where(least < FAR, fewest, 0) * self._lengths()
        sums, costs, parents = self._shortest(least, calls * GROUP + 1, np.add)
        if sums[-1] >= FAR:
            return None
        configuration = self._configuration(parents, option)
        weight = sums[-1].item()
        return (weight, int(costs[-1])), Path(weight, self.table.costs(configuration)[0], configuration)

    def _lengths(self) -> Array:
        """Layers of every group; [first, last], 1 where there is none."""
        firsts = np.array([segment.first for segment in self.table.segments])
        lasts = np.array([segment.last for segment in self.table.segments])
        return np.asarray(np.maximum(lasts[None, :] - firsts[:, None] + 1, 1))

    def _edges(self, limit: int) -> tuple[Weights, Array]:
        """Least weight of every group within the limit, and the least peak with that weight; [first, last]."""
        count = (self._peaks <= limit).sum(axis=2)
        at = np.maximum(count - 1, 0)[:, :, None]
        weights = np.take_along_axis(self._least, at, 2)[:, :, 0]
        peaks = np.take_along_axis(self._peaks, np.take_along_axis(self._best, at, 2), 2)[:, :, 0]
        return np.where(count > 0, weights, FAR), np.where(count > 0, peaks, NEVER)

    def _shortest(self, weights: Weights, second: Array, join: np.ufunc) -> tuple[Weights, Array, list[Array]]:
        """Per node the least sum of weights and, among equals, the least of `second` joined along the path; per round
        the node before, -1 where the round before had a path as good. A round is one group more."""
        count = len(weights)
        sums, seconds = np.full(count + 1, FAR, dtype=weights.dtype), np.full(count + 1, NEVER)
        sums[0], seconds[0] = 0, 0
        parents: list[Array] = []
        for _ in range(self._rounds):
            total = np.minimum(sums[:-1, None] + weights, FAR)
            least = total.min(axis=0)
            joined = np.where(total == least, np.minimum(join(seconds[:-1, None], second), NEVER), NEVER)
            before = joined.argmin(axis=0)
            value = joined[before, np.arange(count)]
            better = (least < sums[1:]) | ((least == sums[1:]) & (value < seconds[1:]))
            if not better.any():
                break
            parents.append(np.concatenate(([-1], np.where(better, before, -1))))
            sums[1:], seconds[1:] = np.where(better, least, sums[1:]), np.where(better, value, seconds[1:])
        return sums, seconds, parents

    def _configuration(self, parents: list[Array], option: Array) -> Configuration:
        groups, node = [], len(self.table.segments)
        for before in reversed(parents):
            first = int(before[node])
            if first >= 0:
                groups.append(self.table.group(first, node - 1, int(option[first, node - 1])))
                node = first
        return Configuration(tuple(reversed(groups)))
