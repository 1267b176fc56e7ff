"""Plans as arrays, checked on the way in; any number of plans at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.door.given import check_kind
from iopt.door.wording import shown
from iopt.errors import PlanError
from iopt.partition.geometry import IC, IC_ROWS, OC, Geometry, H, Ints
from iopt.partition.plan import Axis, Direct, Interval, Plan, Scatter, Split
from iopt.partition.problem import Problem


@dataclass(frozen=True)
class Decisions:
    """Modes [..., n] (codes of `geometry`), intervals [..., n, m], and for reduce-scatters those of the scattered
    channels."""

    mode: Ints
    lo: Ints
    hi: Ints
    scatter: NDArray[np.bool_]
    scatter_lo: Ints
    scatter_hi: Ints
    via: NDArray[np.bool_]

    @staticmethod
    def of(problem: Problem, geometry: Geometry, plan: Plan) -> Decisions:
        """Raises `PlanError` where the plan does not fit the problem."""
        check(problem, geometry, plan)
        return Decisions.of_splits(plan.splits, len(problem.cluster))

    @staticmethod
    def of_splits(splits: Sequence[Split], devices: int) -> Decisions:
        """Splits as they are, one after another."""
        empty = ((0, 0),) * devices
        own = np.array([split.intervals for split in splits], dtype=np.int64)
        scattered = np.array(
            [split.combine.intervals if isinstance(split.combine, Scatter) else empty for split in splits],
            dtype=np.int64,
        )
        return Decisions(
            np.array([split_code(split) for split in splits]),
            own[..., 0],
            own[..., 1],
            np.array([isinstance(split.combine, Scatter) for split in splits]),
            scattered[..., 0],
            scattered[..., 1],
            np.array([split.via == "source" for split in splits]),
        )


def split_code(split: Split) -> int:
    if split.along == "rows":
        return IC_ROWS
    return {Axis.H: H, Axis.OC: OC, Axis.IC: IC}[split.axis]


def check(problem: Problem, geometry: Geometry, plan: Plan) -> None:
    """Raise `PlanError` unless every operator is split along an axis it may take, by intervals that partition it."""
    check_kind(plan, Plan, "plan")
    if not isinstance(plan.splits, tuple | list) or not all(isinstance(split, Split) for split in plan.splits):
        raise PlanError(f"plan: splits is {shown(plan.splits)}; expected a Split for each operator, in a tuple")
    names = [operator.name for operator in problem.operators]
    if [split.operator for split in plan.splits] != names:
        raise PlanError(f"the plan is not for {problem.graph.name}: its operators are not {', '.join(names)}")
    for index, (split, operator) in enumerate(zip(plan.splits, problem.operators, strict=True)):
        code = split_code(split)
        size, unit = int(geometry.size[index, code]), int(geometry.unit[index, code])
        where = f"operator {split.operator!r}"
        _check_words(split, where)
        if size == 0 or (split.along == "rows" and split.axis is not Axis.IC):
            along = f" along {split.along}" if split.along else ""
            raise PlanError(f"{where}: axis {split.axis}{along} is not one it may take")
        _check_intervals(split.intervals, size, unit, len(problem.cluster), f"{where}: intervals")
        if (split.combine is not None) != (split.axis is Axis.IC):
            raise PlanError(f"{where}: combine belongs to axis IC, and to it alone")
        if isinstance(split.combine, Scatter):
            channels = operator.output_shape.channels
            _check_intervals(split.combine.intervals, channels, 1, len(problem.cluster), f"{where}: combine.intervals")
        if split.via is not None and isinstance(split.combine, Direct):
            raise PlanError(f"{where}: via needs a tensor, combine direct leaves partial sums")


def _check_words(split: Split, where: str) -> None:
    for key, word in (("along", "rows"), ("via", "source")):
        if getattr(split, key) not in (None, word):
            raise PlanError(f"{where}: {key} is {shown(getattr(split, key))}; expected {word!r} or None")
    if not isinstance(split.combine, Direct | Scatter | None):
        raise PlanError(f"{where}: combine is {shown(split.combine)}; expected Direct(), a Scatter or None")


def _check_intervals(intervals: tuple[Interval, ...], size: int, unit: int, devices: int, where: str) -> None:
    """Consecutive intervals, one per device, that partition `[0, size)` on multiples of `unit`."""
    if not isinstance(intervals, tuple | list) or not all(map(_is_interval, intervals)):
        raise PlanError(f"{where}: {shown(intervals)}; expected (lo, hi) for each device, whole numbers")
    if len(intervals) != devices:
        raise PlanError(f"{where}: {len(intervals)} given for {devices} devices")
    at = 0
    for lo, hi in intervals:
        if lo != at or hi < lo:
            raise PlanError(
                f"{where}: [{lo}, {hi}] does not continue at {at}; expected consecutive intervals from 0 to {size}"
            )
        if hi % unit:
            raise PlanError(f"{where}: {hi} is not on a group boundary (a multiple of {unit})")
        at = hi
    if at != size:
        raise PlanError(f"{where}: they end at {at}; expected {size}")


def _is_interval(value: object) -> bool:
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(end, int | np.integer) and not isinstance(end, bool) for end in value)
    )
