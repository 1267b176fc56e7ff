"""Methods side by side, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iopt.exits.problem import Problem
from iopt.report.console import print_table
from iopt.report.exits_comparison import Row
from iopt.report.exits_units import energy_unit, gap_text, longest, title, total_energy
from iopt.report.style import status_text, table
from iopt.report.units import milliseconds, percent, prefix
from iopt.result import Status

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_comparison(console: Console, problem: Problem, rows: Sequence[Row]) -> None:
    """Costs by method, why some have no plan or break a limit, and the bound."""
    console.print(title(problem), style="bold")
    print_table(console, costs_table(problem, rows))
    for row in rows:
        if row.evaluation is None and row.result.status is Status.UNKNOWN and row.result.message:
            console.print(row.result.message, style="yellow")
        elif row.evaluation is not None and not row.evaluation.is_feasible:
            more = len(row.evaluation.violations) - 1
            rest = f" (and {more} more)" if more else ""
            console.print(f"{row.result.method} breaks a limit: {row.evaluation.violations[0]}{rest}", style="yellow")
    if rows and rows[0].bound_j is not None:
        bound = total_energy(problem, rows[0].bound_j)
        console.print(f"no placement needs less than {bound}; gap: how far a plan is above that, at most")


def costs_table(problem: Problem, rows: Sequence[Row]) -> Table:
    """A line per method; the least energy of a plan that keeps every limit is marked. With one application its latency
    and accuracy, with several the largest share of a latency limit."""
    found = [row.evaluation for row in rows if row.evaluation is not None]
    joule, per_joule = prefix(longest([evaluation.energy_j for evaluation in found]))
    is_one = len(problem.applications) == 1
    second, per_second = prefix(problem.applications[0].latency_s)
    grid = table()
    for name in ("method", "status"):
        grid.add_column(name, no_wrap=True)
    last = (f"latency {second}s", "accuracy") if is_one else ("of latency",)
    for name in (f"energy {joule}{energy_unit(problem)}", "compute", "transfer", *last, "gap", "time ms"):
        grid.add_column(name, justify="right", no_wrap=True)
    best = min((evaluation.energy_j for evaluation in found if evaluation.is_feasible), default=None)
    for row in rows:
        cells = [*_energies(row, per_joule), *_quality(row, per_second, is_one)]
        head: tuple[str | Text, ...] = (row.result.method, status_text(row.result.status))
        tail = ("-" if row.gap is None else gap_text(row.gap), milliseconds(row.result.runtime_s))
        stands_out = row.gap is not None and row.evaluation is not None and row.evaluation.energy_j == best
        grid.add_row(*head, *cells, *tail, style="bold" if stands_out else None)
    return grid


def _energies(row: Row, factor: float) -> list[str]:
    energy = None if row.evaluation is None else row.evaluation.energy_j
    return ["-" if value is None else f"{value * factor:,.3f}" for value in (energy, row.compute_j, row.transfer_j)]


def _quality(row: Row, factor: float, is_one: bool) -> list[str]:
    if row.evaluation is None:
        return ["-"] * (1 + is_one)
    if is_one:
        (cost,) = row.evaluation.applications
        return [f"{cost.latency_s * factor:,.3f}", f"{cost.accuracy:.4g}"]
    return [percent(row.latency_share or 0.0)]
