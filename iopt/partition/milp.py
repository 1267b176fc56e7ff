"""The exact method: the MILP of `formulations/partition.py` solved by HiGHS, started from the best plan known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Literal

import numpy as np

from formulations import partition as tight
from formulations import partition_plain as plain
from formulations.partition_solution import choices, fixings
from formulations.partition_windows import compute_bound
from iopt.errors import ContradictionError
from iopt.exact import Solver
from iopt.partition.evaluation import Evaluation, Evaluator
from iopt.partition.milp_data import choices_of, partition_data, plan_of
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.shortage import least_shortage
from iopt.result import ACCURACY, INTERRUPTED, OnProgress, Progress, Result, Status

Formulation = Literal["tight", "plain"]

REFERENCE_PARTS = 100
"""The best plan known is so many units of the solver's time."""

COARSE = 2.0
"""A unit that is wrong by this factor is worth another solve where the gap does not close."""


@dataclass
class _Best:
    """The best plan so far that keeps every cap."""

    plan: Plan | None = None
    latency_s: float = np.inf

    def offer(self, plan: Plan, evaluation: Evaluation) -> bool:
        if evaluation.is_feasible and evaluation.latency_s < self.latency_s:
            self.plan, self.latency_s = plan, evaluation.latency_s
            return True
        return False


def solve_milp(
    problem: Problem,
    time_limit_s: float = np.inf,
    gap: float = 1e-4,
    starts: Sequence[Plan] = (),
    on_progress: OnProgress | None = None,
    formulation: Formulation = "tight",
    spent_s: float = 0.0,
) -> Result[Plan]:
    """Least latency over every plan of the decision space, with a proved bound.

    `gap`: relative gap at which to stop; `starts`: plans to start from, the best that keeps every cap becomes the
    incumbent; `formulation`: `tight`, or `plain` for the reference that follows the paper line by line; `spent_s`:
    seconds already spent on `starts`, which count in the result's run time and progress. INFEASIBLE comes with a
    message that says what is short.
    """
    return _Search(problem, time_limit_s, gap, on_progress, formulation, spent_s).run(starts)


