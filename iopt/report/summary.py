"""A result in a few lines, with its plan as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.partition.evaluation import Evaluation
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.report.console import print_table
from iopt.report.plan_table import memory_table, plan_table
from iopt.report.style import status_text
from iopt.report.units import milliseconds, percent, rate, seconds
from iopt.result import Result

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

NEGLIGIBLE = 1e-4
"""What a split could gain at most where it is said not to pay, as a part of the latency."""


def print_result(console: Console, problem: Problem, result: Result[Plan], evaluation: Evaluation | None) -> None:
    """Status, plan, memory and latency. `evaluation` is the plan's; None without one."""
    console.print(_heading(problem, result))
    if result.plan is None or evaluation is None:
        if bound := _bound_text(problem, result):
            console.print(bound)
        return
    print_table(console, plan_table(problem, result.plan, evaluation))
    print_table(console, memory_table(problem, evaluation))
    console.print(_latency_text(problem, result, evaluation))
    if said := _one_device_text(problem, result, result.plan):
        console.print(said)


def _heading(problem: Problem, result: Result[Plan]) -> Text:
    from rich.text import Text

    graph, cluster = problem.graph, problem.cluster
    by = result.method if result.solver is None else f"{result.method} ({result.solver})"
    return Text.assemble(
        (f"{graph.name} on {cluster.name}", "bold"),
        f": {rate(graph.flops, 'FLOP')}, {len(graph)} operators, {len(cluster)} devices\n",
        status_text(result.status),
        f" by {by} in {seconds(result.runtime_s)} s",
    )


def _latency_text(problem: Problem, result: Result[Plan], evaluation: Evaluation) -> Text:
    from rich.text import Text

    parts = f" = compute {milliseconds(evaluation.compute_s)} + transfer {milliseconds(evaluation.transfer_s)}"
    bound = _bound_text(problem, result)
    return Text.assemble(
        ("latency ", ""),
        (f"{milliseconds(evaluation.latency_s)} ms", "bold"),
        parts,
        f"\n{bound}" if bound else "",
    )


def _one_device_text(problem: Problem, result: Result[Plan], plan: Plan) -> str:
    """Where one device of several does everything: its name, and whether that is proved to be best."""
    if len(problem.cluster) == 1 or len(plan.devices) > 1:
        return ""
    name = problem.cluster.devices[plan.devices[0]].name
    if result.gap is not None and result.gap <= NEGLIGIBLE:
        return f"one device is fastest: {name}; splitting does not pay here"
    return f"this plan uses one device only: {name}"


def _bound_text(problem: Problem, result: Result[Plan]) -> str:
    """`no plan is below 4,013.683 ms (gap 0.0088 %; relayout = concatenation)`: what is proved, and under what."""
    if result.bound is None:
        return ""
    gap = "" if result.gap is None else f"gap {percent(result.gap)}; "
    return f"no plan is below {milliseconds(result.bound)} ms ({gap}relayout = {problem.relayout})"
