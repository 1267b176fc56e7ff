"""Plan files: all that it takes to read a plan, judge it anew and carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopt.door import json_file
from iopt.door.given import check_kind
from iopt.errors import ClusterError, IoptError, PlanError
from iopt.partition.evaluation import Evaluation, evaluate
from iopt.partition.files.form import evaluation_to_dict, operators_to_list, plan_of
from iopt.partition.instance import from_dict, instance_hash
from iopt.partition.instance import to_dict as instance_to_dict
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.planfile.form import result_of, result_to_dict
from iopt.planfile.whole import check_whole
from iopt.result import Result

if TYPE_CHECKING:
    from iopt.partition.files.schema import PlanData


@dataclass(frozen=True)
class PlanFile:
    """What a plan file holds: `problem`, the `result` it states (with its plan), and all that it claims, as read.

    `evaluation` is ours, made when the file was read; None without a plan.
    """

    path: str
    problem: Problem
    result: Result[Plan]
    evaluation: Evaluation | None
    claims: PlanData

    @property
    def plan(self) -> Plan | None:
        return self.result.plan


def to_dict(problem: Problem, result: Result[Plan], gap_tolerance: float) -> dict[str, Any]:
    """A result with its problem as the data of a plan file. `gap_tolerance`: the largest gap of an OPTIMAL result."""
    from iopt.partition.files.schema import SCHEMA

    check_kind(problem, Problem, "problem")
    check_kind(result, Result, "result", how="solve gives one")
    instance = instance_to_dict(problem)
    plan = result.plan
    return {
        "schema": SCHEMA,
        "model": problem.graph.name,
        "instance_hash": instance_hash(problem),
        "input_shape": list(problem.graph.input_shape),
        "options": instance["options"],
        "cluster": instance["cluster"],
        "operators": None if plan is None else operators_to_list(plan),
        "result": result_to_dict(result, gap_tolerance, "s"),
        "evaluation": None if plan is None else evaluation_to_dict(evaluate(problem, plan)),
        "network": instance["network"],
    }


def save(path: str | Path, problem: Problem, result: Result[Plan], gap_tolerance: float) -> None:
    """Write a plan file, whole or not at all. Raises `IoptError` where it cannot be written."""
    json_file.write(path, to_dict(problem, result, gap_tolerance))


def read(path: str | Path) -> PlanFile:
    """The file as it is, its claims unchecked. Raises `PlanError` with one line: file, key, what was expected."""
    return from_data(json_file.read(path, PlanError), str(path))


def from_data(data: object, where: str) -> PlanFile:
    """The plan file of `to_dict`'s data. Raises `PlanError` that begins with `where`."""
    claims = _validated(data, where)
    options = claims.options
    try:
        problem = from_dict(claims.network, claims.cluster, options.along_rows, options.memory, options.relayout, where)
        check_whole(data, instance_to_dict(problem), where)
    except PlanError:
        raise
    except IoptError as error:
        raise PlanError(_located(error, where)) from None
    result = result_of(claims.result, plan_of(claims), "s")
    try:
        evaluation = None if result.plan is None else evaluate(problem, result.plan)
    except PlanError as error:
        raise PlanError(f"{where}: operators: {error}") from None
    except (OverflowError, MemoryError):
        raise PlanError(f"{where}: network: its tensors are too large to be planned") from None
    return PlanFile(where, problem, result, evaluation, claims)


def _validated(data: object, where: str) -> PlanData:
    from iopt.door.validation import validated
    from iopt.partition.files.schema import SCHEMA, PlanData

    return validated(data, PlanData, SCHEMA, where, PlanError)


def _located(error: IoptError, where: str) -> str:
    key = "cluster" if isinstance(error, ClusterError) else "network"
    return str(error) if str(error).startswith(where) else f"{where}: {key}: {error}"
