"""Configuration files: all that it takes to read a configuration, judge it anew and execute it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopt.door import json_file
from iopt.door.given import check_count, check_kind
from iopt.errors import PlanError
from iopt.planfile.form import result_of, result_to_dict
from iopt.planfile.whole import check_whole
from iopt.result import ACCURACY, Result
from iopt.tiling.evaluation import Evaluation, evaluate
from iopt.tiling.files.configuration_form import configuration_of, evaluation_to_dict, groups_to_list
from iopt.tiling.instance import from_dict, instance_hash
from iopt.tiling.instance import to_dict as instance_to_dict
from iopt.tiling.notation import written
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    from iopt.tiling.files.configuration_schema import ConfigurationData

UNIT = "value"
"""Ends the keys of objective and bound, whose unit the objective says."""


@dataclass(frozen=True)
class ConfigurationFile:
    """What a configuration file holds: `problem`, the `result` it states (with its plan), and all that it claims.

    `evaluation` is ours, made when the file was read; None without a plan. `max_groups`: the method considered at most
    so many groups; None: any number.
    """

    path: str
    problem: Problem
    result: Result[Configuration]
    evaluation: Evaluation | None
    max_groups: int | None
    claims: ConfigurationData

    @property
    def plan(self) -> Configuration | None:
        return self.result.plan


def to_dict(problem: Problem, result: Result[Configuration], max_groups: int | None = None) -> dict[str, Any]:
    """A result with its problem as the data of a configuration file. `max_groups`: what the method was given."""
    from iopt.tiling.files.configuration_schema import SCHEMA

    check_kind(problem, Problem, "problem")
    check_kind(result, Result, "result", how="iopt.tiling.solve gives one")
    if max_groups is not None:
        check_count(max_groups, "max_groups")
    instance, plan = instance_to_dict(problem), result.plan
    return {
        "schema": SCHEMA,
        "model": problem.graph.name,
        "instance_hash": instance_hash(problem),
        "input_shape": list(problem.graph.input_shape),
        "options": instance["options"],
        "host": instance["host"],
        "notation": None if plan is None else written(plan),
        "groups": None if plan is None else groups_to_list(plan),
        "result": {**result_to_dict(result, ACCURACY, UNIT), "max_groups": max_groups},
        "evaluation": None if plan is None else evaluation_to_dict(problem, evaluate(problem, plan)),
        "network": instance["network"],
    }


def save(path: str | Path, problem: Problem, result: Result[Configuration], max_groups: int | None = None) -> None:
    """Write a configuration file, whole or not at all. Raises `IoptError` where it cannot be written."""
    json_file.write(path, to_dict(problem, result, max_groups))


def read(path: str | Path) -> ConfigurationFile:
    """The file as it is, its claims unchecked. Raises `PlanError` with one line: file, key, what was expected."""
    return from_data(json_file.read(path, PlanError), str(path))


def from_data(data: object, where: str) -> ConfigurationFile:
    """The configuration file of `to_dict`'s data. Raises `PlanError` that begins with `where`."""
    claims = _validated(data, where)
    plan = None if claims.groups is None else configuration_of(claims.groups)
    try:
        problem = from_dict(claims.model_dump(), where)
        check_whole(data, instance_to_dict(problem), where)
        evaluation = None if plan is None else evaluate(problem, plan)
    except PlanError as error:
        raise PlanError(str(error) if str(error).startswith(where) else f"{where}: groups: {error}") from None
    result = result_of(claims.result, plan, UNIT)
    return ConfigurationFile(where, problem, result, evaluation, claims.result.max_groups, claims)


def _validated(data: object, where: str) -> ConfigurationData:
    from iopt.door.validation import validated
    from iopt.tiling.files.configuration_schema import SCHEMA, ConfigurationData

    return validated(data, ConfigurationData, SCHEMA, where, PlanError)
