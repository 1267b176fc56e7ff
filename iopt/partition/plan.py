"""A plan: for every operator the axis it is split along and the interval of each device. No cost in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from iopt.door.wording import shown
from iopt.errors import PlanError

Interval = tuple[int, int]
"""Half-open `[lo, hi)`; `lo == hi` is empty: the device does not take part."""


class Axis(StrEnum):
    """Output rows, output channels or input channels."""

    H = "H"
    OC = "OC"
    IC = "IC"


@dataclass(frozen=True)
class Scatter:
    """Reduce-scatter of the partial sums: device j receives the channels `intervals[j]` of the pre tensor and applies
    the epilogue."""

    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Direct:
    """Every consumer receives the partial sums of the region that it needs, adds them and applies the epilogue
    itself."""


@dataclass(frozen=True)
class Split:
    """How one operator is split. `intervals` has one interval per device, in device order.

    `along = "rows"` (IC of a linear operator after a flatten): the intervals count rows of the tensor before the
    flatten. `combine` says how the partial sums of an IC split meet; None for the other axes. `via = "source"`: the
    output is gathered on the source and sent to its consumers from there (MoDNN). The name of an axis becomes one;
    raises `PlanError` for any other.
    """

    operator: str
    axis: Axis
    intervals: tuple[Interval, ...]
    along: Literal["rows"] | None = None
    combine: Direct | Scatter | None = None
    via: Literal["source"] | None = None

    def __post_init__(self) -> None:
        if type(self.axis) is not Axis:
            object.__setattr__(self, "axis", _axis(self.axis, self.operator))


def _axis(value: object, operator: object) -> Axis:
    if not isinstance(value, str) or value not in tuple(Axis):
        expected = " or ".join(repr(axis.value) for axis in Axis)
        raise PlanError(f"operator {operator!r}: axis is {shown(value)}; expected {expected}")
    return Axis(value)


@dataclass(frozen=True)
class Plan:
    """One `Split` per operator, in the order of the graph."""

    splits: tuple[Split, ...]

    @property
    def devices(self) -> tuple[int, ...]:
        """Who computes something or receives channels in a reduce-scatter, in order."""
        spreads = (split.combine.intervals for split in self.splits if isinstance(split.combine, Scatter))
        shares = [*(split.intervals for split in self.splits), *spreads]
        return tuple(sorted({index for share in shares for index, (lo, hi) in enumerate(share) if hi > lo}))


def intervals_from(shares: tuple[int, ...] | list[int]) -> tuple[Interval, ...]:
    """Consecutive intervals with the given lengths."""
    bounds = [0]
    for share in shares:
        bounds.append(bounds[-1] + int(share))
    return tuple(pairwise(bounds))
