"""How long a host takes for a tile: per layer a function of the cells that it computes. Values, measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import OptionError

MOST_S, MOST_CELLS = 1e6, 2.0**53
"""No call takes so long, and no map has so many cells."""

TICK_S = 2.0**-40
"""About a picosecond. Times are whole ticks, so that sums up to an hour are exact in floating point, and the same in
any order: equal configurations are equally fast."""


def ticked(seconds: Any) -> Any:
    """Rounded to whole ticks."""
    return np.round(np.asarray(seconds) / TICK_S) * TICK_S


@dataclass(frozen=True)
class LayerTime:
    """Seconds of one layer for output regions of so many cells (rows x columns), straight between the points.

    Beyond the last point it goes on as between the last two, before the first it is the first one's. Raises
    `OptionError` unless `cells` rise, by one or more, and `seconds` are as many numbers from zero to a million.
    """

    cells: tuple[float, ...]
    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        for key in ("cells", "seconds"):
            if not isinstance(getattr(self, key), tuple):
                raise OptionError(
                    f"{key} of a layer's time are {shown(getattr(self, key))}; expected a tuple of numbers"
                )
        if not self.cells or len(self.cells) != len(self.seconds):
            raise OptionError(
                f"a layer's time has {len(self.cells)} cells and {len(self.seconds)} seconds; expected equally many"
            )
        if not all(_is_within(value, MOST_S) for value in self.seconds):
            raise OptionError(f"a layer's time is {shown(self.seconds)} s; expected numbers from zero to {MOST_S:g}")
        if not all(_is_within(value, MOST_CELLS) for value in self.cells):
            raise OptionError(f"a layer's cells are {shown(self.cells)}; expected numbers from zero to 2**53")
        if any(after < before + 1 for before, after in pairwise(self.cells)):
            raise OptionError(f"a layer's cells are {shown(self.cells)}; expected rising numbers, one or more apart")

    def __call__(self, cells: Any) -> Any:
        """Seconds for a number of cells, or an array of them."""
        seconds = np.interp(cells, self.cells, self.seconds)
        if len(self.cells) > 1:
            slope = (self.seconds[-1] - self.seconds[-2]) / (self.cells[-1] - self.cells[-2])
            seconds = seconds + max(slope, 0.0) * np.maximum(np.asarray(cells) - self.cells[-1], 0)
        return seconds


@dataclass(frozen=True)
class HostModel:
    """`layers`: of every layer of the network; `call_s`: overhead of every call, that is of each layer of each tile;
    `tile_s`: overhead of each tile of a tiled group; `copy_s`: of every byte that such a tile copies, see `copies.py`.
    Raises `OptionError` unless each is a number of zero or more.
    """

    layers: tuple[LayerTime, ...]
    call_s: float = 0.0
    tile_s: float = 0.0
    copy_s: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.layers, tuple) or not all(isinstance(layer, LayerTime) for layer in self.layers):
            raise OptionError(f"layers of a host model are {shown(self.layers)}; expected a tuple of LayerTime")
        for key in ("call_s", "tile_s", "copy_s"):
            value = getattr(self, key)
            if not _is_within(value, MOST_S):
                raise OptionError(f"{key} is {shown(value)}; expected a number of seconds, from zero to {MOST_S:g}")

    def seconds(self, layer: int, cells: Any) -> Any:
        """Of a call for `cells` output cells of a layer (a number or an array); no cells, no call."""
        return np.where(np.asarray(cells) > 0, ticked(self.layers[layer](cells) + self.call_s), 0.0)

    def copying(self, count: Any) -> Any:
        """Seconds that one layer of a tile takes to copy so many bytes (a number or an array)."""
        return ticked(self.copy_s * count)

    @property
    def cut_s(self) -> float:
        """`tile_s` in whole ticks."""
        return float(ticked(self.tile_s))


def _is_within(value: object, most: float) -> bool:
    return is_number(value) and 0 <= value <= most
