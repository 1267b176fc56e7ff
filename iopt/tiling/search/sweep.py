"""The sweep over units under `table.py`: the tiles of all groups and tilings, from the last layer to the first.

Arrays are [last layers, tiles]: a row for every layer b that ends a unit, and in it the tiles of all tilings, see
`regions.Order`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from iopt.tiling.search.blocks import Block
from iopt.tiling.search.sides import Side
from iopt.tiling.search.strips import Strips, strips
from iopt.tiling.units import Unit

NEVER = 2**62
"""Peak of what is not admissible."""

Floats = NDArray[np.float64]
Cells = dict[int, Array]
"""Of each layer of a unit, [last layers, tiles]."""


@dataclass(frozen=True)
class _Reads:
    """Cells of the input that tiles read at a layer, and those padded around them."""

    height: Array
    width: Array
    padding: Sides


@dataclass(frozen=True)
class _Passed:
    """What a sweep found at a unit. `peak`: of groups that begin with it; `cells`: those that tiles compute; `copies`:
    bytes that they copy, by whether the unit is the first of its group."""

    peak: Array
    cells: Cells
    copies: Callable[[bool], Cells]


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
        passed = self._block(layers) if unit.is_block else self._layer(layers[0])
        for layer in layers:
            done = np.add.reduceat(passed.cells[layer.index], self.order.starts, axis=1)
            self._macs = self._macs + layer.cell_macs * done
        return Costs(np.where(self._admissible(), passed.peak, NEVER), self._macs, self._spent(passed))

    def _layer(self, layer: Layer) -> _Passed:
        """Of groups that begin with a layer."""
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
        moved = _moved(layer, wanted, held)

        def copies(is_first: bool) -> Cells:
            q = self._copied(copier(self.problem.predictor), layer, is_first, reads)
            return {layer.index: np.where(works, q, 0) + moved}

        return _Passed(peak, {layer.index: cells}, copies)

    def _block(self, layers: Sequence[Layer]) -> _Passed:
        """The same of groups that begin with a block."""
        block = Block(self.problem, layers, self.rows.over(layers), self.columns.over(layers), self.order)
        peak = self._most(np.maximum(block.needs(True), self._needs))
        self._needs = np.maximum(block.needs(False), self._needs)
        self._active = np.ones_like(self._active)
        return _Passed(peak, block.cells, block.copies)

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
            alive, view = (0, i) if is_first else (i, 0)
            q = self._copied(problem.predictor, layer, is_first, reads)
            return np.where(works, tile_bytes(problem.predictor, alive, alive, view, q, o, x) + weights, 0)

        return cells, needs(True), needs(False)

    def _copied(self, predictor: Predictor, layer: Layer, is_first: bool, reads: _Reads) -> Array:
        """Bytes that tiles copy of what they read."""
        held = layer.input.width if is_first else reads.width
        size = reads.height, reads.width
        return np.asarray(copied_bytes(predictor, self.problem.backend, layer, held, *size, reads.padding))

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

    def _spent(self, passed: _Passed) -> Floats | None:
        """Seconds of the groups that begin with the unit; goes on with those where it is not the first."""
        host = self.problem.host
        if host is None:
            return None
        computing = {index: host.seconds(index, cells) for index, cells in passed.cells.items()}

        def spent(is_first: bool) -> Floats:
            copied = passed.copies(is_first)
            ticks = sum(own + host.copying(copied[index]) for index, own in computing.items())
            return self._seconds + np.add.reduceat(ticks, self.order.starts, axis=1)

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
