"""The exact method by mixed-integer programming: `formulations/tiling.py`, solved by HiGHS. It equals the search.

After the memory filter least work is a plain shortest path; least memory under an overhead is where the programme says
something that the search does not: how far its relaxation is from the optimum.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from formulations import tiling as formulation
from iopt.exact import TOLERANCE, Solver, built
from iopt.incumbent import Incumbent
from iopt.result import OnProgress, Result
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.milp_data import configuration, tiling_data
from iopt.tiling.objective import value
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.search.table import Table, build


def solve_milp(
    problem: Problem, time_limit_s: float = np.inf, reduce: bool = True, on_progress: OnProgress | None = None
) -> Result[Configuration]:
    """The best configuration, with a proved bound. `reduce`: False gives the solver every group and every tiling."""
    best = Incumbent[Configuration](time_limit_s, on_progress)
    table = build(problem)
    data, units = tiling_data(problem, table, reduce)
    if {layer for a, b, _ in data.choices for layer in range(a, b + 1)} == set(range(data.layers)):
        is_memory = problem.objective == "memory"
        model = built(partial(formulation.build, objective="peak" if is_memory else "work"), data)
        _search(problem, best, table, model, units.peak if is_memory else units.work)
    else:
        best.prove(np.inf)
    return best.result("milp")


def _search(problem: Problem, best: Incumbent[Configuration], table: Table, model: Any, unit: float) -> None:
    """Solve, and again without a plan that breaks a limit, as it may by the room that limits are given."""
    judge = Evaluator(problem)
    while True:
        solver = Solver(model)
        solution = solver.solve(
            best.left_s(), on_bound=lambda _, __, bound: best.prove(max(bound - TOLERANCE, 0.0) * unit)
        )
        best.was_interrupted = solution.was_interrupted
        best.prove(np.inf if solution.is_infeasible else max(solution.bound - TOLERANCE, 0.0) * unit)
        if solution.values is None:
            return
        solver.load(solution.values)
        choices = formulation.chosen(model)
        plan = configuration(table, choices)
        evaluation = judge(plan)
        if evaluation.is_feasible:
            best.offer(plan, float(value(problem, evaluation)))
        if evaluation.is_feasible or best.left_s() <= 0 or best.was_interrupted:
            return
        formulation.exclude(model, choices)
