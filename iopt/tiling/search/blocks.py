"""A block of branches while a sweep goes over it: first regions backwards, then memory forwards.

Backwards all readers of a map are known when it is reached, and so is the hull of what they read. Forwards a map is
alive from the layer that writes it to the last that reads it. Arrays as in `sweep.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer, map_shape
from iopt.tiling.predictors import copied_bytes, scratch_bytes, tile_bytes
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
        self.problem, self.layers, self._order = problem, layers, order
        self._rows, self._columns = rows, columns
        self._source = layers[0].index - 1
        self._maps = {name: self._bytes(name) for name in rows.maps}
        self.cells = {layer.index: self._map_cells(layer.index) for layer in layers}

    def needs(self, is_first: bool) -> Array:
        """The most of any layer. `is_first`: of its group, where the block reads a view of the whole map."""
        held = {} if is_first else {self._source: self._maps[self._source]}
        most = np.zeros_like(self._maps[self._source])
        for layer in self.layers:
            most = np.maximum(most, self._working(layer, held))
            held = {name: size for name, size in held.items() if name not in layer.frees}
            held[layer.index] = self._maps[layer.index]
        return most

    def _working(self, layer: Layer, held: Mapping[int, Array]) -> Array:
        """What each tile needs at a layer; 0 where it computes nothing."""
        problem, cells = self.problem, self.cells[layer.index]
        height, *ends = self._reads(self._rows, layer, self._order.row)
        width, *sides = self._reads(self._columns, layer, self._order.column)
        i, d = (sum(sizes, np.zeros_like(cells)) for sizes in (held.values(), _of(held, layer.frees)))
        read = height * width * ELEMENT_BYTES
        view = sum(map_shape(problem.layers, name).channels * read for name in set(layer.inputs) - set(held))
        before = layer.inputs[0]
        columns = self._columns.maps[before].size[:, self._order.column] if before in held else layer.input.width
        padding = (ends[0], ends[1], sides[0], sides[1])
        q = copied_bytes(problem.predictor, problem.backend, layer, columns, height, width, padding)
        x = scratch_bytes(problem.predictor, problem.backend, layer, cells)
        needs = tile_bytes(problem.predictor, i, d, view, q, self._maps[layer.index], x)
        return np.where(cells > 0, needs + problem.streamed_bytes(layer), 0)

    def _bytes(self, name: int) -> Array:
        return np.asarray(map_shape(self.problem.layers, name).channels * ELEMENT_BYTES * self._map_cells(name))

    def _map_cells(self, name: int) -> Array:
        rows, columns = self._rows.maps[name].size, self._columns.maps[name].size
        return np.asarray(rows[:, self._order.row] * columns[:, self._order.column])

    def _reads(self, side: Passage, layer: Layer, at: Array) -> list[Array]:
        return [array.take(at, axis=1) for array in side.reads[layer.index]]


def _of(held: Mapping[int, Array], names: Sequence[int]) -> Iterator[Array]:
    return (held[name] for name in names if name in held)
