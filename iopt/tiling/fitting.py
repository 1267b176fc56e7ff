"""What must hold of a configuration for a network: every layer in one group, and tilings that its layers allow."""

from __future__ import annotations

from iopt.errors import PlanError
from iopt.tiling.grids import bounds, finest
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem

MOST_STEPS = 250_000
"""Layers x tiles of a configuration at most: to judge it takes some ten seconds then."""


def check(problem: Problem, configuration: Configuration) -> None:
    """Raise `PlanError` unless the groups hold every layer once, each can be tiled as it says, and all have few enough
    tiles."""
    layers, stop = problem.layers, 0
    if not configuration.groups:
        raise PlanError("the configuration has no groups")
    for group in configuration.groups:
        where = f"group of layers {group.first} ... {group.last}"
        if group.first != stop or not group.first <= group.last < len(layers):
            raise PlanError(f"{where}: expected groups that follow each other from layer 0 to {len(layers) - 1}")
        if min(group.rows, group.columns) < 1:
            raise PlanError(f"{where}: it has {group.rows}x{group.columns} tiles; expected 1 or more")
        if group.reuse not in ("none", "checkerboard"):
            raise PlanError(f"{where}: reuse is {group.reuse!r}; expected 'none' or 'checkerboard'")
        if group.is_tiled:
            check_tiling(problem, group, where)
        stop = group.last + 1
    if stop != len(layers):
        raise PlanError(f"the configuration ends with layer {stop - 1}; the network ends with {len(layers) - 1}")
    steps = sum((group.last - group.first + 1) * group.rows * group.columns for group in configuration.groups)
    if steps > MOST_STEPS:
        raise PlanError(f"the configuration has {steps:,} layers times tiles; expected {MOST_STEPS:,} or fewer")


def check_tiling(problem: Problem, group: Group, where: str) -> None:
    """Raise `PlanError`, beginning with `where`, unless a tiled group may be tiled so."""
    for layer in problem.layers[group.first : group.last + 1]:
        if layer.whole:
            raise PlanError(f"{where}: {layer.name} cannot be tiled: {layer.whole}; expected 1x1")
    if group.reuse != "none" and problem.crop == "rim":
        raise PlanError(f"{where}: reuse does not go with crop 'rim'")
    output = problem.layers[group.last].output
    for what, size, count in (("rows", output.height, group.rows), ("columns", output.width, group.columns)):
        if bounds(size, count, problem.grid) is None:
            most = finest(size, count, problem.grid)
            raise PlanError(
                f"{where}: {count} {what} of tiles on a map of {size} leave one empty; expected {most} or fewer"
            )
