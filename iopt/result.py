"""What every method returns, in every wing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

ACCURACY = 1e-8
"""Relative accuracy of a bound: rows of a solver's model hold to 1e-9, and many of them add up to an objective."""
INTERRUPTED = "interrupted: the best plan so far"
"""Message of a result that an interrupt from the keyboard has ended."""


class Status(StrEnum):
    """OPTIMAL: our own gap, from the re-evaluated plan, is within tolerance. FEASIBLE: a plan that keeps every limit.
    INFEASIBLE: proved that there is none. UNKNOWN: no plan that keeps every limit was found."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    UNKNOWN = "UNKNOWN"


def status_of(objective: float, bound: float, gap: float) -> Status:
    """Of a plan that keeps every limit: OPTIMAL within the relative `gap` of a proved `bound`, else FEASIBLE."""
    return Status.OPTIMAL if objective - bound <= (gap + ACCURACY) * objective else Status.FEASIBLE


@dataclass(frozen=True)
class Progress:
    """What a running solve knows: seconds since its start, best objective, best bound (SI units; None: none yet)."""

    runtime_s: float
    incumbent: float | None
    bound: float | None


OnProgress = Callable[[Progress], None]

Plan = TypeVar("Plan", covariant=True)


@dataclass(frozen=True)
class Result(Generic[Plan]):
    """`objective` is the evaluator's value of `plan`; `bound` is a proved lower bound on every plan, where there is
    one."""

    method: str
    status: Status
    plan: Plan | None
    objective: float | None
    bound: float | None
    runtime_s: float
    solver: str | None = None
    message: str = ""
    history: tuple[Progress, ...] = ()

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective, never negative; None without a plan or a bound."""
        if self.objective is None or self.bound is None:
            return None
        if self.objective == 0:
            return 0.0
        return max(0.0, (self.objective - self.bound) / self.objective)
