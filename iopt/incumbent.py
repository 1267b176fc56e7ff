"""What a search with a proof keeps as it goes: the best plan, the best bound, its clock and its history."""

from __future__ import annotations

import time
from importlib.metadata import version
from math import inf
from typing import Generic, TypeVar

from iopt.errors import ContradictionError
from iopt.result import ACCURACY, INTERRUPTED, OnProgress, Progress, Result, Status

Plan = TypeVar("Plan")


class Incumbent(Generic[Plan]):
    """`objective` inf: no plan yet; `bound` -inf: nothing proved, inf: proved that there is no plan.

    `time_limit_s` counts from now, `spent_s` is what has passed before.
    """

    def __init__(self, time_limit_s: float, on_progress: OnProgress | None = None, spent_s: float = 0.0) -> None:
        self.plan: Plan | None = None
        self.objective, self.bound = inf, -inf
        self.was_interrupted = False
        self._history: list[Progress] = []
        self._on_progress = on_progress
        self._began, self._limit_s = time.perf_counter() - spent_s, time_limit_s + spent_s

    def offer(self, plan: Plan, objective: float) -> None:
        """Keep it if it is the best."""
        if objective < self.objective:
            self.plan, self.objective = plan, objective

    def prove(self, bound: float) -> None:
        """No plan is below `bound`."""
        self.bound = max(self.bound, bound)
        progress = Progress(
            time.perf_counter() - self._began,
            self.objective if self.objective < inf else None,
            self.bound if abs(self.bound) < inf else None,
        )
        self._history.append(progress)
        if self._on_progress is not None:
            self._on_progress(progress)

    def is_closed(self, gap: float = 0.0) -> bool:
        """Nothing is left to prove within this relative gap."""
        return self.bound >= self.objective * (1 - gap)

    def left_s(self) -> float:
        """Seconds of the time limit that are left."""
        return self._limit_s - (time.perf_counter() - self._began)

    def result(self, method: str, gap: float = 0.0) -> Result[Plan]:
        """As it stands. Raises `ContradictionError` where a plan is below what was proved, and `KeyboardInterrupt` if
        interrupted without a plan."""
        if self.plan is None:
            if self.was_interrupted:
                raise KeyboardInterrupt
            status = Status.INFEASIBLE if self.bound == inf else Status.UNKNOWN
        elif self.bound > self.objective * (1 + ACCURACY):
            raise ContradictionError(
                f"a plan has {self.objective}, and {self.bound} was proved to be the least: "
                "this is a bug in iopt or in its solver"
            )
        else:
            proved = self.objective - self.bound <= (gap + ACCURACY) * self.objective
            status = Status.OPTIMAL if proved else Status.FEASIBLE
        return Result(
            method=method,
            status=status,
            plan=self.plan,
            objective=None if self.plan is None else self.objective,
            bound=min(self.bound, self.objective) if abs(self.bound) < inf else None,
            runtime_s=time.perf_counter() - self._began,
            solver=f"HiGHS {version('highspy')}",
            message=INTERRUPTED if self.was_interrupted else "",
            history=tuple(self._history),
        )
