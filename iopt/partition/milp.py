"""The exact method: the MILP of `formulations/partition.py` solved by HiGHS, started from the best plan known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from formulations import partition as tight
from formulations import partition_plain as plain
from formulations.partition_solution import choices, fixings
from formulations.partition_windows import compute_bound
from iopt.exact import Solver, built
from iopt.incumbent import Incumbent
from iopt.partition.evaluation import Evaluation, Evaluator
from iopt.partition.milp_data import choices_of, partition_data, plan_of
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.shortage import Shortage, least_shortage
from iopt.result import OnProgress, Result, Status

Formulation = Literal["tight", "plain"]

REFERENCE_PARTS = 100
"""The best plan known is so many units of the solver's time."""

COARSE = 2.0
"""A unit that is wrong by this factor is worth another solve where the gap does not close."""


DROPPED = "a bound that HiGHS claimed with presolve contradicted this plan and was dropped"
DOUBTFUL = "HiGHS claims with presolve that no plan keeps every memory cap; without it that was not proved in time"


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
    best = Incumbent[Plan](time_limit_s, on_progress, spent_s)
    return _Search(problem, gap, best, formulation).run(starts)


class _Search:
    """One solve: its judge, its best plan."""

    def __init__(self, problem: Problem, gap: float, best: Incumbent[Plan], formulation: Formulation = "tight") -> None:
        self.problem, self.gap, self.best = problem, gap, best
        self.evaluate = Evaluator(problem)
        self.presolve = True
        self.shortage: Shortage | None = None
        self._formulation, self._unit_s = formulation, 1.0

    def run(self, starts: Sequence[Plan]) -> Result[Plan]:
        try:
            evaluations = [self._offer(plan) for plan in starts]
            if self.best.plan is None and any(device.memory_bytes for device in self.problem.cluster.devices):
                excess = [_excess(self.problem, evaluation) for evaluation in evaluations]
                self._fit(starts[int(np.argmin(excess))] if excess else None)
            if not (self.best.was_interrupted or self.best.is_impossible):
                self._prove()
        except KeyboardInterrupt:
            self.best.was_interrupted = True
        return self.best.result("milp", self.gap, self._message())

    def _fit(self, start: Plan | None) -> None:
        """A first plan that keeps the caps, or the proof that there is none."""
        self.shortage = least_shortage(self.problem, self.best.left_s(), start)
        self.best.was_interrupted, self.presolve = self.shortage.was_interrupted, not self.shortage.is_doubtful
        if self.shortage.is_proved:
            self.best.prove(np.inf)
        elif self.shortage.plan is not None:
            self._offer(self.shortage.plan)

    def _prove(self) -> None:
        self._solve(self.problem)
        if self.best.status(self.gap) is Status.FEASIBLE and not self.best.was_interrupted and self._is_coarse():
            self._solve(self.problem)
        if self.presolve and (self.best.is_contradicted or self.best.is_impossible):
            self._solve_without_presolve()

    def _solve_without_presolve(self) -> None:
        """Presolve is where HiGHS was seen to lose optima (issue 3274): forget all that was proved with it, and use the
        time left to prove it again. Without time left our own bound remains, after an interrupt none."""
        self.presolve = False
        self.best.forget()
        if not self.best.was_interrupted:
            self._solve(self.problem)

    def _message(self) -> str:
        if self.best.is_impossible:
            return self.shortage.message if self.shortage else ""
        if self.best.plan is not None:
            return "" if self.presolve else DROPPED
        notes = ["" if self.presolve else DOUBTFUL, self.shortage.nearest if self.shortage else ""]
        return "; ".join(filter(None, notes))

    def _is_coarse(self) -> bool:
        """Whether the solver's unit of time, a guess before any plan was known, makes its tolerances matter."""
        return max(self._unit_s / self._reference_s(), self._reference_s() / self._unit_s) > COARSE

    def _solve(self, problem: Problem, attempts: int = 3) -> None:
        """Solve, and again with a smaller cap where the plan breaks one by the solver's tolerance: for a plan, not for
        a bound."""
        plan = self._solved(problem)
        if plan is None:
            return
        evaluation = self._offer(plan)
        if not (evaluation.is_feasible or self.best.was_interrupted) and attempts > 0 and self.best.left_s() > 0:
            self._solve(_shrunk(problem, evaluation), attempts - 1)

    def _solved(self, problem: Problem) -> Plan | None:
        """The solver's plan, if it found one; its bounds are reported as long as the problem is the given one."""
        reference, is_given = self._reference_s(), problem is self.problem
        self._unit_s = reference
        data = partition_data(problem, reference)
        if is_given:
            self.best.prove(compute_bound(data) * reference)
        if self.best.left_s() <= 0:
            return None
        model = built({"tight": tight.build, "plain": plain.build}[self._formulation], data)
        solver = Solver(model)
        start = None
        if self.best.plan is not None:
            wanted = fixings(model, data, choices_of(self.best.plan, problem))
            start = solver.completed(wanted, min(10.0, self.best.left_s()))

        def report(_: float, incumbent: float, bound: float) -> None:
            self.best.prove(bound * reference if is_given else -np.inf, incumbent * reference)

        solution = solver.solve(self.best.left_s(), self.gap, start, report, self.presolve)
        report(0.0, np.inf if solution.objective is None else solution.objective, solution.bound)
        self.best.was_interrupted |= solution.was_interrupted
        if solution.values is None:
            return None
        solver.load(solution.values)
        return plan_of(choices(model, data), problem, data)

    def _reference_s(self) -> float:
        """A hundredth of the best latency known, or of the work on one device where nothing is known."""
        guess = self.best.objective
        if not np.isfinite(guess):
            guess = sum(op.flops for op in self.problem.operators) / self.problem.cluster.devices[0].flops_per_s
        return guess / REFERENCE_PARTS or 1.0

    def _offer(self, plan: Plan) -> Evaluation:
        """Judge it, and keep it if it is the best that keeps every cap."""
        evaluation = self.evaluate(plan)
        if evaluation.is_feasible:
            self.best.offer(plan, evaluation.latency_s)
        return evaluation


def _excess(problem: Problem, evaluation: Evaluation) -> int:
    """Bytes over the caps, of all devices together."""
    devices = problem.cluster.devices
    return sum(max(0, evaluation.memory_bytes[d.name] - d.memory_bytes) for d in devices if d.memory_bytes is not None)


def _shrunk(problem: Problem, evaluation: Evaluation) -> Problem:
    """The problem with the caps that the plan breaks made smaller by what it breaks them by, and a little."""
    caps = []
    for device, original in zip(problem.cluster.devices, evaluation.memory_bytes.values(), strict=True):
        over = 0 if device.memory_bytes is None else max(0, original - device.memory_bytes)
        caps.append(None if device.memory_bytes is None else max(1, device.memory_bytes - 2 * over))
    return replace(problem, cluster=problem.cluster.with_memory(tuple(caps)))
