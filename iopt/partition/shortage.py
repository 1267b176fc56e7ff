"""When memory is too small: which devices are short, and by how little more a plan would be possible."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from formulations.partition import build_elastic
from formulations.partition_solution import choices, fixings
from iopt.exact import TOLERANCE, Solver, built
from iopt.partition.evaluation import Evaluator
from iopt.partition.milp_data import choices_of, partition_data, plan_of
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem

SHARE = 0.5
"""Of the time, at most, for the solver's first run."""

AMOUNT_S = 2.0
"""Once it is proved that no plan fits, a run may go on for so long to find out how much is missing."""


@dataclass(frozen=True)
class Shortage:
    """`plan` needs the least extra memory found, `extra_bytes` by device name; every plan needs `at_least_bytes`.

    `plan` is None, and `extra_bytes` empty, where none was found in time; something may be proved all the same.
    `is_doubtful`: that no plan fits was claimed with presolve, and not proved without.
    """

    plan: Plan | None
    extra_bytes: dict[str, int]
    at_least_bytes: int
    was_interrupted: bool = False
    is_doubtful: bool = False

    @property
    def is_proved(self) -> bool:
        """Every plan breaks a cap."""
        return self.at_least_bytes > 0

    @property
    def message(self) -> str:
        """In words, where no plan fits: who is short, of how much, and what would help."""
        return (
            f"no plan keeps every memory cap{self._amount}. "
            f"More memory{' there' if self.plan else ''}, a further device, or a smaller network or input would help"
        )

    @property
    def nearest(self) -> str:
        """In words, where none was found that fits: how far the plan that comes nearest is from it."""
        if not any(self.extra_bytes.values()):
            return ""
        short = ((name, extra) for name, extra in self.extra_bytes.items() if extra)
        return "the nearest exceeds the memory of " + ", ".join(f"{name} by {extra:,} bytes" for name, extra in short)

    @property
    def _amount(self) -> str:
        least = "; the least total of extra memory is"
        if self.plan is None:
            return f"{least} at least {self.at_least_bytes:,} bytes" if self.is_proved else ""
        short = {name: extra for name, extra in self.extra_bytes.items() if extra}
        total = sum(short.values())
        each = ", ".join(f"{name} {extra:,} bytes" for name, extra in short.items())
        if not self.is_proved:
            return f"{least} at most {total:,} bytes ({each})"
        exact = "" if self.at_least_bytes == total else f" between {self.at_least_bytes:,} and"
        return f"{least}{exact} {total:,} bytes ({each})"


def least_shortage(problem: Problem, time_limit_s: float = np.inf, start: Plan | None = None) -> Shortage:
    """Least total of extra bytes that makes a plan possible: the decision and the caps alone, elastic.

    Ends with the first plan that fits. That none does counts as proved if it is proved again without presolve, where
    HiGHS was seen to lose solutions (issue 3274): the first run has `SHARE` of the time, the second what is left.
    `start`: a plan to come nearer from.
    """
    ends = time.perf_counter() + time_limit_s
    elastic = _Elastic(problem, start)
    first = elastic.run(SHARE * time_limit_s)
    left_s = ends - time.perf_counter()
    if not first.is_proved or first.was_interrupted:
        return first
    second = elastic.run(left_s, first.at_least_bytes, presolve=False) if left_s > 0 else elastic.shortage(0, False)
    at_least = min(first.at_least_bytes, second.at_least_bytes)
    return elastic.shortage(at_least, second.was_interrupted, is_doubtful=not second.is_proved)


class _Elastic:
    """The programme, and the plan that exceeds memory least."""

    def __init__(self, problem: Problem, start: Plan | None) -> None:
        self._problem, self._evaluate = problem, Evaluator(problem)
        self._data = partition_data(problem, 1.0)
        self._caps = {j: problem.cluster.devices[j].memory_bytes or 0 for j in self._data.capped}
        self._unit = min(self._caps.values())
        shares = {j: cap / self._unit for j, cap in self._caps.items()}
        self._model = built(lambda data: build_elastic(data, shares), self._data)
        self._plan: Plan | None = None
        self._extra: dict[str, int] = {}
        if start is not None:
            self._offer(start)

    def run(self, time_limit_s: float, goal: int | None = None, presolve: bool = True) -> Shortage:
        """Solve until a plan fits, the least is known, or something, at best `goal` bytes, is proved to be missing."""
        ends, solver = time.perf_counter() + time_limit_s, Solver(self._model)
        start = None
        if self._plan is not None:
            wanted = fixings(self._model, self._data, choices_of(self._plan, self._problem))
            start = solver.completed(wanted, time_limit_s)
        proved_s: list[float] = []

        def enough(extra: float, bound: float) -> bool:
            least = self._bytes(bound)
            if not least:
                return extra <= TOLERANCE
            proved_s.append(time.perf_counter())
            return least == goal or proved_s[-1] - proved_s[0] > AMOUNT_S

        solution = solver.solve(ends - time.perf_counter(), 0.0, start, None, presolve, enough)
        if solution.values is not None:
            solver.load(solution.values)
            self._offer(plan_of(choices(self._model, self._data), self._problem, self._data))
        return self.shortage(self._bytes(solution.bound), solution.was_interrupted)

    def shortage(self, at_least_bytes: int, was_interrupted: bool, is_doubtful: bool = False) -> Shortage:
        """What is known now. No more is proved than the plan needs: bounds have the solver's accuracy."""
        if self._plan is not None:
            at_least_bytes = min(at_least_bytes, sum(self._extra.values()))
        return Shortage(self._plan, self._extra, at_least_bytes, was_interrupted, is_doubtful)

    def _offer(self, plan: Plan) -> None:
        needed = self._evaluate(plan).memory_bytes
        extra = {
            device.name: max(0, needed[device.name] - device.memory_bytes)
            for device in self._problem.cluster.devices
            if device.memory_bytes is not None
        }
        if self._plan is None or sum(extra.values()) < sum(self._extra.values()):
            self._plan, self._extra = plan, extra

    def _bytes(self, bound: float) -> int:
        """Whole bytes that are missing for certain, by a bound of the solver."""
        if not np.isfinite(bound):
            return 0
        slack = TOLERANCE * sum(self._caps.values())
        return max(0, math.ceil(bound * self._unit - slack - 1e-3))
