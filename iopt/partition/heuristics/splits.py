"""Splits of one operator from weights of the devices, and the operators that are split by rows."""

from __future__ import annotations

import numpy as np

from iopt.graph.layers import Conv2d
from iopt.partition.geometry import Floats
from iopt.partition.heuristics.shares import round_shares
from iopt.partition.plan import Axis, Direct, Interval, Scatter, Split, intervals_from
from iopt.partition.problem import Mode, Problem


def mode_along(problem: Problem, index: int, axis: Axis) -> Mode | None:
    """The mode of an operator on that axis (IC: by channels), or None if it may not take it."""
    return next((mode for mode in problem.modes[index] if mode.axis is axis and mode.along is None), None)


def weighted(problem: Problem, index: int, axis: Axis, weights: Floats) -> Split:
    """The operator on `axis` (H or OC), shares in proportion to `weights` [m]."""
    return Split(problem.operators[index].name, axis, _intervals(problem, index, axis, weights))


def partial(problem: Problem, index: int, weights: Floats, scattered: bool) -> Split:
    """The operator on IC by channels; combined `direct`, or scattered with shares in proportion to the same weights."""
    combine = Scatter(_intervals(problem, index, Axis.OC, weights)) if scattered else Direct()
    intervals = _intervals(problem, index, Axis.IC, weights)
    return Split(problem.operators[index].name, Axis.IC, intervals, combine=combine)


def whole(problem: Problem, index: int, device: int) -> Split:
    """The operator on one device, as a degenerate OC split."""
    return weighted(problem, index, Axis.OC, np.eye(len(problem.cluster))[device])


def goes_by_rows(problem: Problem) -> tuple[bool, ...]:
    """Which operators CoEdge and MoDNN split by rows [n].

    Convolutions, with groups or without, and the weightless operators that come after rows and may take H; what follows
    a linear operator or a global pool is split by rows again only from the next convolution on.
    """
    found: list[bool] = []
    for index, operator in enumerate(problem.operators):
        after_rows = not found or found[-1]
        can = mode_along(problem, index, Axis.H) is not None
        found.append(can and (after_rows or isinstance(operator.body, Conv2d)))
    return tuple(found)


def _intervals(problem: Problem, index: int, axis: Axis, weights: Floats) -> tuple[Interval, ...]:
    mode = mode_along(problem, index, axis)
    assert mode is not None, f"{problem.operators[index].name} may not take {axis}"
    return intervals_from([int(share) for share in round_shares(mode.size, weights, mode.unit)])
