"""What must hold of a configuration for a network: every layer in one group, and tilings that its layers allow."""

from __future__ import annotations

from iopt.errors import PlanError
from iopt.tiling.grids import bounds
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem
from iopt.tiling.units import Unit


def check(problem: Problem, configuration: Configuration) -> None:
    """Raise `PlanError` unless the groups hold every layer once and each can be tiled as it says."""
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
        _check_cut(problem, group, where)
        if group.is_tiled:
            check_tiling(problem, group, where)
        stop = group.last + 1
    if stop != len(layers):
        raise PlanError(f"the configuration ends with layer {stop - 1}; the network ends with {len(layers) - 1}")


def _check_cut(problem: Problem, group: Group, where: str) -> None:
    for unit in problem.units:
        if unit.first <= group.last < unit.last:
            inside = f"the block of layers {unit.first} ... {unit.last} ({_names(problem, unit)})"
            before = f"before layer {unit.first} or " if unit.first > group.first else ""
            raise PlanError(
                f"{where}: it ends inside {inside}, whose branches stay in one group; expected it to end {before}with "
                f"layer {unit.last}"
            )


def _names(problem: Problem, unit: Unit) -> str:
    return f"{problem.layers[unit.first].name} ... {problem.layers[unit.last].name}"


def check_tiling(problem: Problem, group: Group, where: str) -> None:
    """Raise `PlanError`, beginning with `where`, unless a tiled group may be tiled so."""
    for layer in problem.layers[group.first : group.last + 1]:
        if layer.whole:
            raise PlanError(f"{where}: {layer.name} cannot be tiled: {layer.whole}; expected 1x1")
    block = next((unit for unit in problem.units if unit.is_block and group.first <= unit.first <= group.last), None)
    for what, asked in (("reuse", group.reuse != "none"), ("crop 'rim'", problem.crop == "rim")):
        if block is not None and asked:
            layers = f"the block of layers {block.first} ... {block.last} ({_names(problem, block)})"
            raise PlanError(f"{where}: {what} is for layers in a row, not for {layers}")
    if group.reuse != "none" and problem.crop == "rim":
        raise PlanError(f"{where}: reuse does not go with crop 'rim'")
    output = problem.layers[group.last].output
    for what, size, count in (("rows", output.height, group.rows), ("columns", output.width, group.columns)):
        if bounds(size, count, problem.grid) is None:
            finest = max(n for n in range(1, min(size, count) + 1) if bounds(size, n, problem.grid) is not None)
            raise PlanError(
                f"{where}: {count} {what} of tiles on a map of {size} leave one empty; expected {finest} or fewer"
            )
