"""A placement that was carried out beside what was predicted.

Samples, operations and bits are counted; energy and latency are these counts at the rates and prices of the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from iopt.exits.evaluation import evaluate
from iopt.exits.execution import Execution
from iopt.exits.limits import link_rates
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from iopt.report.console import print_table
from iopt.report.exits_units import leaving, path
from iopt.report.style import table
from iopt.report.units import prefix, rate

if TYPE_CHECKING:
    from rich.console import Console


LEAVE = "leave at "
MODEL = "energy and latency are the operations and bits counted, at the cluster's rates and prices"


@dataclass(frozen=True)
class Row:
    """A quantity of a sample, predicted and counted. `unit` is empty for a fraction. `key`: what it is of, by name: an
    exit, a device, or the two ends of a link."""

    quantity: str
    unit: str
    predicted: float
    counted: float
    key: tuple[str, ...] = ()


def rows(problem: Problem, plan: Plan, index: int, found: Execution) -> list[Row]:
    """Accuracy, energy and latency of a sample, the fraction that leaves at every deployed exit, operations of every
    device and bits of every link.

    Predicted are means over samples, whatever the problem's convention: a run stops where samples leave.
    """
    application, placement = problem.applications[index], plan.placements[index]
    cost = evaluate(replace(problem, energy="expected", latency="expected"), plan).applications[index]
    devices, connection_s = problem.cluster.devices, problem.cluster.network.connection_s
    exits = application.network.exits[: placement.exit + 1]
    shares = zip(exits, leaving(application, placement.exit), found.fractions, strict=False)
    latency_s = found.latency_s(devices, link_rates(problem), connection_s)
    return [
        Row("accuracy", "", cost.accuracy, found.accuracy),
        Row("energy", "J", cost.energy_j, found.energy_j(devices)),
        Row("latency", "s", cost.latency_s, latency_s),
        *(Row(f"{LEAVE}{leave.name}", "", share, counted, (leave.name,)) for leave, share, counted in shares),
        *_amounts(problem, application, placement, problem.sources[index], found),
    ]


def _amounts(
    problem: Problem, application: Application, placement: Placement, source: int, found: Execution
) -> Iterator[Row]:
    """Operations by device and bits by link, of a sample."""
    names, network = [device.name for device in problem.cluster.devices], application.network
    ops: dict[int, float] = {}
    bits: dict[tuple[int, int], float] = {}
    before, size = source, network.input_bits
    for block, node, reach in zip(network.blocks, placement.nodes, network.reach, strict=False):
        ops[node] = ops.get(node, 0.0) + reach * block.ops
        if node != before:
            bits[before, node] = bits.get((before, node), 0.0) + reach * size
        before, size = node, block.out_bits
    for node, amount in ops.items():
        yield Row(f"on {names[node]}", "op", amount, found.ops_by_node.get(node, 0) / found.samples, (names[node],))
    for (sender, receiver), amount in bits.items():
        counted, ends = found.bits_by_link.get((sender, receiver), 0) / found.samples, (names[sender], names[receiver])
        yield Row(" to ".join(ends), "bit", amount, counted, ends)


def to_dict(rows: Sequence[Row], found: Execution) -> dict[str, Any]:
    """JSON data in SI units, of what `rows` returns: amounts are means over samples."""
    named = {row.quantity: _pair(row) for row in rows if not row.key}
    return {
        "samples": found.samples,
        "correct": found.correct,
        "accuracy": named["accuracy"],
        "energy_j": named["energy"],
        "latency_s": named["latency"],
        "fractions": {row.key[0]: _pair(row) for row in rows if row.key and not row.unit},
        "ops": {row.key[0]: _pair(row) for row in rows if row.unit == "op"},
        "bits": [{"sender": row.key[0], "receiver": row.key[1], **_pair(row)} for row in rows if row.unit == "bit"],
    }


def print_execution(
    console: Console, problem: Problem, index: int, rows: Sequence[Row], found: Execution, plan: Plan, rule: str
) -> None:
    """`rule`: the confidence rule with its thresholds, in words."""
    application = problem.applications[index]
    console.print(f"{application.name} on {problem.cluster.name}, carried out on {found.samples} samples", style="bold")
    console.print(f"{path(problem, plan.placements[index])}; {rule}")
    grid = table()
    grid.add_column("mean of a sample", no_wrap=True)
    for name in ("predicted", "counted", "difference"):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        grid.add_row(*_cells(row))
    print_table(console, grid)
    console.print(MODEL)


def _pair(row: Row) -> dict[str, float | None]:
    """Null for what never ends, over a link that does not exist."""
    pairs = {"predicted": row.predicted, "counted": row.counted}
    return {key: value if isfinite(value) else None for key, value in pairs.items()}


def _cells(row: Row) -> tuple[str, ...]:
    both = (row.predicted, row.counted)
    if not row.unit:
        values = (f"{value * 100:.2f} %" for value in both)
        return (row.quantity, *values, f"{_signed(row.counted - row.predicted)} points")
    if not all(map(isfinite, both)):
        return (row.quantity, *(f"{value:g} {row.unit}" for value in both), "-")
    change = f"{_signed(row.counted / row.predicted - 1)} %" if row.predicted else "-"
    if row.unit in ("op", "bit"):
        return (row.quantity, *(rate(value, row.unit) for value in both), change)
    name, factor = prefix(max(both))
    return (row.quantity, *(f"{value * factor:,.3f} {name}{row.unit}" for value in both), change)


def _signed(share: float) -> str:
    """In hundredths, `+1.25`; nothing is never negative."""
    return f"{round(share * 100, 2) + 0.0:+.2f}"
