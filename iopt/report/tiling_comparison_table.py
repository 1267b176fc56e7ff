"""Methods side by side, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iopt.report.console import print_table
from iopt.report.style import status_text, table
from iopt.report.tiling_comparison import Row
from iopt.report.tiling_summary import conventions
from iopt.report.tiling_units import in_unit, objective, times, title
from iopt.report.units import binary_prefix, milliseconds, percent
from iopt.result import Status
from iopt.tiling.infeasible import space
from iopt.tiling.notation import written
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_comparison(console: Console, problem: Problem, rows: Sequence[Row]) -> None:
    """Costs by method, why some have no configuration or break a limit, and the bound."""
    console.print(title(problem), style="bold")
    console.print(conventions(problem))
    print_table(console, costs_table(problem, rows))
    for row in rows:
        if row.evaluation is None and row.result.status is Status.UNKNOWN and row.result.message:
            console.print(row.result.message, style="yellow")
        elif row.evaluation is not None and not row.evaluation.is_feasible:
            console.print(f"{row.result.method} breaks a limit: {'; '.join(row.evaluation.violations)}", style="yellow")
    if rows and rows[0].bound is not None:
        least = objective(problem, rows[0].bound)
        console.print(
            f"no configuration{space(problem)} needs less than {least}; gap: how far a method is above that, at most"
        )


def costs_table(problem: Problem, rows: Sequence[Row]) -> Table:
    """A line per method; the least objective of a configuration that keeps every limit is marked."""
    found = [row.evaluation for row in rows if row.evaluation is not None]
    unit, factor = binary_prefix(max((evaluation.peak_bytes for evaluation in found), default=1))
    grid = table()
    for name in ("method", "status"):
        grid.add_column(name, no_wrap=True)
    timed = ["latency ms"] if problem.host is not None else []
    for name in (f"peak {unit}", "work / untiled", *timed, "groups", "gap", "search ms"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("configuration")
    kept = [row.result.objective for row in rows if row.gap is not None and row.result.objective is not None]
    best = min(kept, default=None)
    for row in rows:
        stands_out = row.gap is not None and row.result.objective == best
        head: tuple[str | Text, ...] = (row.result.method, _status(row))
        tail = ("-" if row.gap is None else percent(row.gap), milliseconds(row.result.runtime_s))
        text = "-" if row.result.plan is None else written(row.result.plan)
        grid.add_row(*head, *_costs(row, factor, bool(timed)), *tail, text, style="bold" if stands_out else None)
    return grid


def _status(row: Row) -> str | Text:
    """UNKNOWN of a heuristic says which: nothing was found, or what was found breaks a limit."""
    if row.result.status is not Status.UNKNOWN:
        return status_text(row.result.status)
    return "none" if row.evaluation is None else "over limit"


def _costs(row: Row, factor: int, is_timed: bool) -> list[str]:
    found = row.evaluation
    if found is None:
        return ["-"] * (3 + is_timed)
    latency = [] if found.latency_s is None else [milliseconds(found.latency_s)]
    return [in_unit(found.peak_bytes, factor), times(found.mac_factor), *latency, str(len(found.groups))]