class _Search:
    """One solve: its clock, its judge, its best plan."""

    def __init__(
        self,
        problem: Problem,
        time_limit_s: float,
        gap: float,
        on_progress: OnProgress | None,
        formulation: Formulation,
        spent_s: float,
    ) -> None:
        self.problem, self.gap = problem, gap
        self.evaluate = Evaluator(problem)
        self.best = _Best()
        self.bound = -np.inf
        self.was_interrupted = False
        self.presolve = True
        self._unit_s = 1.0
        self.history: list[Progress] = []
        self._on_progress, self._formulation = on_progress, formulation
        self._began, self._limit_s = time.perf_counter() - spent_s, time_limit_s + spent_s

    def run(self, starts: Sequence[Plan]) -> Result[Plan]:
        for plan in starts:
            self.best.offer(plan, self.evaluate(plan))
        shortage = None
        if self.best.plan is None and any(device.memory_bytes for device in self.problem.cluster.devices):
            shortage = least_shortage(self.problem, self._left_s())
            if shortage.is_proved:
                return self._result(Status.INFEASIBLE, shortage.message)
            if shortage.plan is not None:
                self.best.offer(shortage.plan, self.evaluate(shortage.plan))
        self._solve(self.problem)
        if self._status() is Status.FEASIBLE and not self.was_interrupted and self._is_coarse():
            self._solve(self.problem)
        if self._contradicts():
            self._solve_without_presolve()
        if shortage is not None and self.best.plan is None and self.bound == np.inf:
            return self._result(Status.INFEASIBLE, shortage.message)
        notes = [INTERRUPTED] * self.was_interrupted
        if not self.presolve:
            notes.append("a bound that HiGHS claimed with presolve contradicted this plan and was dropped")
        return self._result(self._status(), "; ".join(notes))

    def _contradicts(self) -> bool:
        """Whether the solver's bound passes the evaluator's value of a plan by more than its accuracy."""
        return self.best.plan is not None and self.bound > self.best.latency_s * (1 + ACCURACY)

    def _solve_without_presolve(self) -> None:
        """Presolve is where HiGHS was seen to lose optima (issue 3274): forget all that was proved with it, and use the
        time left to prove it again. Without time left our own bound remains, after an interrupt none."""
        self.presolve, self.bound = False, -np.inf
        self.history.clear()
        if not self.was_interrupted:
            self._solve(self.problem)

    def _is_coarse(self) -> bool:
        """Whether the solver's unit of time, a guess before any plan was known, makes its tolerances matter."""
        return max(self._unit_s / self._reference_s(), self._reference_s() / self._unit_s) > COARSE

    def _solve(self, problem: Problem, attempts: int = 3) -> None:
        """Solve, and again with a smaller cap where the plan breaks one by the solver's tolerance: for a plan, not for
        a bound."""
        plan = self._solved(problem)
        if plan is None:
            return
        evaluation = self.evaluate(plan)
        self.best.offer(plan, evaluation)
        if not (evaluation.is_feasible or self.was_interrupted) and attempts > 0 and self._left_s() > 0:
            self._solve(_shrunk(problem, evaluation), attempts - 1)

    def _solved(self, problem: Problem) -> Plan | None:
        """The solver's plan, if it found one; its bounds are reported as long as the problem is the given one."""
        reference, is_given = self._reference_s(), problem is self.problem
        self._unit_s = reference
        data = partition_data(problem, reference)
        if is_given:
            self._report(np.inf, compute_bound(data) * reference)
        if self._left_s() <= 0:
            return None
        model = {"tight": tight.build, "plain": plain.build}[self._formulation](data)
        solver = Solver(model)
        start = None
        if self.best.plan is not None:
            wanted = fixings(model, data, choices_of(self.best.plan, problem))
            start = solver.completed(wanted, min(10.0, self._left_s()))

        def report(_: float, incumbent: float, bound: float) -> None:
            self._report(incumbent * reference, bound * reference if is_given else -np.inf)

        solution = solver.solve(self._left_s(), self.gap, start, report, self.presolve)
        report(0.0, np.inf if solution.objective is None else solution.objective, solution.bound)
        self.was_interrupted |= solution.was_interrupted
        if solution.values is None:
            return None
        solver.load(solution.values)
        return plan_of(choices(model, data), problem, data)

    def _report(self, incumbent: float, bound: float) -> None:
        known = min(incumbent, self.best.latency_s)
        bound = self.bound = max(bound, self.bound)
        progress = Progress(
            time.perf_counter() - self._began,
            known if np.isfinite(known) else None,
            bound if np.isfinite(bound) else None,
        )
        self.history.append(progress)
        if self._on_progress is not None:
            self._on_progress(progress)

    def _reference_s(self) -> float:
        """A hundredth of the best latency known, or of the work on one device where nothing is known."""
        guess = self.best.latency_s
        if not np.isfinite(guess):
            guess = sum(op.flops for op in self.problem.operators) / self.problem.cluster.devices[0].flops_per_s
        return guess / REFERENCE_PARTS or 1.0

    def _left_s(self) -> float:
        return self._limit_s - (time.perf_counter() - self._began)

    def _status(self) -> Status:
        if self.best.plan is None:
            return Status.UNKNOWN
        within = self.best.latency_s - self.bound <= (self.gap + ACCURACY) * self.best.latency_s
        return Status.OPTIMAL if within else Status.FEASIBLE

    def _result(self, status: Status, message: str) -> Result[Plan]:
        """The bound is the solver's; it may pass the evaluator's value of the plan by its accuracy, and by no more."""
        known = self.best.plan is not None and status is not Status.INFEASIBLE
        if self._contradicts():
            raise ContradictionError(
                f"a plan takes {self.best.latency_s} s, and {self.bound} s were proved to be the least: "
                "this is a bug in iopt or in its solver"
            )
        return Result(
            method="milp",
            status=status,
            plan=self.best.plan,
            objective=self.best.latency_s if known else None,
            bound=min(self.bound, self.best.latency_s)
            if np.isfinite(self.bound) and status is not Status.INFEASIBLE
            else None,
            runtime_s=time.perf_counter() - self._began,
            solver=f"HiGHS {version('highspy')}",
            message=message,
            history=tuple(self.history),
        )


def _shrunk(problem: Problem, evaluation: Evaluation) -> Problem:
    """The problem with the caps that the plan breaks made smaller by what it breaks them by, and a little."""
    caps = []
    for device, original in zip(problem.cluster.devices, evaluation.memory_bytes.values(), strict=True):
        over = 0 if device.memory_bytes is None else max(0, original - device.memory_bytes)
        caps.append(None if device.memory_bytes is None else max(1, device.memory_bytes - 2 * over))
    return replace(problem, cluster=problem.cluster.with_memory(tuple(caps)))
