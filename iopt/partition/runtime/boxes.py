"""Boxes: a part of a `channels x height x width` tensor, all columns of some rows of some channels."""

from __future__ import annotations

from typing import NamedTuple

from iopt.graph.layers import Shape
from iopt.partition.plan import Interval


class Box(NamedTuple):
    """Half-open intervals of channels and rows of a tensor; an empty one of either is nothing."""

    channels: Interval
    rows: Interval

    @staticmethod
    def all_of(shape: Shape) -> Box:
        return Box((0, shape.channels), (0, shape.height))

    @property
    def size(self) -> tuple[int, int]:
        """Number of channels, and of rows."""
        return self.channels[1] - self.channels[0], self.rows[1] - self.rows[0]

    def __bool__(self) -> bool:
        return min(self.size) > 0

    def meet(self, other: Box) -> Box:
        """What lies in both; `NOTHING` where that is empty."""
        channels, rows = ((max(mine[0], its[0]), min(mine[1], its[1])) for mine, its in zip(self, other, strict=True))
        return Box(channels, rows) if channels[1] > channels[0] and rows[1] > rows[0] else NOTHING

    def within(self, outer: Box) -> tuple[slice, slice]:
        """The index of this box in a tensor that holds just `outer`."""
        first, second = (slice(mine[0] - its[0], mine[1] - its[0]) for mine, its in zip(self, outer, strict=True))
        return first, second


NOTHING = Box((0, 0), (0, 0))
