"""A plan as a table: a line for every operator and every phase of communication, then what each device needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iopt.partition.evaluation import Evaluation, Phase
from iopt.partition.plan import Interval, Plan, Scatter, Split
from iopt.partition.problem import Problem
from iopt.report.style import table
from iopt.report.units import milliseconds, percent, rate, size

if TYPE_CHECKING:
    from rich.table import Table

_BEFORE = ("input", "transfer")


def plan_table(problem: Problem, plan: Plan, evaluation: Evaluation) -> Table:
    """Operator by operator: split, shares in device order, bytes and time of the phases into and out of it."""
    grid = table()
    grid.add_column("operator", no_wrap=True)
    grid.add_column("split", no_wrap=True)
    grid.add_column("shares")
    grid.add_column("combine", no_wrap=True)
    grid.add_column("phase", no_wrap=True)
    for name in ("moved", "ms", "compute ms"):
        grid.add_column(name, justify="right", no_wrap=True)
    for split, seconds in zip(plan.splits, evaluation.compute_by_operator_s, strict=True):
        for row in _rows(split, seconds, [phase for phase in evaluation.phases if phase.operator == split.operator]):
            grid.add_row(*row)
    grid.add_section()
    total = ("", size(evaluation.bytes), milliseconds(evaluation.transfer_s), milliseconds(evaluation.compute_s))
    grid.add_row("total", "", "", "", *total, style="bold")
    return grid


def memory_table(problem: Problem, evaluation: Evaluation) -> Table:
    """Peak memory of each device beside its cap."""
    grid = table()
    grid.add_column("device", no_wrap=True)
    for name in ("compute", "peak memory", "cap", "used"):
        grid.add_column(name, justify="right", no_wrap=True)
    for device in problem.cluster.devices:
        peak, cap = evaluation.memory_bytes[device.name], device.memory_bytes
        limits = ("none", "") if cap is None else (size(cap), percent(peak / cap))
        style = "red" if cap is not None and peak > cap else None
        grid.add_row(device.name, rate(device.flops_per_s, "FLOP/s"), size(peak), *limits, style=style)
    return grid


def _rows(split: Split, compute_s: float, phases: Sequence[Phase]) -> Iterator[tuple[str, ...]]:
    """The operator with the phase into it, then the phases out of it."""
    into = next((phase for phase in phases if phase.kind in _BEFORE), None)
    combine = "" if split.combine is None else "scatter" if isinstance(split.combine, Scatter) else "direct"
    axis = f"{split.axis} rows" if split.along == "rows" else str(split.axis)
    moved = ("", "", "") if into is None else _moved(into)
    yield split.operator, axis, _shares(split.intervals), combine, *moved, milliseconds(compute_s)
    for phase in phases:
        if phase.kind == "scatter" and isinstance(split.combine, Scatter):
            yield "", "  to OC", _shares(split.combine.intervals), "", *_moved(phase), ""
        elif phase.kind not in _BEFORE:
            yield "", "", "", "", *_moved(phase), ""


def _moved(phase: Phase) -> tuple[str, str, str]:
    return phase.kind, size(int(phase.bytes.sum())), milliseconds(phase.time_s)


def _shares(intervals: Sequence[Interval]) -> str:
    """`56 56 56 56`: spaces let a long row wrap."""
    return " ".join(str(hi - lo) for lo, hi in intervals)
