"""The strips of all checkerboard tilings at one layer's output: what odd tiles take, and even ones keep for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iopt.tiling.regions import Array, TileOrder
from iopt.tiling.search.sides import Side


@dataclass(frozen=True)
class Strips:
    """Arrays [last layers, tiles]. `kept`, `taken`: cells of the strips that a tile keeps for others, and takes over;
    `cells`: of the map that it puts together of those taken and its own part, 0 where none are."""

    kept: Array
    taken: Array
    cells: Array

    @property
    def change(self) -> Array:
        """Cells that more are alive after the tile than before it."""
        return self.kept - self.taken


def strips(order: TileOrder, rows: Side, columns: Side) -> Strips:
    """Of the map that rows and columns have come to.

    Strips on the left and right go over all rows of a tile's region, those above and below over the columns in between.
    """
    height, width = rows.odd.size[:, order.row], columns.core.size[:, order.column]
    left, right, above, below = (
        np.where(order.is_odd, cells, 0)
        for cells in (
            height * columns.before[:, order.column],
            height * columns.after[:, order.column],
            rows.before[:, order.row] * width,
            rows.after[:, order.row] * width,
        )
    )
    taken = left + right + above + below
    kept = _of(left, order.right) + _of(right, order.left) + _of(above, order.below) + _of(below, order.above)
    held = np.where(taken > 0, height * columns.odd.size[:, order.column], 0)
    return Strips(kept, taken, held)


def _of(strip: Array, neighbour: Array) -> Array:
    """The neighbour's strip; nothing where there is none."""
    return np.where(neighbour >= 0, strip[:, neighbour], 0)
