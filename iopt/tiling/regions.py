"""The regions of the tiles of all tilings at once, for groups that end with any layer: what `tiles.py` has one by one.

The regions of a tile depend on the last layer of its group, not on the first. Rows and columns are apart from each
other, so one side of all tilings is a few arrays: for every last layer b and every number of tiles n = 1 ... most, the
n intervals of that side, in a row of most (most + 1) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from iopt.tiling.grids import Grid, bounds
from iopt.tiling.layers import Layer

Array = NDArray[np.int64]
"""Arrays of one side: [last layers, intervals]."""

SIZES, FEW = 256, 4
"""What is kept from one search to the next: sides of so many sizes, and the tiles of so many bounds on their number."""


@dataclass(frozen=True)
class Intervals:
    """Cells `lo` ... `hi - 1`; arrays [last layers, intervals]."""

    lo: Array
    hi: Array

    @property
    def size(self) -> Array:
        return self.hi - self.lo

    @property
    def is_empty(self) -> NDArray[np.bool_]:
        return self.hi <= self.lo

    def before(self, first: Intervals) -> Intervals:
        """With the row of another last layer in front."""
        return Intervals(np.concatenate((first.lo, self.lo)), np.concatenate((first.hi, self.hi)))

    def beside(self, other: Intervals) -> Intervals:
        """With other intervals of the same last layers behind."""
        return Intervals(np.concatenate((self.lo, other.lo), axis=1), np.concatenate((self.hi, other.hi), axis=1))

    def halves(self) -> tuple[Intervals, Intervals]:
        """What `beside` put together of two of one length."""
        middle = self.lo.shape[1] // 2
        parts = (slice(None, middle), slice(middle, None))
        first, second = (Intervals(self.lo[:, part], self.hi[:, part]) for part in parts)
        return first, second

    @classmethod
    def none(cls, most: int) -> Intervals:
        """Of no last layer."""
        empty = np.zeros((0, most * (most + 1) // 2), dtype=np.int64)
        return cls(empty, empty)


@lru_cache(maxsize=SIZES)
def cut(size: int, most: int, grid: Grid) -> tuple[Intervals, NDArray[np.bool_]]:
    """The intervals of a side of `size` cells as one row, and which n are admissible; those of others are empty."""
    lo, hi, admissible = [], [], []
    for count in range(1, most + 1):
        borders = bounds(size, count, grid)
        admissible.append(borders is not None)
        lo += [0] * count if borders is None else borders[:-1]
        hi += [0] * count if borders is None else borders[1:]
    return Intervals(np.array([lo], dtype=np.int64), np.array([hi], dtype=np.int64)), np.array(admissible)


def read(layer: Layer, side: int, written: Intervals) -> tuple[Intervals, Array, Array]:
    """What intervals of a layer's output read, clipped to its input, and the cells clipped before and after."""
    assert layer.window is not None
    stride, padding, size = layer.window.stride[side], layer.window.padding[side], layer.input[side + 1]
    lo = written.lo * stride - padding
    hi = (written.hi - 1) * stride - padding + layer.window.reach(side)
    keep = np.where(written.is_empty, 0, 1)
    length = hi - lo
    before, after = np.clip(-lo, 0, length) * keep, np.clip(hi - size, 0, length) * keep
    return Intervals(np.clip(lo, 0, size) * keep, np.clip(hi, 0, size) * keep), before, after


def hull(first: Intervals, second: Intervals) -> Intervals:
    """The smallest intervals that hold both; an empty one holds nothing."""
    lo = np.where(second.is_empty, first.lo, np.where(first.is_empty, second.lo, np.minimum(first.lo, second.lo)))
    hi = np.where(second.is_empty, first.hi, np.where(first.is_empty, second.hi, np.maximum(first.hi, second.hi)))
    return Intervals(lo, hi)


def core(wanted: Intervals, even: Intervals, neighbours: tuple[Array, Array]) -> tuple[Intervals, Array, Array]:
    """What of `wanted` neither neighbour has among its `even` intervals, and the cells that the one before and the one
    after have. `neighbours`: indices of both, -1 for none; an empty one has nothing."""
    (lo, hi), (previous, following) = (wanted.lo, wanted.hi), neighbours
    nothing = even.is_empty
    start = np.where((previous < 0) | nothing[:, previous], lo, np.clip(even.hi[:, previous], lo, hi))
    last = np.maximum(np.minimum(hi, even.lo[:, following]), start)
    end = np.where((following < 0) | nothing[:, following], hi, last)
    return Intervals(start, end), start - lo, hi - end


@dataclass(frozen=True)
class TileOrder:
    """The tiles of all tilings N x M, one tiling after another (M fastest), each in the order in which they run.

    `row`, `column` [tiles]: index of a tile's interval; `starts` [tilings]: its first tile; `is_odd` [tiles].
    `left`, `right`, `above`, `below` [tiles]: the neighbour's place in this order, -1 for none.
    """

    row: Array
    column: Array
    starts: Array
    is_odd: NDArray[np.bool_]
    left: Array
    right: Array
    above: Array
    below: Array


@lru_cache(maxsize=FEW)
def tile_order(most: int, checkerboard: bool) -> TileOrder:
    """Of all N x M up to `most`; `checkerboard`: even tiles first."""
    sides = np.indices((most, most)).reshape(2, -1) + 1
    sizes = sides[0] * sides[1]
    starts = np.cumsum(sizes) - sizes
    rows, columns, start = (np.repeat(each, sizes) for each in (*sides, starts))
    row, column = np.divmod(np.arange(len(start)) - start, columns)
    if checkerboard:
        order = np.lexsort(((row + column) % 2, start))
        row, column = row[order], column[order]
    place = np.empty_like(start)
    place[start + row * columns + column] = np.arange(len(start))

    def neighbour(down: int, right: int) -> Array:
        other, beside = row + down, column + right
        exists = (other >= 0) & (other < rows) & (beside >= 0) & (beside < columns)
        return np.where(exists, place[np.where(exists, start + other * columns + beside, 0)], -1)

    return TileOrder(
        rows * (rows - 1) // 2 + row,
        columns * (columns - 1) // 2 + column,
        starts,
        (row + column) % 2 == 1,
        neighbour(0, -1),
        neighbour(0, 1),
        neighbour(-1, 0),
        neighbour(1, 0),
    )


@lru_cache(maxsize=FEW)
def side_neighbours(most: int) -> tuple[Array, Array]:
    """Per interval the index of the one before and of the one after in the same tiling, -1 for none."""
    index = [(n, j) for n in range(1, most + 1) for j in range(n)]
    at = {place: position for position, place in enumerate(index)}
    before, after = ([at.get((n, j + step), -1) for n, j in index] for step in (-1, 1))
    return np.array(before), np.array(after)
