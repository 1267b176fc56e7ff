"""Rows, or columns, of all tiles while a sweep goes from layer to layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from iopt.tiling.grids import Grid
from iopt.tiling.layers import Layer
from iopt.tiling.regions import Array, Intervals, Order, core, cut, read, side_neighbours
from iopt.tiling.search.blocks import Passage, passage


class Side:
    """Intervals of the current map, per last layer and tiling: of tiles that compute all they want (`even`), and with
    reuse of those that take strips: what they hold (`odd`), of that what they compute (`core`), and the cells that the
    neighbours before and after have."""

    def __init__(self, side: int, most: int, grid: Grid, reuse: bool) -> None:
        self._side, self._most, self._grid, self._reuse = side, most, grid, reuse
        self.even = self.odd = self.core = Intervals.none(most)
        self.before = self.after = self.even.lo
        self.admissible = np.zeros((0, most), dtype=bool)

    def enter(self, layer: Layer) -> None:
        """Groups may end with this layer: their row comes in front."""
        grid, admissible = cut(layer.output[self._side + 1], self._most, self._grid)
        self.admissible = np.concatenate((admissible[None], self.admissible))
        self.even = self.even.before(grid)
        if self._reuse:
            self.odd = self.odd.before(grid)
            self.core, self.before, self.after = core(self.odd, self.even, side_neighbours(self._most))

    def computed(self, at: Array, order: Order) -> Array:
        """Cells that tiles compute; `at`: interval of each tile."""
        return self._of(self.even.size, self.core.size, at, order)

    def read(self, layer: Layer, at: Array, order: Order) -> tuple[Array, Array, Array]:
        """Per tile the cells that it reads, and those padded before and after; goes on to the layer's input."""
        even = read(layer, self._side, self.even)
        odd = read(layer, self._side, self.core) if self._reuse else even
        self.even, self.odd = even[0], odd[0]
        return (
            self._of(even[0].size, odd[0].size, at, order),
            self._of(even[1], odd[1], at, order),
            self._of(even[2], odd[2], at, order),
        )

    def over(self, layers: Sequence[Layer]) -> Passage:
        """Goes over a block, to the map that it reads; without reuse."""
        found = passage(layers, self._side, self.even)
        self.even = found.maps[layers[0].index - 1]
        return found

    def _of(self, even: Array, odd: Array, at: Array, order: Order) -> Array:
        """[last layers, intervals] -> [last layers, tiles]."""
        if not self._reuse:
            return even.take(at, axis=1)
        both = np.concatenate((even, odd), axis=1)
        return both.take(np.where(order.is_odd, at + even.shape[1], at), axis=1)
