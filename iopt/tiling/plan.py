"""A plan: groups of layers, each with its tiling. No cost in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reuse = Literal["none", "checkerboard"]


@dataclass(frozen=True)
class Group:
    """Layers `first` ... `last`, both included, run tile by tile; the output map is cut into `rows` x `columns` tiles.

    `reuse`: `none` computes the overlap of neighbouring tiles in each of them; `checkerboard` (DeepThings) runs the
    tiles with an even sum of indices first, and keeps what their neighbours will read. A 1 x 1 group runs untiled.
    """

    first: int
    last: int
    rows: int = 1
    columns: int = 1
    reuse: Reuse = "none"

    @property
    def is_tiled(self) -> bool:
        return self.rows * self.columns > 1


@dataclass(frozen=True)
class Configuration:
    """Groups in order, which together hold every layer once. Between groups the whole map exists."""

    groups: tuple[Group, ...]
