"""The sweep over segments under `table.py`: the tiles of all groups and tilings, from the last layer to the first.

Arrays are [last layers, tiles]: a row for every layer b that ends a segment, and in it the tiles of all tilings, see
`regions.TileOrder`. A layer is a segment like a block of branches; reuse and darknet's crop are for layers alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Reuse
from iopt.tiling.problem import Problem
from iopt.tiling.regions import Array, tile_order
from iopt.tiling.search.segment_tiles import SegmentTiles
from iopt.tiling.search.sides import Side
from iopt.tiling.search.strips import Strips, strips
from iopt.tiling.segments import Segment

NEVER = 2**62
"""Peak of what is not admissible."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """Of groups with one first segment; arrays [last segments from that one on, tilings]. `peak`: of tiles and strips,
    without whole maps; `NEVER` where a tile would be empty. `seconds`: None without a host model."""

    peak: Array
    macs: Array
    seconds: Floats | None


class Sweep:
    """Goes from segment to segment towards the first; `to` gives the costs of groups that begin there."""

    def __init__(self, problem: Problem, reuse: Reuse) -> None:
        self.problem, self.reuse = problem, reuse == "checkerboard"
        self.order = tile_order(problem.max_tiles, self.reuse)
        self.tiles = np.diff(np.append(self.order.starts, len(self.order.row)))
        self.restart()

    def restart(self) -> None:
        """No group before reaches over what was seen so far."""
        most, grid, tiles = self.problem.max_tiles, self.problem.grid, len(self.order.row)
        self.rows, self.columns = (Side(side, most, grid, self.reuse, self.order) for side in (0, 1))
        self._needs, self._kept = (np.zeros((0, tiles), dtype=np.int64) for _ in range(2))
        self._macs, self._seconds = np.zeros((0, most * most), dtype=np.int64), np.zeros((0, most * most))

    def can_tile(self, segment: Segment) -> bool:
        """Whether groups with the segment may be tiled: neither reuse nor darknet's crop knows branches."""
        if any(layer.whole for layer in self.problem.layers[segment.first : segment.last + 1]):
            return False
        return not segment.is_block or (self.problem.crop == "exact" and not self.reuse)

    def to(self, segment: Segment) -> Costs:
        """The costs of groups whose first segment this is, one before that of the last call."""
        layers = self.problem.layers[segment.first : segment.last + 1]
        self._enter(layers[-1])
        held = strips(self.order, self.rows, self.columns) if self.reuse else None
        tiles = SegmentTiles(self.problem, layers, self.rows.over(layers), self.columns.over(layers))
        for layer in layers:
            done = np.add.reduceat(tiles.cells[layer.index], self.order.starts, axis=1)
            self._macs = self._macs + layer.cell_macs * done
        peak = np.where(self._admissible(), self._peak(tiles, held), NEVER)
        return Costs(peak, self._macs, self._spent(tiles, held))

    def _enter(self, layer: Layer) -> None:
        """A row in front of everything, for groups that end with this layer."""
        self.rows.enter(layer)
        self.columns.enter(layer)
        self._needs, self._kept, self._macs = (
            np.pad(array, ((1, 0), (0, 0))) for array in (self._needs, self._kept, self._macs)
        )
        self._seconds = np.pad(self._seconds, ((1, 0), (0, 0)))

    def _peak(self, tiles: SegmentTiles, held: Strips | None) -> Array:
        """Of the groups that begin with the segment; goes on with those where it is not the first."""
        after = self._after(tiles, held)
        peak = self._most(np.maximum(tiles.needs(True), after))
        self._needs = np.maximum(tiles.needs(False), after)
        return peak

    def _after(self, tiles: SegmentTiles, held: Strips | None) -> Array:
        """The most from when the segment has computed to the end of the tile; counts from what is alive when the
        segment begins."""
        if held is None:
            return self._needs
        layer = tiles.layers[-1]
        channel = layer.output.channels * ELEMENT_BYTES
        self._kept = self._kept + channel * held.change
        assembly = np.where(held.taken > 0, channel * (tiles.cells[layer.index] + held.cells), 0)
        return np.asarray(np.maximum(assembly, self._needs + channel * held.change))

    def _most(self, needs: Array) -> Array:
        """Per tiling the most of its tiles, with the strips that are alive when each begins: those kept, less those
        taken, by the tiles before it."""
        starts = self.order.starts
        if self.reuse:
            before = np.cumsum(self._kept, axis=1) - self._kept
            needs = needs + before - np.repeat(before[:, starts], self.tiles, axis=1)
        return np.maximum.reduceat(needs, starts, axis=1)

    def _spent(self, tiles: SegmentTiles, held: Strips | None) -> Floats | None:
        """Seconds of the groups that begin with the segment; goes on with those where it is not the first."""
        host = self.problem.host
        if host is None:
            return None
        computing = sum(host.seconds(index, cells) for index, cells in tiles.cells.items())
        moved = _moved(tiles, held)

        def spent(is_first: bool) -> Floats:
            *inner, last = tiles.layers
            ticks = computing + host.copying(tiles.copied(last, is_first) + moved)
            for layer in inner:
                ticks = ticks + host.copying(tiles.copied(layer, is_first))
            return self._seconds + np.add.reduceat(ticks, self.order.starts, axis=1)

        first, self._seconds = spent(True), spent(False)
        return np.asarray(first + self.tiles * host.cut_s)

    def _admissible(self) -> NDArray[np.bool_]:
        both = self.rows.admissible[:, :, None] & self.columns.admissible[:, None, :]
        return both.reshape(len(both), -1)


def _moved(tiles: SegmentTiles, held: Strips | None) -> Array:
    """Bytes that tiles copy of the map that the segment writes: to keep strips, to put a map together, and where the
    segment is the last one into the output map of the group."""
    layer = tiles.layers[-1]
    wanted = tiles.map_cells(layer.index)
    cells = np.zeros_like(wanted) if held is None else held.kept + held.cells
    cells[0] += wanted[0]
    return layer.output.channels * ELEMENT_BYTES * cells
