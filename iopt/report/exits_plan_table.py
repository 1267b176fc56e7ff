"""A placement as tables: a line for every block of an application, a line for every application, and what is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from iopt.exits.evaluation import ApplicationCost, Evaluation
from iopt.exits.limits import Limits
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from iopt.report.exits_units import leaving, longest, path
from iopt.report.style import table
from iopt.report.units import percent, prefix, rate, size

if TYPE_CHECKING:
    from rich.table import Table

MOST_LIMITS = 12
"""Lines of the table of limits, those nearest to their limit first."""


def blocks_table(problem: Problem, index: int, placement: Placement, cost: ApplicationCost) -> Table:
    """Block by block: node, samples that get there, energy and time of computing and of the data sent to it, and the
    exit after it."""
    application, nodes = problem.applications[index], [device.name for device in problem.cluster.devices]
    joule, per_joule = prefix(cost.energy_j)
    second, per_second = prefix(longest([cost.latency_s]))
    grid = table(cost.name if len(problem.applications) > 1 else None)
    for name in ("block", "node"):
        grid.add_column(name, no_wrap=True)
    for name in ("samples", f"energy {joule}J", "compute", "transfer", f"time {second}s", "compute", "transfer"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("leave at", no_wrap=True)
    exits = _exits(application, placement)
    for number, (block, reach) in enumerate(zip(cost.blocks, application.network.reach, strict=False), 1):
        energy = _three(block.compute_j, block.transfer_j, per_joule)
        times = _three(block.compute_s, block.transfer_s, per_second)
        grid.add_row(block.block, nodes[block.node], percent(reach), *energy, *times, exits.get(number, ""))
    grid.add_section()
    computing, sending = (sum(getattr(block, key) for block in cost.blocks) for key in ("compute_s", "transfer_s"))
    totals = (*_three(cost.compute_j, cost.transfer_j, per_joule), *_three(computing, sending, per_second))
    grid.add_row("total", "", "", *totals, "", style="bold")
    return grid


def applications_table(problem: Problem, plan: Plan, evaluation: Evaluation) -> Table:
    """A line per application; what misses its target is red."""
    joule, per_joule = prefix(longest([cost.energy_j for cost in evaluation.applications]))
    second, per_second = prefix(longest([application.latency_s for application in problem.applications]))
    grid = table()
    for name in ("application", "exit"):
        grid.add_column(name, no_wrap=True)
    for name in ("rate", f"energy {joule}J", f"latency {second}s", "limit", "accuracy", "asked"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("blocks")
    for application, placement, cost in zip(
        problem.applications, plan.placements, evaluation.applications, strict=True
    ):
        misses = any(line.startswith(f"{application.name}: ") for line in evaluation.violations)
        grid.add_row(
            application.name,
            application.network.exits[placement.exit].name,
            rate(application.rate_per_s, "Hz"),
            f"{cost.energy_j * per_joule:,.3f}",
            f"{cost.latency_s * per_second:,.3f}",
            f"{application.latency_s * per_second:,.3f}",
            f"{cost.accuracy:.4g}",
            f"{application.accuracy:.4g}",
            path(problem, placement),
            style="red" if misses else None,
        )
    return grid


def limits_table(problem: Problem, used: Limits) -> Table | None:
    """Shared limits that are finite and used, the fullest first; None without one."""
    found = sorted(_limits(problem, used), key=lambda row: -row[0])
    if not found:
        return None
    grid = table()
    grid.add_column("shared limit", no_wrap=True)
    for name in ("used", "of", "share"):
        grid.add_column(name, justify="right", no_wrap=True)
    for share, *cells in found[:MOST_LIMITS]:
        grid.add_row(*cells, percent(share), style="red" if share > 1 + 1e-9 else None)
    if len(found) > MOST_LIMITS:
        grid.add_row(f"{len(found) - MOST_LIMITS} more", "", "", f"to {percent(found[MOST_LIMITS][0])}", style="dim")
    return grid


def _limits(problem: Problem, used: Limits) -> Iterator[tuple[float, str, str, str]]:
    """Share, name, amount used and limit."""
    limits, names = Limits.of(problem), [device.name for device in problem.cluster.devices]
    kinds = (("compute", _ops_rate, used.compute, limits.compute), ("memory", _size, used.memory, limits.memory))
    for what, words, amounts, caps in kinds:
        for node in np.flatnonzero((amounts > 0) & np.isfinite(caps)):
            yield _row(f"{names[node]}: {what}", words, float(amounts[node]), float(caps[node]))
    carried = (used.links > 0) & np.isfinite(limits.links) & (limits.links > 0)
    for sender, receiver in np.argwhere(carried):
        name = f"{names[sender]} to {names[receiver]}"
        yield _row(name, _bit_rate, float(used.links[sender, receiver]), float(limits.links[sender, receiver]))


def _row(name: str, words: Callable[[float], str], used: float, limit: float) -> tuple[float, str, str, str]:
    return used / limit, name, words(used), words(limit)


def _ops_rate(value: float) -> str:
    return rate(value, "op/s")


def _bit_rate(value: float) -> str:
    return rate(value, "bit/s")


def _size(value: float) -> str:
    return size(round(value))


def _exits(application: Application, placement: Placement) -> dict[int, str]:
    """By block: the exit after it, and how many of all samples leave there."""
    exits = application.network.exits[: placement.exit + 1]
    shares = leaving(application, placement.exit)
    return {leave.after: f"{leave.name} {percent(share)}" for leave, share in zip(exits, shares, strict=True)}


def _three(compute: float, transfer: float, factor: float) -> tuple[str, str, str]:
    """Both together, and each."""
    return tuple(f"{value * factor:,.3f}" for value in (compute + transfer, compute, transfer))  # type: ignore[return-value]
