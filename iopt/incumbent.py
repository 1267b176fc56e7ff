"""What a search with a proof keeps as it goes: the best plan, the best bound, its clock and its history."""

from __future__ import annotations

import time
from importlib.metadata import version
from math import inf
from typing import Generic, TypeVar

from iopt.errors import ContradictionError
from iopt.result import ACCURACY, INTERRUPTED, OnProgress, Progress, Result, Status, status_of

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
            self._record()

    def prove(self, bound: float, claimed: float = inf) -> None:
        """No plan is below `bound`. `claimed`: objective of a plan that a solver has and has not handed over yet; only
        progress shows it."""
        self.bound = max(self.bound, bound)
        self._record(claimed)

    def forget(self) -> None:
        """Drop all that was proved, and the history of it."""
        self.bound = -inf
        self._history.clear()

    def _record(self, claimed: float = inf) -> None:
        known = min(self.objective, claimed)
        progress = Progress(
            time.perf_counter() - self._began,
            known if known < inf else None,
            self.bound if abs(self.bound) < inf else None,
        )
        self._history.append(progress)
        if self._on_progress is not None:
            self._on_progress(progress)

    def is_closed(self, gap: float = 0.0) -> bool:
        """Nothing is left to prove within this relative gap."""
        return self.bound >= self.objective * (1 - gap)

    @property
    def is_contradicted(self) -> bool:
        """The bound passes the objective of a plan by more than its accuracy."""
        return self.bound > self.objective * (1 + ACCURACY)

    @property
    def is_impossible(self) -> bool:
        """It was proved that there is no plan, and there is none."""
        return self.plan is None and self.bound == inf

    def status(self, gap: float = 0.0) -> Status:
        """As it stands."""
        if self.plan is None:
            return Status.INFEASIBLE if self.is_impossible else Status.UNKNOWN
        return status_of(self.objective, self.bound, gap)

    def left_s(self) -> float:
        """Seconds of the time limit that are left."""
        return self._limit_s - (time.perf_counter() - self._began)

    def result(self, method: str, gap: float = 0.0, message: str = "") -> Result[Plan]:
        """As it stands; `message`: what else there is to say. Raises `ContradictionError` where a plan is below what
        was proved, and `KeyboardInterrupt` if interrupted without a plan."""
        if self.plan is None and self.was_interrupted:
            raise KeyboardInterrupt
        if self.is_contradicted:
            raise ContradictionError(
                f"a plan has {self.objective}, and {self.bound} was proved to be the least: "
                "this is a bug in iopt or in its solver"
            )
        return Result(
            method=method,
            status=self.status(gap),
            plan=self.plan,
            objective=None if self.plan is None else self.objective,
            bound=min(self.bound, self.objective) if abs(self.bound) < inf else None,
            runtime_s=time.perf_counter() - self._began,
            solver=f"HiGHS {version('highspy')}",
            message="; ".join(filter(None, (INTERRUPTED * self.was_interrupted, message))),
            history=tuple(self._history),
        )
