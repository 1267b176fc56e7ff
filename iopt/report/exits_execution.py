"""A placement that was carried out beside what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iopt.exits.evaluation import evaluate
from iopt.exits.execution import Execution
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.report.console import print_table
from iopt.report.exits_units import leaving, path
from iopt.report.style import table
from iopt.report.units import prefix

if TYPE_CHECKING:
    from rich.console import Console


LEAVE = "leave at "


@dataclass(frozen=True)
class Row:
    """A quantity, predicted and measured. `unit` is empty for a fraction."""

    quantity: str
    unit: str
    predicted: float
    measured: float


def rows(problem: Problem, plan: Plan, index: int, found: Execution) -> list[Row]:
    """Accuracy, energy of a sample and the fraction that leaves at every deployed exit.

    The energy predicted is the expected one, whatever the problem's convention: a run stops where samples leave.
    """
    application, placement = problem.applications[index], plan.placements[index]
    cost = evaluate(replace(problem, energy="expected"), plan).applications[index]
    exits = application.network.exits[: placement.exit + 1]
    shares = zip(exits, leaving(application, placement.exit), found.fractions, strict=False)
    return [
        Row("accuracy", "", cost.accuracy, found.accuracy),
        Row("energy", "J", cost.energy_j, found.energy_j(problem.cluster.devices)),
        *(Row(f"{LEAVE}{leave.name}", "", predicted, measured) for leave, predicted, measured in shares),
    ]


def to_dict(rows: Sequence[Row], found: Execution) -> dict[str, Any]:
    """JSON data in SI units, of what `rows` returns."""
    accuracy, energy, *leave = ({"predicted": row.predicted, "measured": row.measured} for row in rows)
    names = (row.quantity.removeprefix(LEAVE) for row in rows[2:])
    return {
        "samples": found.samples,
        "correct": found.correct,
        "accuracy": accuracy,
        "energy_j": energy,
        "fractions": dict(zip(names, leave, strict=True)),
    }


def print_execution(
    console: Console, problem: Problem, index: int, rows: Sequence[Row], found: Execution, plan: Plan, rule: str
) -> None:
    """`rule`: the confidence rule with its thresholds, in words."""
    application = problem.applications[index]
    console.print(f"{application.name} on {problem.cluster.name}, carried out on {found.samples} samples", style="bold")
    console.print(f"{path(problem, plan.placements[index])}; {rule}")
    grid = table()
    grid.add_column("", no_wrap=True)
    for name in ("predicted", "measured", "difference"):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        grid.add_row(*_cells(row))
    print_table(console, grid)


def _cells(row: Row) -> tuple[str, ...]:
    if not row.unit:
        values = (f"{value * 100:.2f} %" for value in (row.predicted, row.measured))
        return (row.quantity, *values, f"{(row.measured - row.predicted) * 100:+.2f} points")
    name, factor = prefix(max(row.predicted, row.measured))
    values = (f"{value * factor:,.3f} {name}{row.unit}" for value in (row.predicted, row.measured))
    change = f"{(row.measured / row.predicted - 1) * 100:+.2f} %" if row.predicted else "-"
    return (f"{row.quantity} of a sample", *values, change)
