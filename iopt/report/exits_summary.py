"""A result in a few lines, with its placement as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.exits.evaluation import Evaluation
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.report.console import print_table
from iopt.report.exits_plan_table import applications_table, blocks_table, limits_table
from iopt.report.exits_units import gap_text, quantity, title, total_energy
from iopt.report.style import status_text
from iopt.report.units import rate, seconds
from iopt.result import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MOST_BLOCK_TABLES = 3
"""With more applications than this, blocks are shown in a line per application alone."""


def print_result(console: Console, problem: Problem, result: Result[Plan], evaluation: Evaluation | None) -> None:
    """Status, placement, limits and energy. `evaluation` is the plan's; None without one."""
    console.print(_heading(problem, result))
    if result.plan is not None and evaluation is not None:
        _print_plan(console, problem, result.plan, evaluation)
        console.print(_energy_text(problem, evaluation))
    if bound := _bound_text(problem, result):
        console.print(bound)


def _print_plan(console: Console, problem: Problem, plan: Plan, evaluation: Evaluation) -> None:
    if len(problem.applications) > 1:
        print_table(console, applications_table(problem, plan, evaluation))
    if len(problem.applications) <= MOST_BLOCK_TABLES:
        for index, (placement, cost) in enumerate(zip(plan.placements, evaluation.applications, strict=True)):
            print_table(console, blocks_table(problem, index, placement, cost))
    if (limits := limits_table(problem, evaluation.used)) is not None:
        print_table(console, limits)


def _heading(problem: Problem, result: Result[Plan]) -> Text:
    from rich.text import Text

    by = result.method if result.solver is None else f"{result.method} ({result.solver})"
    return Text.assemble(
        (title(problem), "bold"),
        f"{_asked(problem)}\n{_conventions(problem)}\n",
        status_text(result.status),
        f" by {by} in {seconds(result.runtime_s)} s",
    )


def _asked(problem: Problem) -> str:
    """Of one application; several have a table."""
    if len(problem.applications) > 1:
        return ""
    (only,) = problem.applications
    often = "" if only.rate_per_s == 1 else f", {rate(only.rate_per_s, 'Hz')}"
    return f": accuracy {only.accuracy:.4g}, latency {quantity(only.latency_s, 's')}{often}"


def _conventions(problem: Problem) -> str:
    rules = f"energy {problem.energy}, link rate {problem.link_rate}, latency {problem.latency}"
    rules += "" if problem.pinned else ", not pinned"
    return rules + ("" if problem.tier_order else ", any order")


def _energy_text(problem: Problem, evaluation: Evaluation) -> Text:
    from rich.text import Text

    weighted = list(zip(problem.applications, evaluation.applications, strict=True))
    compute, transfer = (
        total_energy(problem, sum(app.rate_per_s * getattr(cost, key) for app, cost in weighted), evaluation.energy_j)
        for key in ("compute_j", "transfer_j")
    )
    energy = (total_energy(problem, evaluation.energy_j), "bold")
    text = Text.assemble("energy ", energy, f" = compute {compute} + transfer {transfer}")
    if len(weighted) == 1:
        ((app, cost),) = weighted
        of = f"{quantity(cost.latency_s, 's')} of {quantity(app.latency_s, 's')}"
        text.append(f"\nlatency {of}; accuracy {cost.accuracy:.4g}, asked {app.accuracy:.4g}")
    return text


def _bound_text(problem: Problem, result: Result[Plan]) -> str:
    """`no placement needs less than 100.141 mJ (gap 0 %)`: what is proved."""
    if result.bound is None:
        return ""
    gap = "" if result.gap is None else f" (gap {gap_text(result.gap)})"
    return f"no placement needs less than {total_energy(problem, result.bound)}{gap}"
