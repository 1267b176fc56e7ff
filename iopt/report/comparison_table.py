"""Methods side by side, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iopt.partition.problem import Problem
from iopt.report.comparison import Row
from iopt.report.console import print_table
from iopt.report.style import status_text, table
from iopt.report.units import milliseconds, percent, seconds, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_comparison(console: Console, problem: Problem, rows: Sequence[Row]) -> None:
    """Costs by method, then peak memory by device and method."""
    console.print(f"{problem.graph.name} on {problem.cluster.name}", style="bold")
    print_table(console, costs_table(rows))
    print_table(console, memory_table(problem, rows))
    if rows and rows[0].bound_s is not None:
        console.print(
            f"no plan is below {milliseconds(rows[0].bound_s)} ms; gap: how far a plan is above that, at most"
        )


def costs_table(rows: Sequence[Row]) -> Table:
    """A line per method; the least latency of a plan that keeps every cap is marked."""
    grid = table()
    grid.add_column("method", no_wrap=True)
    grid.add_column("status", no_wrap=True)
    for name in ("latency ms", "compute", "transfer", "moved", "conn.", "memory", "gap", "time s"):
        grid.add_column(name, justify="right", no_wrap=True)
    best = _least_latency(rows)
    for row in rows:
        grid.add_row(*_costs(row), style="bold" if row.evaluation and row.evaluation.latency_s == best else None)
    return grid


def memory_table(problem: Problem, rows: Sequence[Row]) -> Table:
    """A line per device, a column per method; what is above the device's cap is red."""
    from rich.text import Text

    grid = table("peak memory")
    grid.add_column("device", no_wrap=True)
    for row in rows:
        grid.add_column(row.result.method, justify="right", no_wrap=True)
    grid.add_column("cap", justify="right", no_wrap=True)
    for device in problem.cluster.devices:
        cells: list[Text | str] = []
        for row in rows:
            peak = None if row.evaluation is None else row.evaluation.memory_bytes[device.name]
            over = peak is not None and device.memory_bytes is not None and peak > device.memory_bytes
            cells.append(Text("-" if peak is None else size(peak), style="red" if over else ""))
        cap = "none" if device.memory_bytes is None else size(device.memory_bytes)
        grid.add_row(device.name, *cells, cap)
    return grid


def _costs(row: Row) -> tuple[str | Text, ...]:
    head: tuple[str | Text, ...] = (row.result.method, status_text(row.result.status))
    tail = ("-" if row.gap is None else percent(row.gap), seconds(row.result.runtime_s))
    found = row.evaluation
    if found is None:
        return (*head, *["-"] * 6, *tail)
    times = (milliseconds(value) for value in (found.latency_s, found.compute_s, found.transfer_s))
    return (*head, *times, size(found.bytes), str(found.connections), size(max(found.memory_bytes.values())), *tail)


def _least_latency(rows: Sequence[Row]) -> float | None:
    found = [row.evaluation.latency_s for row in rows if row.evaluation is not None and row.evaluation.is_feasible]
    return min(found, default=None)
