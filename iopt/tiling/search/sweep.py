"""The sweep over layers under `table.py`: the tiles of all groups and tilings, from the last layer to the first.

Arrays are [last layers, tiles]: the row of last layer b, and the tiles of all tilings in a row, see `regions.Order`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Reuse
from iopt.tiling.predictors import Predictor, Sides, copied_bytes, copier, scratch_bytes, tile_bytes
from iopt.tiling.problem import Problem
from iopt.tiling.regions import Array, order
from iopt.tiling.rim import rim_cells
from iopt.tiling.search.sides import Side
from iopt.tiling.search.strips import Strips, strips

NEVER = 2**62
"""Peak of what is not admissible."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Reads:
    """Cells of the input that tiles read at a layer, and those padded around them."""

    height: Array
    width: Array
    padding: Sides


@dataclass(frozen=True)
class Costs:
    """Of groups with one first layer; arrays [last layers from that one on, tilings]. `peak`: of tiles and strips,
    without whole maps; `NEVER` where a tile would be empty. `seconds`: None without a host model."""

    peak: Array
    macs: Array
    seconds: Floats | None


class Sweep:
    """Goes from layer to layer towards the first; `to` gives the costs of groups that begin there."""

    def __init__(self, problem: Problem, reuse: Reuse) -> None:
        self.problem, self.reuse = problem, reuse == "checkerboard"
        self.order = order(problem.max_tiles, self.reuse)
        self.tiles = np.diff(np.append(self.order.starts, len(self.order.row)))
        self.restart()

    def restart(self) -> None:
        """No group before reaches over what was seen so far."""
        most, tiles = self.problem.max_tiles, len(self.order.row)
        self.rows, self.columns = (Side(side, most, self.problem.grid, self.reuse) for side in (0, 1))
        self._active = np.zeros((0, tiles), dtype=bool)
        self._needs, self._kept = (np.zeros((0, tiles), dtype=np.int64) for _ in range(2))
        self._macs, self._seconds = np.zeros((0, most * most), dtype=np.int64), np.zeros((0, most * most))

    def to(self, index: int) -> Costs:
        """The costs of groups whose first layer is `index`, one before that of the last call."""
        layer = self.problem.layers[index]
        self._enter(layer)
        computed = (
            self.rows.computed(self.order.row, self.order),
            self.columns.computed(self.order.column, self.order),
        )
        wanted = computed[0] * computed[1]
        works = self._active & (wanted > 0)
        held = strips(self.order, self.rows, self.columns, self._active, works) if self.reuse else None
        reads = self._read(layer)
        cells, first, rest = self._work(layer, works, wanted, reads)
        after = self._after(layer, cells, held)
        self._active = works
        peak = self._most(np.maximum(first, after))
        self._needs = np.maximum(rest, after)
        self._macs = self._macs + layer.cell_macs * np.add.reduceat(cells, self.order.starts, axis=1)
        seconds = self._spent(layer, works, cells, reads, _moved(layer, wanted, held))
        return Costs(np.where(self._admissible(), peak, NEVER), self._macs, seconds)

    def _enter(self, layer: Layer) -> None:
        """A row in front of everything, for groups that end with this layer."""
        self.rows.enter(layer)
        self.columns.enter(layer)
        self._active = np.pad(self._active, ((1, 0), (0, 0)), constant_values=True)
        self._needs, self._kept, self._macs = (
            np.pad(array, ((1, 0), (0, 0))) for array in (self._needs, self._kept, self._macs)
        )
        self._seconds = np.pad(self._seconds, ((1, 0), (0, 0)))

    def _read(self, layer: Layer) -> _Reads:
        """Moves the regions on to the layer's input."""
        height, top, bottom = self.rows.read(layer, self.order.row, self.order)
        width, left, right = self.columns.read(layer, self.order.column, self.order)
        return _Reads(height, width, (top, bottom, left, right))

    def _work(self, layer: Layer, works: NDArray[np.bool_], wanted: Array, reads: _Reads) -> tuple[Array, Array, Array]:
        """Cells that tiles compute at the layer, and what they need where it is the group's first and where not."""
        problem = self.problem
        cells = np.where(works, rim_cells(layer, reads.height, reads.width) if problem.crop == "rim" else wanted, 0)
        i = layer.input.channels * ELEMENT_BYTES * reads.height * reads.width
        o = layer.output.channels * ELEMENT_BYTES * cells
        x = scratch_bytes(problem.predictor, problem.backend, layer, cells)
        weights = problem.streamed_bytes(layer)

        def needs(is_first: bool) -> Array:
            q = self._copied(problem.predictor, layer, is_first, reads)
            return np.where(works, tile_bytes(problem.predictor, is_first, i, q, o, x) + weights, 0)

        return cells, needs(True), needs(False)

    def _copied(self, predictor: Predictor, layer: Layer, is_first: bool, reads: _Reads) -> Array:
        """Bytes that tiles copy of what they read."""
        size = reads.height, reads.width
        return np.asarray(copied_bytes(predictor, self.problem.backend, layer, is_first, *size, reads.padding))

    def _after(self, layer: Layer, cells: Array, held: Strips | None) -> Array:
        """The most from when the layer has computed to the end of the tile; counts from what is alive when the layer
        begins."""
        if held is None:
            return self._needs
        channel = layer.output.channels * ELEMENT_BYTES
        self._kept = self._kept + channel * held.change
        assembly = np.where(held.taken > 0, channel * (cells + held.cells), 0)
        return np.asarray(np.maximum(assembly, self._needs + channel * held.change))

    def _most(self, needs: Array) -> Array:
        """Per tiling the most of its tiles, with the strips that are alive when each begins: those kept, less those
        taken, by the tiles before it."""
        starts = self.order.starts
        if self.reuse:
            before = np.cumsum(self._kept, axis=1) - self._kept
            needs = needs + before - np.repeat(before[:, starts], self.tiles, axis=1)
        return np.maximum.reduceat(needs, starts, axis=1)

    def _spent(
        self, layer: Layer, works: NDArray[np.bool_], cells: Array, reads: _Reads, moved: Array
    ) -> Floats | None:
        """Seconds of the groups that begin with the layer; goes on with those where it is not the first. `moved`: bytes
        copied of what is computed."""
        host, executor = self.problem.host, copier(self.problem.predictor)
        if host is None:
            return None
        computing = host.seconds(layer.index, cells)

        def spent(is_first: bool) -> Floats:
            q = np.where(works, self._copied(executor, layer, is_first, reads), 0)
            return self._seconds + np.add.reduceat(computing + host.copying(moved + q), self.order.starts, axis=1)

        first, self._seconds = spent(True), spent(False)
        return np.asarray(first + self.tiles * host.cut_s)

    def _admissible(self) -> NDArray[np.bool_]:
        both = self.rows.admissible[:, :, None] & self.columns.admissible[:, None, :]
        return both.reshape(len(both), -1)


def _moved(layer: Layer, wanted: Array, held: Strips | None) -> Array:
    """Bytes that tiles copy of a layer's output: to keep strips, to put a map together, and where it is the last layer
    into the output map of the group."""
    cells = np.zeros_like(wanted) if held is None else held.kept + held.cells
    cells[0] += wanted[0]
    return layer.output.channels * ELEMENT_BYTES * cells
