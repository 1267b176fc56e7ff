"""A block of branches while a sweep goes over it: first regions backwards, then memory forwards.

Backwards all readers of a map are known when it is reached, and so is the hull of what they read. Forwards a map is
alive from the layer that writes it to the last that reads it. Arrays as in `sweep.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer, map_shape
from iopt.tiling.predictors import Predictor, copied_bytes, copier, scratch_bytes, tile_bytes
from iopt.tiling.problem import Problem
from iopt.tiling.regions import Array, Intervals, Order, hull, read


@dataclass(frozen=True)
class Passage:
    """One side of a block, [last layers, intervals]. `maps`: the intervals of each map, also of that which the block
    reads; `reads`: per layer the cells that it reads, and those padded before and after."""

    maps: Mapping[int, Intervals]
    reads: Mapping[int, tuple[Array, Array, Array]]


def passage(layers: Sequence[Layer], side: int, wanted: Intervals) -> Passage:
    """`wanted`: of the map that the block writes."""
    maps, reads = {layers[-1].index: wanted}, {}
    for layer in reversed(layers):
        cells, before, after = read(layer, side, maps[layer.index])
        reads[layer.index] = cells.size, before, after
        for name in layer.inputs:
            maps[name] = cells if name not in maps else hull(maps[name], cells)
    return Passage(maps, reads)


class Block:
    """The tiles of a block. `cells`: per layer those that tiles compute."""

    def __init__(
        self, problem: Problem, layers: Sequence[Layer], rows: Passage, columns: Passage, order: Order
    ) -> None:
        self.problem, self.layers = problem, layers
        self._sides = (rows, order.row), (columns, order.column)
        self._source = layers[0].index - 1
        self._maps = {name: self._bytes(name) for name in rows.maps}
        self.cells = {layer.index: self._map_cells(layer.index) for layer in layers}

    def needs(self, is_first: bool) -> Array:
        """The most of any layer. `is_first`: of its group, where the block reads a view of the whole map."""
        held = {} if is_first else {self._source: self._maps[self._source]}
        most = np.zeros_like(self._maps[self._source])
        for layer in self.layers:
            most = np.maximum(most, self._working(layer, held, is_first))
            held = {name: size for name, size in held.items() if name not in layer.frees}
            held[layer.index] = self._maps[layer.index]
        return most

    def copies(self, is_first: bool) -> dict[int, Array]:
        """Bytes that tiles copy at each layer: what they read, and at the last layer of a group into its output map."""
        executor = copier(self.problem.predictor)
        found = {layer.index: self._copied(executor, layer, is_first) for layer in self.layers}
        last = self.layers[-1].index
        found[last][0] += self._maps[last][0]
        return found

    def _working(self, layer: Layer, held: Mapping[int, Array], is_first: bool) -> Array:
        """What each tile needs at a layer; 0 where it computes nothing."""
        problem, cells = self.problem, self.cells[layer.index]
        none = np.zeros_like(cells)
        i = sum(held.values(), none)
        d = sum((held[name] for name in layer.frees if name in held), none)
        read = self._reads(0, layer)[0] * self._reads(1, layer)[0] * ELEMENT_BYTES
        view = sum(map_shape(problem.layers, name).channels * read for name in set(layer.inputs) - set(held))
        q = self._copied(problem.predictor, layer, is_first)
        x = scratch_bytes(problem.predictor, problem.backend, layer, cells)
        needs = tile_bytes(problem.predictor, i, d, view, q, self._maps[layer.index], x)
        return np.where(cells > 0, needs + problem.streamed_bytes(layer), 0)

    def _copied(self, predictor: Predictor, layer: Layer, is_first: bool) -> Array:
        """Bytes that tiles copy of what they read."""
        height, top, bottom = self._reads(0, layer)
        width, left, right = self._reads(1, layer)
        before, padding = layer.inputs[0], (top, bottom, left, right)
        is_whole = is_first and before == self._source
        held = layer.input.width if is_whole else self._size(1, before)
        q = copied_bytes(predictor, self.problem.backend, layer, held, height, width, padding)
        return np.where(self.cells[layer.index] > 0, q, 0)

    def _bytes(self, name: int) -> Array:
        return np.asarray(map_shape(self.problem.layers, name).channels * ELEMENT_BYTES * self._map_cells(name))

    def _map_cells(self, name: int) -> Array:
        return np.asarray(self._size(0, name) * self._size(1, name))

    def _size(self, side: int, name: int) -> Array:
        """Per tile the cells of one side of what it holds of a map."""
        passed, at = self._sides[side]
        return passed.maps[name].size.take(at, axis=1)

    def _reads(self, side: int, layer: Layer) -> list[Array]:
        """Per tile the cells that a layer reads, and those padded before and after."""
        passed, at = self._sides[side]
        return [array.take(at, axis=1) for array in passed.reads[layer.index]]
