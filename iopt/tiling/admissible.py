"""What must hold of a configuration for a network: every layer in one group, and tilings that its layers allow."""

from __future__ import annotations

from typing import get_args

from iopt.door.given import check_kind
from iopt.door.wording import shown
from iopt.errors import PlanError
from iopt.tiling.grids import bounds, finest
from iopt.tiling.plan import Configuration, Group, Reuse
from iopt.tiling.problem import Problem
from iopt.tiling.segments import Segment

MOST_STEPS = 250_000
"""Layers x tiles of a configuration at most: to judge it takes some ten seconds then."""


def check(problem: Problem, configuration: Configuration) -> None:
    """Raise `PlanError` unless the groups hold every layer once, each can be tiled as it says, and all have few enough
    tiles."""
    layers, stop = problem.layers, 0
    _check_kinds(configuration)
    if not configuration.groups:
        raise PlanError("the configuration has no groups")
    for group in configuration.groups:
        where = f"group of layers {shown(group.first)} ... {shown(group.last)}"
        if group.first != stop or not group.first <= group.last < len(layers):
            raise PlanError(f"{where}: expected groups that follow each other from layer 0 to {len(layers) - 1}")
        if min(group.rows, group.columns) < 1:
            raise PlanError(f"{where}: it has {shown(group.rows)}x{shown(group.columns)} tiles; expected 1 or more")
        _check_cut(problem, group, where)
        if group.is_tiled:
            check_tiling(problem, group, where)
        stop = group.last + 1
    if stop != len(layers):
        raise PlanError(f"the configuration ends with layer {stop - 1}; the network ends with {len(layers) - 1}")
    steps = sum((group.last - group.first + 1) * group.rows * group.columns for group in configuration.groups)
    if steps > MOST_STEPS:
        raise PlanError(f"the configuration has {steps:,} layers times tiles; expected {MOST_STEPS:,} or fewer")


def _check_kinds(configuration: Configuration) -> None:
    check_kind(configuration, Configuration, "configuration", how="iopt.tiling.parse reads one, such as 5x5/8/2x2")
    if not isinstance(configuration.groups, tuple):
        raise PlanError(f"the configuration's groups are {shown(configuration.groups)}; expected a tuple of them")
    for group in configuration.groups:
        check_kind(group, Group, "a group of the configuration")
        for key in ("first", "last", "rows", "columns"):
            if type(getattr(group, key)) is not int:
                raise PlanError(f"{key} of a group is {shown(getattr(group, key))}; expected a whole number")
        if not (isinstance(group.reuse, str) and group.reuse in get_args(Reuse)):
            raise PlanError(f"reuse of a group is {shown(group.reuse)}; expected 'none' or 'checkerboard'")


def _check_cut(problem: Problem, group: Group, where: str) -> None:
    for segment in problem.segments:
        if segment.first <= group.last < segment.last:
            inside = f"the block of layers {segment.first} ... {segment.last} ({_names(problem, segment)})"
            before = f"before layer {segment.first} or " if segment.first > group.first else ""
            raise PlanError(
                f"{where}: it ends inside {inside}, whose branches stay in one group; expected it to end {before}with "
                f"layer {segment.last}"
            )


def _names(problem: Problem, segment: Segment) -> str:
    return f"{problem.layers[segment.first].name} ... {problem.layers[segment.last].name}"


def check_tiling(problem: Problem, group: Group, where: str) -> None:
    """Raise `PlanError`, beginning with `where`, unless a tiled group may be tiled so."""
    for layer in problem.layers[group.first : group.last + 1]:
        if layer.whole:
            raise PlanError(f"{where}: {layer.name} cannot be tiled: {layer.whole}; expected 1x1")
    inside = (segment for segment in problem.segments if group.first <= segment.first <= group.last)
    block = next((segment for segment in inside if segment.is_block), None)
    for what, asked in (("reuse", group.reuse != "none"), ("crop 'rim'", problem.crop == "rim")):
        if block is not None and asked:
            layers = f"the block of layers {block.first} ... {block.last} ({_names(problem, block)})"
            raise PlanError(f"{where}: {what} is for layers in a row, not for {layers}")
    if group.reuse != "none" and problem.crop == "rim":
        raise PlanError(f"{where}: reuse does not go with crop 'rim'")
    output = problem.layers[group.last].output
    for what, size, count in (("rows", output.height, group.rows), ("columns", output.width, group.columns)):
        if bounds(size, count, problem.grid) is None:
            most = finest(size, count, problem.grid)
            raise PlanError(
                f"{where}: {shown(count)} {what} of tiles on a map of {size} leave one empty; expected {most} or fewer"
            )
