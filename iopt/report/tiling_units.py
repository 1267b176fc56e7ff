"""Configurations, their limits and their costs in words."""

from __future__ import annotations

from iopt.report.progress import LiveLine
from iopt.report.units import binary_prefix, rate
from iopt.result import OnProgress, Progress
from iopt.tiling.plan import Group
from iopt.tiling.problem import Problem

_THOUSANDTHS = {"macs": ("GMAC", 1e-12), "latency": ("ms", 1.0), "memory": ("MiB", 2.0**-20 * 1e-3)}
"""Unit of a live line, and what a thousandth of it is multiplied by."""


def title(problem: Problem) -> str:
    """`yolov2-16 within 20.00 MiB`, `yolov2-16 within 1.1 x the work`, `yolov2-16`."""
    limits = [] if problem.memory_bytes is None else [memory(problem.memory_bytes)]
    limits += [] if problem.overhead is None else [f"{problem.overhead:g} x the work"]
    return f"{problem.graph.name}{' within ' if limits else ''}{' and '.join(limits)}"


def memory(count: int, like: int | None = None) -> str:
    """`20.00 MiB`: two decimals, in the unit for `like` if one is given. Bytes have none."""
    unit, factor = binary_prefix(count if like is None else like)
    return f"{count} B" if factor == 1 else f"{count / factor:,.2f} {unit}"


def in_unit(count: int, factor: int) -> str:
    """A cell of a column whose unit is so many bytes."""
    return f"{count:,}" if factor == 1 else f"{count / factor:,.2f}"


def times(factor: float) -> str:
    """`1.0024 x`; what is not 1 does not look like it."""
    text = f"{factor:,.4f}"
    return f"{factor:.7g} x" if text == "1.0000" and factor != 1 else f"{text} x"


def objective(problem: Problem, value: float) -> str:
    """A value of the problem's objective: `13.03 GMAC`, `81.250 ms`, `19.87 MiB`."""
    if problem.objective == "memory":
        return memory(int(value))
    return f"{value * 1e3:,.3f} ms" if problem.objective == "latency" else rate(value, "MAC")


def tiling(group: Group) -> str:
    """`5x5`, `5x5 reuse`, `untiled`."""
    if not group.is_tiled:
        return "untiled"
    return f"{group.rows}x{group.columns}{' reuse' if group.reuse == 'checkerboard' else ''}"


def progress_in(problem: Problem, line: LiveLine) -> OnProgress:
    """Shows the progress of a solve in the unit of its objective."""
    unit, factor = _THOUSANDTHS[problem.objective]
    line.unit = unit

    def show(progress: Progress) -> None:
        incumbent, bound = (None if value is None else value * factor for value in (progress.incumbent, progress.bound))
        line(Progress(progress.runtime_s, incumbent, bound))

    return show
