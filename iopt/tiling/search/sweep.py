"""The sweep over units under `table.py`: the tiles of all groups and tilings, from the last layer to the first.

Arrays are [last layers, tiles]: a row for every layer b that ends a unit, and in it the tiles of all tilings, see
`regions.Order`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Reuse
from iopt.tiling.predictors import copied_bytes, scratch_bytes, tile_bytes
from iopt.tiling.problem import Problem
from iopt.tiling.regions import Array, order
from iopt.tiling.rim import rim_cells
from iopt.tiling.search.blocks import Block
from iopt.tiling.search.sides import Side
from iopt.tiling.search.strips import Strips, strips
from iopt.tiling.units import Unit

NEVER = 2**62
"""Peak of what is not admissible."""

Floats = NDArray[np.float64]
Cells = dict[int, Array]
"""Output cells that tiles compute, by layer."""


@dataclass(frozen=True)
class Costs:
    """Of groups with one first unit; arrays [last units from that one on, tilings]. `peak`: of tiles and strips,
    without whole maps; `NEVER` where a tile would be empty. `seconds`: None without a host model."""

    peak: Array
    macs: Array
    seconds: Floats | None


class Sweep:
    """Goes from unit to unit towards the first; `to` gives the costs of groups that begin there."""

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

    def can_tile(self, unit: Unit) -> bool:
        """Whether groups with the unit may be tiled: neither reuse nor darknet's crop knows branches."""
        if any(layer.whole for layer in self.problem.layers[unit.first : unit.last + 1]):
            return False
        return not unit.is_block or (self.problem.crop == "exact" and not self.reuse)

    def to(self, unit: Unit) -> Costs:
        """The costs of groups whose first unit this is, one before that of the last call."""
        layers = self.problem.layers[unit.first : unit.last + 1]
        self._enter(layers[-1])
        peak, cells = self._block(layers) if unit.is_block else self._layer(layers[0])
        for layer in layers:
            done = np.add.reduceat(cells[layer.index], self.order.starts, axis=1)
            self._macs = self._macs + layer.cell_macs * done
        return Costs(np.where(self._admissible(), peak, NEVER), self._macs, self._spent(cells))

    def _layer(self, layer: Layer) -> tuple[Array, Cells]:
        """The peak of groups that begin with a layer, and the cells that tiles compute there."""
        computed = (
            self.rows.computed(self.order.row, self.order),
            self.columns.computed(self.order.column, self.order),
        )
        works = self._active & (computed[0] > 0) & (computed[1] > 0)
        held = strips(self.order, self.rows, self.columns, self._active, works) if self.reuse else None
        cells, first, rest = self._work(layer, works, computed[0] * computed[1])
        after = self._after(layer, cells, held)
        self._active = works
        peak = self._most(np.maximum(first, after))
        self._needs = np.maximum(rest, after)
        return peak, {layer.index: cells}

    def _block(self, layers: Sequence[Layer]) -> tuple[Array, Cells]:
        """The same of groups that begin with a block."""
        block = Block(self.problem, layers, self.rows.over(layers), self.columns.over(layers), self.order)
        peak = self._most(np.maximum(block.needs(True), self._needs))
        self._needs = np.maximum(block.needs(False), self._needs)
        self._active = np.ones_like(self._active)
        return peak, block.cells

    def _enter(self, layer: Layer) -> None:
        """A row in front of everything, for groups that end with this layer."""
        self.rows.enter(layer)
        self.columns.enter(layer)
        self._active = np.pad(self._active, ((1, 0), (0, 0)), constant_values=True)
        self._needs, self._kept, self._macs = (
            np.pad(array, ((1, 0), (0, 0))) for array in (self._needs, self._kept, self._macs)
        )
        self._seconds = np.pad(self._seconds, ((1, 0), (0, 0)))

    def _work(self, layer: Layer, works: NDArray[np.bool_], wanted: Array) -> tuple[Array, Array, Array]:
        """Cells that tiles compute at the layer, and what they need where it is the group's first and where not; moves
        the regions on to the layer's input."""
        problem, order = self.problem, self.order
        height, top, bottom = self.rows.read(layer, order.row, order)
        width, left, right = self.columns.read(layer, order.column, order)
        cells = np.where(works, rim_cells(layer, height, width) if problem.crop == "rim" else wanted, 0)
        i = layer.input.channels * ELEMENT_BYTES * height * width
        padding = (top, bottom, left, right)
        o = layer.output.channels * ELEMENT_BYTES * cells
        x = scratch_bytes(problem.predictor, problem.backend, layer, cells)
        weights = problem.streamed_bytes(layer)

        def needs(held: Array | int, alive: Array | int, view: Array | int) -> Array:
            q = copied_bytes(problem.predictor, problem.backend, layer, held, height, width, padding)
            return np.where(works, tile_bytes(problem.predictor, alive, alive, view, q, o, x) + weights, 0)

        return cells, needs(layer.input.width, 0, i), needs(width, i, 0)

    def _after(self, layer: Layer, cells: Array, held: Strips | None) -> Array:
        """The most from when the layer has computed to the end of the tile; counts from what is alive when the layer
        begins."""
        if held is None:
            return self._needs
        channel = layer.output.channels * ELEMENT_BYTES
        self._kept = self._kept + channel * held.change
        assembly = np.where(held.takes, channel * (cells + held.cells), 0)
        return np.asarray(np.maximum(assembly, self._needs + channel * held.change))

    def _most(self, needs: Array) -> Array:
        """Per tiling the most of its tiles, with the strips that are alive when each begins: those kept, less those
        taken, by the tiles before it."""
        starts = self.order.starts
        if self.reuse:
            before = np.cumsum(self._kept, axis=1) - self._kept
            needs = needs + before - np.repeat(before[:, starts], self.tiles, axis=1)
        return np.maximum.reduceat(needs, starts, axis=1)

    def _spent(self, cells: Cells) -> Floats | None:
        """Seconds of the groups, in place."""
        host = self.problem.host
        if host is None:
            return None
        for index, own in cells.items():
            self._seconds = self._seconds + np.add.reduceat(host.seconds(index, own), self.order.starts, axis=1)
        return np.asarray(self._seconds + self.tiles * host.cut_s)

    def _admissible(self) -> NDArray[np.bool_]:
        both = self.rows.admissible[:, :, None] & self.columns.admissible[:, None, :]
        return both.reshape(len(both), -1)
