"""The exact method by mixed-integer programming: `formulations/tiling.py`, solved by HiGHS. It equals the search.

After the memory filter least work is a plain shortest path; least memory under an overhead is where the programme says
something that the search does not: how far its relaxation is from the optimum.
"""

from __future__ import annotations

import time
from importlib.metadata import version

import numpy as np

from formulations import tiling as formulation
from iopt.errors import ContradictionError
from iopt.exact import TOLERANCE, Solver
from iopt.result import ACCURACY, OnProgress, Progress, Result, Status
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.milp_data import configuration, tiling_data
from iopt.tiling.objective import value
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.search.table import build


def solve_milp(
    problem: Problem, time_limit_s: float = np.inf, reduce: bool = True, on_progress: OnProgress | None = None
) -> Result[Configuration]:
    """The best configuration, with a proved bound. `reduce`: False gives the solver every group and every tiling."""
    return _Search(problem, time_limit_s, on_progress).run(reduce)


class _Search:
    """One solve: its clock, its judge, its best plan."""

    def __init__(self, problem: Problem, time_limit_s: float, on_progress: OnProgress | None) -> None:
        self.problem, self.judge = problem, Evaluator(problem)
        self.plan: Configuration | None = None
        self.objective, self.bound = np.inf, -np.inf
        self.was_interrupted = False
        self.history: list[Progress] = []
        self._on_progress = on_progress
        self._began, self._limit_s = time.perf_counter(), time_limit_s

    def run(self, reduce: bool) -> Result[Configuration]:
        problem, table = self.problem, build(self.problem)
        data, units = tiling_data(problem, table, reduce)
        if {layer for a, b, _ in data.choices for layer in range(a, b + 1)} != set(range(data.layers)):
            self._report(np.inf)
            return self._result()
        is_memory = problem.objective == "memory"
        model = formulation.build(data, "peak" if is_memory else "work")
        unit = units.peak if is_memory else units.work
        while True:
            solver = Solver(model)
            solution = solver.solve(
                self._left_s(), on_bound=lambda _, __, bound: self._report((bound - TOLERANCE) * unit)
            )
            self.was_interrupted = solution.was_interrupted
            self._report(np.inf if solution.is_infeasible else (solution.bound - TOLERANCE) * unit)
            if solution.values is None:
                break
            solver.load(solution.values)
            choices = formulation.chosen(model)
            if self._offer(configuration(table, choices)) or self._left_s() <= 0 or self.was_interrupted:
                break
            formulation.exclude(model, choices)
        if self.was_interrupted and self.plan is None:
            raise KeyboardInterrupt
        return self._result()

    def _offer(self, plan: Configuration) -> bool:
        """Keep it; False if it breaks a limit, as it may by the room that limits are given."""
        evaluation = self.judge(plan)
        if evaluation.is_feasible:
            self.plan, self.objective = plan, float(value(self.problem, evaluation))
        return evaluation.is_feasible

    def _report(self, bound: float) -> None:
        self.bound = max(self.bound, min(max(bound, 0.0), self.objective))
        progress = Progress(
            time.perf_counter() - self._began,
            self.objective if np.isfinite(self.objective) else None,
            self.bound if np.isfinite(self.bound) else None,
        )
        self.history.append(progress)
        if self._on_progress is not None:
            self._on_progress(progress)

    def _left_s(self) -> float:
        return self._limit_s - (time.perf_counter() - self._began)

    def _result(self) -> Result[Configuration]:
        if self.plan is None:
            status = Status.INFEASIBLE if self.bound == np.inf else Status.UNKNOWN
        else:
            if self.bound > self.objective * (1 + ACCURACY):
                raise ContradictionError(
                    f"a configuration needs {self.objective}, and {self.bound} was proved to be the least: "
                    "this is a bug in iopt or in its solver"
                )
            status = Status.OPTIMAL if self.objective - self.bound <= ACCURACY * self.objective else Status.FEASIBLE
        return Result(
            method="milp",
            status=status,
            plan=self.plan,
            objective=None if self.plan is None else self.objective,
            bound=min(self.bound, self.objective) if np.isfinite(self.bound) else None,
            runtime_s=time.perf_counter() - self._began,
            solver=f"HiGHS {version('highspy')}",
            message="interrupted: the best configuration so far" if self.was_interrupted else "",
            history=tuple(self.history),
        )
