"""The network as it is: one group, one tile."""

from __future__ import annotations

from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem


def untiled(problem: Problem) -> Configuration:
    """`1x1/NoCut`, whatever the limits."""
    return Configuration((Group(0, len(problem.layers) - 1),))
