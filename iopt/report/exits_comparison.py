"""Methods side by side, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iopt.exits.evaluation import Evaluation, Evaluator
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.result import Result


@dataclass(frozen=True)
class Row:
    """One method: its result, what its plan costs, and the best bound that any method proved."""

    problem: Problem
    result: Result[Plan]
    evaluation: Evaluation | None
    bound_j: float | None

    @property
    def gap(self) -> float | None:
        """(energy - bound) / energy. None without a plan or a bound, and for a plan that breaks a limit."""
        result = self.result
        if self.evaluation is None or not self.evaluation.is_feasible:
            return None
        return Result(result.method, result.status, result.plan, result.objective, self.bound_j, 0.0).gap

    @property
    def compute_j(self) -> float | None:
        return self._weighted("compute_j")

    @property
    def transfer_j(self) -> float | None:
        return self._weighted("transfer_j")

    @property
    def latency_share(self) -> float | None:
        """The largest share of its limit that an application's latency takes."""
        if self.evaluation is None:
            return None
        pairs = zip(self.problem.applications, self.evaluation.applications, strict=True)
        return max(cost.latency_s / application.latency_s for application, cost in pairs)

    def _weighted(self, key: str) -> float | None:
        """Over the applications, with their rates."""
        if self.evaluation is None:
            return None
        pairs = zip(self.problem.applications, self.evaluation.applications, strict=True)
        total: float = sum(application.rate_per_s * getattr(cost, key) for application, cost in pairs)
        return total


def rows(problem: Problem, results: Sequence[Result[Plan]]) -> list[Row]:
    """The results with their evaluations, in the order given."""
    judge = Evaluator(problem)
    bound = max((result.bound for result in results if result.bound is not None), default=None)
    return [Row(problem, result, None if result.plan is None else judge(result.plan), bound) for result in results]


def to_list(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """JSON data in SI units: one mapping per method. What needs a plan is null without one."""
    return [_to_dict(row) for row in rows]


def _to_dict(row: Row) -> dict[str, Any]:
    result, found = row.result, row.evaluation
    return {
        "method": result.method,
        "status": result.status.value,
        "energy_j": None if found is None else found.energy_j,
        "compute_j": row.compute_j,
        "transfer_j": row.transfer_j,
        "applications": None if found is None else _applications(row.problem, found),
        "violations": None if found is None else list(found.violations),
        "bound_j": row.bound_j,
        "gap": row.gap,
        "runtime_s": result.runtime_s,
        "solver": result.solver,
        "message": result.message,
    }


def _applications(problem: Problem, found: Evaluation) -> list[dict[str, Any]]:
    names = [device.name for device in problem.cluster.devices]
    return [
        {
            "name": cost.name,
            "energy_j": cost.energy_j,
            "latency_s": cost.latency_s if cost.latency_s < float("inf") else None,
            "accuracy": cost.accuracy,
            "nodes": [names[block.node] for block in cost.blocks],
        }
        for cost in found.applications
    ]
