"""A Pareto front as a table and as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iopt.exits.fronts import Front, Point
from iopt.exits.problem import Problem
from iopt.report.console import print_table
from iopt.report.exits_units import energy_unit, path, thresholds_text, title
from iopt.report.style import table
from iopt.report.units import prefix

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def by_accuracy(points: Sequence[Point]) -> list[Point]:
    """The least accurate first, then the fastest."""
    return sorted(points, key=lambda point: (point.accuracy, point.latency_s, point.energy_j))


def print_front(console: Console, problem: Problem, front: Front) -> None:
    """A line per placement; with chosen thresholds they are in it."""
    console.print(f"{title(problem)}: {_count(front)} no other one beats", style="bold")
    print_table(console, _table(problem, by_accuracy(front.points)))
    if not front.is_complete:
        console.print("too many to be sure of all: some may be missing", style="yellow")


def to_list(problem: Problem, front: Front) -> list[dict[str, Any]]:
    """JSON data in SI units: one mapping per placement."""
    names = [device.name for device in problem.cluster.devices]
    return [
        {
            "accuracy": point.accuracy,
            "latency_s": point.latency_s,
            "energy_j": point.energy_j,
            "exit": point.exit,
            "nodes": [names[node] for node in point.plan.placements[0].nodes],
            **({} if point.thresholds is None else {"thresholds": list(point.thresholds)}),
        }
        for point in by_accuracy(front.points)
    ]


def _count(front: Front) -> str:
    count = len(front.points)
    return "1 placement that" if count == 1 else f"{count} placements that"


def _table(problem: Problem, points: Sequence[Point]) -> Table:
    """A rule between accuracies, where several placements share one."""
    joule, per_joule = prefix(max((point.energy_j for point in points), default=0.0))
    second, per_second = prefix(max((point.latency_s for point in points), default=0.0))
    has_thresholds = any(point.thresholds for point in points)
    grid = table()
    for name in ("accuracy", f"latency {second}s", f"energy {joule}{energy_unit(problem)}"):
        grid.add_column(name, justify="right", no_wrap=True)
    for name in ("exit", *(["thresholds"] if has_thresholds else [])):
        grid.add_column(name, no_wrap=True)
    grid.add_column("blocks")
    before = None
    for point in points:
        if not has_thresholds and before not in (None, point.accuracy):
            grid.add_section()
        before = point.accuracy
        cells = [f"{point.accuracy:.4g}", f"{point.latency_s * per_second:,.3f}", f"{point.energy_j * per_joule:,.3f}"]
        chosen = [thresholds_text(point.thresholds or ())] if has_thresholds else []
        grid.add_row(*cells, point.exit, *chosen, path(problem, point.plan.placements[0]))
    return grid
