"""Methods side by side, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iopt.result import Result
from iopt.tiling.evaluation import Evaluation, Evaluator
from iopt.tiling.notation import written
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem


@dataclass(frozen=True)
class Row:
    """One method: its result, what its configuration costs, and the best bound that any method proved."""

    result: Result[Configuration]
    evaluation: Evaluation | None
    bound: float | None

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective. None without a plan or a bound, and for a plan that breaks a limit."""
        result = self.result
        if self.evaluation is None or not self.evaluation.is_feasible:
            return None
        return Result(result.method, result.status, result.plan, result.objective, self.bound, 0.0).gap


def rows(problem: Problem, results: Sequence[Result[Configuration]]) -> list[Row]:
    """The results with their evaluations, in the order given."""
    judge = Evaluator(problem)
    bound = max((result.bound for result in results if result.bound is not None), default=None)
    return [Row(result, None if result.plan is None else judge(result.plan), bound) for result in results]


def to_list(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """JSON data: one mapping per method. What needs a configuration is null without one."""
    return [_to_dict(row) for row in rows]


def _to_dict(row: Row) -> dict[str, Any]:
    result, found = row.result, row.evaluation
    costs = ("peak_bytes", "macs", "mac_factor", "latency_s")
    return {
        "method": result.method,
        "status": result.status.value,
        "configuration": None if result.plan is None else written(result.plan),
        **{key: None if found is None else getattr(found, key) for key in costs},
        "groups": None if result.plan is None else len(result.plan.groups),
        "violations": None if found is None else list(found.violations),
        "objective_value": result.objective,
        "bound_value": row.bound,
        "gap": row.gap,
        "runtime_s": result.runtime_s,
        "solver": result.solver,
        "message": result.message,
    }
