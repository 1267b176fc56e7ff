"""Results as JSON data, and back. `unit`: what the keys of objective and bound end in, such as `s`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from iopt.door.given import check_kind
from iopt.door.stopping import check_gap
from iopt.result import Result

if TYPE_CHECKING:
    from iopt.planfile.schema import StatedResult

Plan = TypeVar("Plan")


def result_to_dict(result: Result[object], gap_tolerance: float, unit: str) -> dict[str, Any]:
    """All of a result but its plan and its history. Raises `OptionError` for what is no result and no gap."""
    check_kind(result, Result, "result", how="solve gives one")
    check_gap(gap_tolerance, "gap_tolerance")
    return {
        "method": result.method,
        "status": result.status.value,
        f"objective_{unit}": result.objective,
        f"bound_{unit}": result.bound,
        "gap": result.gap,
        "gap_tolerance": gap_tolerance,
        "runtime_s": result.runtime_s,
        "solver": result.solver,
        "message": result.message,
    }


def result_of(stated: StatedResult, plan: Plan | None, unit: str) -> Result[Plan]:
    """The result that a file states, with its plan."""
    return Result(
        method=stated.method,
        status=stated.status,
        plan=plan,
        objective=getattr(stated, f"objective_{unit}"),
        bound=getattr(stated, f"bound_{unit}"),
        runtime_s=stated.runtime_s,
        solver=stated.solver,
        message=stated.message,
    )
