"""Every plan of a tiny problem, judged one by one: the referee of all other methods. It uses the evaluator alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from iopt.errors import OptionError
from iopt.exits.evaluation import Evaluator
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Problem

MOST = 1_000_000
"""Plans that are judged at most; this is for tests."""


def best_plan(problem: Problem) -> tuple[Plan, float] | None:
    """The feasible plan of least energy with that energy; None if no plan is feasible.

    Raises `OptionError` for a problem with more than `MOST` plans.
    """
    if (count := plan_count(problem)) > MOST:
        raise OptionError(f"the problem has {count:,} plans; enumeration stops at {MOST:,}")
    judge, best = Evaluator(problem), None
    for plan in all_plans(problem):
        evaluation = judge(plan)
        if evaluation.is_feasible and (best is None or evaluation.energy_j < best[1]):
            best = plan, evaluation.energy_j
    return best


def plan_count(problem: Problem) -> int:
    """How many plans there are, feasible or not."""
    count = 1
    for application in problem.applications:
        count *= sum(len(problem.cluster) ** leave.after for leave in application.network.exits)
    return count


def all_plans(problem: Problem) -> Iterator[Plan]:
    """Every exit with every node for every block, of every application."""
    nodes = range(len(problem.cluster))
    options = [
        [
            Placement(application.name, index, path)
            for index, leave in enumerate(application.network.exits)
            for path in product(nodes, repeat=leave.after)
        ]
        for application in problem.applications
    ]
    for placements in product(*options):
        yield Plan(placements)
