"""A configuration as a table: a line for every group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.report.style import table
from iopt.report.tiling_units import in_unit, tiling, times
from iopt.report.units import binary_prefix, milliseconds, rate
from iopt.tiling.evaluation import Evaluation, GroupCost
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    from rich.table import Table


def groups_table(problem: Problem, evaluation: Evaluation) -> Table:
    """Group by group: its layers, tiling, peak and where it is reached, work, and latency where a host is known. The
    group of the peak is marked."""
    unit, factor = binary_prefix(evaluation.peak_bytes)
    has_latency = evaluation.latency_s is not None
    grid = table()
    for name in ("layers", "from", "to", "tiles"):
        grid.add_column(name, no_wrap=True)
    grid.add_column(f"peak {unit}", justify="right", no_wrap=True)
    grid.add_column("at layer", no_wrap=True)
    for name in ("work", "of untiled", *(["ms"] if has_latency else [])):
        grid.add_column(name, justify="right", no_wrap=True)
    for cost in evaluation.groups:
        grid.add_row(*_cells(problem, cost, factor), style="bold" if cost is evaluation.binding else None)
    if len(evaluation.groups) > 1:
        grid.add_section()
        total = (in_unit(evaluation.peak_bytes, factor), "", rate(evaluation.macs, "MAC"), times(evaluation.mac_factor))
        seconds = () if evaluation.latency_s is None else (milliseconds(evaluation.latency_s),)
        grid.add_row("all", "", "", "", *total, *seconds)
    return grid


def _cells(problem: Problem, cost: GroupCost, factor: int) -> list[str]:
    group, layers = cost.group, problem.layers
    own = layers[group.first : group.last + 1]
    alone = sum(layer.macs for layer in own)
    numbers = f"{group.first}" if len(own) == 1 else f"{group.first}-{group.last}"
    names = [own[0].name, "" if len(own) == 1 else own[-1].name]
    work = [rate(cost.macs, "MAC"), times(cost.macs / alone) if alone else ""]
    latency = [] if cost.latency_s is None else [milliseconds(cost.latency_s)]
    return [numbers, *names, tiling(group), in_unit(cost.peak_bytes, factor), where(problem, cost), *work, *latency]


def where(problem: Problem, cost: GroupCost) -> str:
    """`layers.4.pool, tile 1,1`: where the peak of a group is first reached."""
    tile = "" if cost.tile is None else f", tile {cost.tile[0]},{cost.tile[1]}"
    return f"{problem.layers[cost.layer].name}{tile}"
