"""The exact method by mixed-integer programming: `formulations/tiling.py`, solved by HiGHS. It equals the search.

After the memory filter least work is a plain shortest path; least memory under an overhead is where the programme says
something that the search does not: how far its relaxation is from the optimum.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from formulations.tiling_data import TilingData
from iopt.incumbent import Incumbent
from iopt.result import OnProgress, Result
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.milp_data import Scale, configuration, tiling_data
from iopt.tiling.objective import value
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.search.table import Table, build

TOLERANCE = 1e-9
"""Of bounds, in the units of the model: the solver's own."""


def solve_milp(
    problem: Problem, time_limit_s: float = np.inf, reduce: bool = True, on_progress: OnProgress | None = None
) -> Result[Configuration]:
    """The best configuration, with a proved bound. `reduce`: False gives the solver every group and every tiling.

    The time limit counts from here; what comes before the solver is not begun once it is over.
    """
    best = Incumbent[Configuration](time_limit_s, on_progress)
    table = build(problem)
    data, scale = tiling_data(problem, table, reduce)
    if {layer for a, b, _ in data.choices for layer in range(a, b + 1)} != set(range(data.layers)):
        best.prove(np.inf)
    elif best.left_s() > 0:
        _solve(problem, best, table, data, scale)
    return best.result("milp")


def _solve(problem: Problem, best: Incumbent[Configuration], table: Table, data: TilingData, scale: Scale) -> None:
    """Build the model and solve it, and again without a plan that breaks a limit, as it may by the room that limits are
    given."""
    from formulations import tiling as formulation  # Pyomo takes a second to import
    from iopt.exact import Solver, built

    judge, is_memory = Evaluator(problem), problem.objective == "memory"
    if best.left_s() <= 0:
        return
    unit = scale.peak if is_memory else scale.work
    model = built(partial(formulation.build, objective="peak" if is_memory else "work"), data)
    while best.left_s() > 0:
        solver = Solver(model)
        if best.left_s() <= 0:
            return
        solution = solver.solve(best.left_s(), on_bound=lambda _, __, bound: _prove(best, bound, unit))
        best.was_interrupted = solution.was_interrupted
        if solution.values is None:
            _prove(best, np.inf if solution.is_infeasible else solution.bound, unit)
            return
        solver.load(solution.values)
        choices = formulation.chosen(model)
        plan = configuration(table, choices)
        evaluation = judge(plan)
        if evaluation.is_feasible:
            best.offer(plan, float(value(problem, evaluation)))
        _prove(best, solution.bound, unit)
        if evaluation.is_feasible or best.was_interrupted:
            return
        formulation.exclude(model, choices)


def _prove(best: Incumbent[Configuration], bound: float, unit: float) -> None:
    """`bound` in the units of the model. That nothing is below zero is no bound, unless zero is the optimum."""
    if bound > TOLERANCE or best.objective == 0:
        best.prove(max(bound - TOLERANCE, 0.0) * unit)
