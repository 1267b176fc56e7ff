"""A result in a few lines, with its configuration as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.report.console import print_table
from iopt.report.style import status_text
from iopt.report.tiling_plan_table import groups_table, where
from iopt.report.tiling_units import memory, objective, times, title
from iopt.report.units import milliseconds, percent, rate, seconds
from iopt.result import Result
from iopt.tiling.evaluation import Evaluation
from iopt.tiling.infeasible import space
from iopt.tiling.notation import written
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem

ENOUGH = 12
"""Configurations that a host's times are fitted to; with fewer at most three others judge them."""

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from iopt.tiling.files.host_file import Machine


def print_result(
    console: Console,
    problem: Problem,
    result: Result[Configuration],
    evaluation: Evaluation | None,
    max_groups: int | None = None,
    measured: Machine | None = None,
) -> None:
    """Status, groups, peak and work. `evaluation` is the configuration's; None without one. `max_groups`: of what was
    searched; `measured`: how the host's times were, if known."""
    console.print(_heading(problem, result))
    if result.plan is not None and evaluation is not None:
        print_table(console, groups_table(problem, evaluation))
        console.print(_costs_text(problem, result.plan, evaluation, measured))
    if result.bound is not None:
        gap = "" if result.gap is None else f" (gap {percent(result.gap)})"
        by = " by these times" if problem.objective == "latency" else ""
        console.print(
            f"no configuration{space(problem, max_groups)} needs less than {objective(problem, result.bound)}{by}{gap}"
        )


def conventions(problem: Problem) -> str:
    """`predictor lean, weights resident, backend implicit, grid balanced`, and what else is not the default."""
    parts = [f"predictor {problem.predictor}"]
    parts += [] if problem.bias_bytes is None else [f"bias {memory(problem.bias_bytes)}"]
    parts += [f"{key} {getattr(problem, key)}" for key in ("weights", "backend", "grid")]
    parts += ["crop rim"] if problem.crop == "rim" else []
    return ", ".join(parts)


def _heading(problem: Problem, result: Result[Configuration]) -> Text:
    from rich.text import Text

    by = result.method if result.solver is None else f"{result.method} ({result.solver})"
    took = "" if result.method == "hand" else f" in {seconds(result.runtime_s)} s"
    return Text.assemble(
        (title(problem), "bold"),
        f": {rate(problem.macs, 'MAC')}, {len(problem.layers)} layers, input 1x{problem.graph.input_shape}\n",
        f"{conventions(problem)}\n",
        status_text(result.status),
        f" by {by}{took}",
    )


def _costs_text(problem: Problem, plan: Configuration, evaluation: Evaluation, measured: Machine | None) -> Text:
    from rich.text import Text

    of = "" if problem.memory_bytes is None else f" of {memory(problem.memory_bytes)}"
    text = Text.assemble(
        (written(plan), "bold"),
        "\npeak ",
        (memory(evaluation.peak_bytes), "bold"),
        f"{of}, at {where(problem, evaluation.binding)}",
        f"\nwork {rate(evaluation.macs, 'MAC')}, ",
        (times(evaluation.mac_factor), "bold"),
        " that of the untiled network",
    )
    if evaluation.latency_s is not None:
        text.append(f"\nlatency {milliseconds(evaluation.latency_s)} ms by the host's times{_off(measured)}")
    return text


def _off(measured: Machine | None) -> str:
    """How far off the times were where they were judged; nothing where that is not known."""
    if measured is None:
        return ""
    if measured.median_error is None:
        return ", which were not judged"
    few = ", of which there were few" if measured.fitted < ENOUGH else ""
    return f", off by {percent(measured.median_error)} at the median of other configurations{few}"
