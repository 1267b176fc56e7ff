"""A Pareto front as a table and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopt.report.console import print_table
from iopt.report.style import table
from iopt.report.tiling_summary import conventions
from iopt.report.tiling_units import in_unit, times, title
from iopt.report.units import binary_prefix, milliseconds
from iopt.tiling.fronts import Front
from iopt.tiling.notation import written
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_front(console: Console, problem: Problem, front: Front) -> None:
    """A line per configuration, the least memory first."""
    count = len(front.points)
    many = "1 configuration that" if count == 1 else f"{count} configurations that"
    console.print(f"{title(problem)}: {many} no other one beats", style="bold")
    console.print(conventions(problem))
    print_table(console, _table(problem, front))


def to_list(front: Front) -> list[dict[str, Any]]:
    """JSON data: one mapping per configuration, the least memory first."""
    return [
        {
            "peak_bytes": point.peak_bytes,
            "macs": point.macs,
            "mac_factor": point.mac_factor,
            "latency_s": point.latency_s,
            "groups": len(point.configuration.groups),
            "configuration": written(point.configuration),
        }
        for point in front.points
    ]


def _table(problem: Problem, front: Front) -> Table:
    unit, factor = binary_prefix(max((point.peak_bytes for point in front.points), default=1))
    grid = table()
    timed = ["latency ms"] if problem.host is not None else []
    for name in (f"peak {unit}", "of the work", *timed, "groups"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("configuration")
    for point in front.points:
        latency = [] if point.latency_s is None else [milliseconds(point.latency_s)]
        groups = str(len(point.configuration.groups))
        cells = [in_unit(point.peak_bytes, factor), times(point.mac_factor), *latency, groups]
        grid.add_row(*cells, written(point.configuration))
    return grid
