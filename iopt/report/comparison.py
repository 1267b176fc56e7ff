"""Methods side by side, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iopt.partition.evaluation import Evaluation, evaluate
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import Result


@dataclass(frozen=True)
class Row:
    """One method: its result, what its plan costs, and how far that is above the best bound that any method proved."""

    result: Result[Plan]
    evaluation: Evaluation | None
    bound_s: float | None

    @property
    def gap(self) -> float | None:
        """(latency - bound) / latency. None without a plan or a bound, and for plans that the bound does not hold for:
        those that break a cap, or send by `via`."""
        result = self.result
        if result.plan is None or self.evaluation is None or not self.evaluation.is_feasible:
            return None
        if any(split.via for split in result.plan.splits):
            return None
        return Result(result.method, result.status, result.plan, result.objective, self.bound_s, 0.0).gap


def rows(problem: Problem, results: Sequence[Result[Plan]]) -> list[Row]:
    """The results with their evaluations, in the order given."""
    bound = max((result.bound for result in results if result.bound is not None), default=None)
    return [Row(result, None if result.plan is None else evaluate(problem, result.plan), bound) for result in results]


def to_list(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """JSON data in SI units: one mapping per method. What needs a plan is null without one."""
    return [_to_dict(row) for row in rows]


def _to_dict(row: Row) -> dict[str, Any]:
    result = row.result
    return {
        "method": result.method,
        "status": result.status.value,
        **_costs(row.evaluation),
        "bound_s": row.bound_s,
        "gap": row.gap,
        "runtime_s": result.runtime_s,
        "solver": result.solver,
        "message": result.message,
    }


def _costs(evaluation: Evaluation | None) -> dict[str, Any]:
    keys = ("latency_s", "compute_s", "transfer_s", "bytes", "connections", "memory_bytes", "violations")
    return {key: None if evaluation is None else getattr(evaluation, key) for key in keys}
