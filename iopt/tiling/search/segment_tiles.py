"""What tiles need, compute and copy in one segment, a layer or a block, of groups that begin with it or go on above it.

Arrays are [last layers, tiles], as in `sweep.py`. Going back through the segment all readers of a map are known when it
is reached, and so is the hull of what they read: `sides.Passage`. Forwards, here, a map is alive from the layer that
writes it to the last that reads it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer, map_shape
from iopt.tiling.predictors import Predictor, copied_bytes, copier, scratch_bytes, tile_bytes
from iopt.tiling.problem import Problem
from iopt.tiling.regions import Array
from iopt.tiling.rim import rim_cells
from iopt.tiling.search.sides import Passage


class SegmentTiles:
    """The tiles of a segment. `cells`: per layer those that they compute. What else is asked for is computed anew, so
    that a block of many layers holds one array for each of its maps and no more."""

    def __init__(self, problem: Problem, layers: Sequence[Layer], rows: Passage, columns: Passage) -> None:
        self.problem, self.layers = problem, layers
        self._rows, self._columns = rows, columns
        self._source = layers[0].index - 1
        self.cells = {layer.index: self._computed(layer) for layer in layers}

    def needs(self, is_first: bool) -> Array:
        """The most of any layer. `is_first`: of its group, where the segment reads a view of the whole map."""
        held = set() if is_first else {self._source}
        alive = np.zeros_like(self.cells[self.layers[0].index]) if is_first else self._bytes(self._source)
        most = np.zeros_like(alive)
        for layer in self.layers:
            drops = held & set(layer.frees)
            dropped = sum((self._bytes(name) for name in drops), np.zeros_like(alive))
            most = np.maximum(most, self._working(layer, held, alive, dropped))
            alive = alive - dropped + self._bytes(layer.index)
            held = (held - drops) | {layer.index}
        return most

    def copied(self, layer: Layer, is_first: bool) -> Array:
        """Bytes that tiles copy of what a layer reads, as a latency counts them."""
        is_whole = is_first and layer.inputs[0] == self._source
        return self._copied(copier(self.problem.predictor), layer, is_whole)

    def map_cells(self, name: int) -> Array:
        """Cells that tiles hold of a map."""
        return np.asarray(self._rows.size(name) * self._columns.size(name))

    def _working(self, layer: Layer, held: set[int], alive: Array, dropped: Array) -> Array:
        """What each tile needs at a layer; 0 where it computes nothing."""
        problem, cells = self.problem, self.cells[layer.index]
        read = self._rows.reading(layer.index)[0] * self._columns.reading(layer.index)[0] * ELEMENT_BYTES
        view = sum(map_shape(problem.layers, name).channels * read for name in set(layer.inputs) - held)
        q = self._copied(problem.predictor, layer, layer.inputs[0] not in held)
        o = layer.output.channels * ELEMENT_BYTES * cells
        x = scratch_bytes(problem.predictor, problem.backend, layer, cells)
        needs = tile_bytes(problem.predictor, alive, dropped, view, q, o, x)
        return np.where(cells > 0, needs + problem.streamed_bytes(layer), 0)

    def _copied(self, predictor: Predictor, layer: Layer, is_whole: bool) -> Array:
        """Bytes that tiles copy of what a layer reads; `is_whole`: of a whole map, not of a tile's part of it."""
        height, top, bottom = self._rows.reading(layer.index)
        width, left, right = self._columns.reading(layer.index)
        held = layer.input.width if is_whole else self._columns.size(layer.inputs[0])
        q = copied_bytes(predictor, self.problem.backend, layer, held, height, width, (top, bottom, left, right))
        return np.where(self.cells[layer.index] > 0, q, 0)

    def _computed(self, layer: Layer) -> Array:
        wanted = self.map_cells(layer.index)
        if self.problem.crop == "exact":
            return wanted
        height, width = (side.reading(layer.index)[0] for side in (self._rows, self._columns))
        return np.where(wanted > 0, rim_cells(layer, height, width), 0)

    def _bytes(self, name: int) -> Array:
        return map_shape(self.problem.layers, name).channels * ELEMENT_BYTES * self.map_cells(name)
