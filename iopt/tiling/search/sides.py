"""Rows, or columns, of all tiles while a sweep goes from segment to segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iopt.tiling.grids import Grid
from iopt.tiling.layers import Layer
from iopt.tiling.regions import Array, Intervals, TileOrder, core, cut, hull, read, side_neighbours


@dataclass(frozen=True)
class Passage:
    """One side of a segment. `maps`: the intervals of each map that it writes, and of that which it reads; `reads`: per
    layer the cells that it reads, and those padded before and after; `at` [tiles]: the interval of each tile."""

    maps: Mapping[int, Intervals]
    reads: Mapping[int, tuple[Array, Array, Array]]
    at: Array

    def size(self, name: int) -> Array:
        """Cells of a map, [last layers, tiles]."""
        return self.maps[name].size.take(self.at, axis=1)

    def reading(self, layer: int) -> tuple[Array, Array, Array]:
        """Cells that a layer reads, and those padded before and after; each [last layers, tiles]."""
        cells, before, after = (array.take(self.at, axis=1) for array in self.reads[layer])
        return cells, before, after


class Side:
    """Intervals of the current map, per last layer and tiling: of tiles that compute all they want (`even`), and with
    reuse of those that take strips: what they hold (`odd`), of that what they compute (`core`), and the cells that the
    neighbours before and after have."""

    def __init__(self, side: int, most: int, grid: Grid, reuse: bool, order: TileOrder) -> None:
        self._side, self._most, self._grid, self._reuse = side, most, grid, reuse
        self.even = self.odd = self.core = Intervals.none(most)
        self.before = self.after = self.even.lo
        self.admissible = np.zeros((0, most), dtype=bool)
        own = (order.row, order.column)[side]
        self._at = np.where(order.is_odd, own + self.even.lo.shape[1], own) if reuse else own

    def enter(self, layer: Layer) -> None:
        """Groups may end with this layer: their row comes in front."""
        grid, admissible = cut(layer.output[self._side + 1], self._most, self._grid)
        self.admissible = np.concatenate((admissible[None], self.admissible))
        self.even = self.even.before(grid)
        if self._reuse:
            self.odd = self.odd.before(grid)
            self.core, self.before, self.after = core(self.odd, self.even, side_neighbours(self._most))

    def over(self, layers: Sequence[Layer]) -> Passage:
        """Goes over a segment, from the map that it writes to the one that it reads. A block has no reuse."""
        wanted = self.even.beside(self.core) if self._reuse else self.even
        maps, reads = {layers[-1].index: wanted}, {}
        for layer in reversed(layers):
            cells, before, after = read(layer, self._side, maps[layer.index])
            reads[layer.index] = cells.size, before, after
            for name in layer.inputs:
                maps[name] = cells if name not in maps else hull(maps[name], cells)
        source = maps[layers[0].index - 1]
        self.even, self.odd = source.halves() if self._reuse else (source, source)
        return Passage(maps, reads, self._at)
