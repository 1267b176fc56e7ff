"""How many plans a problem has."""

from __future__ import annotations

import math

from iopt.partition.plan import Axis
from iopt.partition.problem import Mode, Problem


def cuts(size: int, unit: int, devices: int) -> int:
    """Number of ways to cut `size` into one interval per device, on multiples of `unit`."""
    return math.comb(size // unit + devices - 1, devices - 1)


def split_count(mode: Mode, channels: int, devices: int) -> int:
    """Number of splits of an operator with that many output channels in one mode."""
    combines = 1 + cuts(channels, 1, devices) if mode.axis is Axis.IC else 1
    return cuts(mode.size, mode.unit, devices) * combines


def plan_count(problem: Problem) -> int:
    """Number of plans of the decision space (without `via`)."""
    devices = len(problem.cluster)
    return math.prod(
        sum(split_count(mode, operator.output_shape.channels, devices) for mode in modes)
        for operator, modes in zip(problem.operators, problem.modes, strict=True)
    )
