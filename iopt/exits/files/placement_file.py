"""Placement files: all that it takes to read a placement, judge it anew and carry it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopt.door import json_file
from iopt.door.given import check_kind
from iopt.errors import IoptError, PlanError
from iopt.exits.evaluation import Evaluation, evaluate
from iopt.exits.files.placement_form import evaluation_to_dict, placements_to_list, plan_of
from iopt.exits.files.profile_file import measured_of
from iopt.exits.instance import from_dict, instance_hash, networks_of
from iopt.exits.instance import to_dict as instance_to_dict
from iopt.exits.observations import Profile
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.planfile.form import result_of, result_to_dict
from iopt.planfile.whole import check_whole
from iopt.result import Result

if TYPE_CHECKING:
    from iopt.exits.files.placement_schema import PlacementData


@dataclass(frozen=True)
class PlacementFile:
    """What a placement file holds: `problem`, the `result` it states (with its plan), and all that it claims, as read.

    `profiles`: of each application, without observations. `evaluation` is ours, made when the file was read; None
    without a plan.
    """

    path: str
    problem: Problem
    profiles: tuple[Profile, ...]
    result: Result[Plan]
    evaluation: Evaluation | None
    claims: PlacementData

    @property
    def plan(self) -> Plan | None:
        return self.result.plan


def to_dict(
    problem: Problem, result: Result[Plan], gap_tolerance: float, profiles: Iterable[Profile] = ()
) -> dict[str, Any]:
    """A result with its problem as the data of a placement file.

    `gap_tolerance`: the largest gap of an OPTIMAL result. `profiles`: those that the networks come from, where known:
    `iopt exits run` finds the rule and the thresholds there.
    """
    from iopt.exits.files.placement_schema import SCHEMA

    check_kind(problem, Problem, "problem")
    check_kind(result, Result, "result", how="solve gives one")
    instance, plan = instance_to_dict(problem), result.plan
    known = {profile.network: profile for profile in profiles}
    return {
        "schema": SCHEMA,
        "instance_hash": instance_hash(problem),
        "options": instance["options"],
        "applications": instance["applications"],
        "cluster": instance["cluster"],
        "placements": None if plan is None else placements_to_list(problem, plan),
        "result": result_to_dict(result, gap_tolerance, "j"),
        "evaluation": None if plan is None else evaluation_to_dict(problem, evaluate(problem, plan)),
        "networks": instance["networks"],
        "origins": [_origin(known.get(network, Profile(network))) for network in networks_of(problem)],
    }


def save(
    path: str | Path, problem: Problem, result: Result[Plan], gap_tolerance: float, profiles: Iterable[Profile] = ()
) -> None:
    """Write a placement file, whole or not at all. Raises `IoptError` where it cannot be written."""
    json_file.write(path, to_dict(problem, result, gap_tolerance, profiles))


def read(path: str | Path) -> PlacementFile:
    """The file as it is, its claims unchecked. Raises `PlanError` with one line: file, key, what was expected."""
    return from_data(json_file.read(path, PlanError), str(path))


def from_data(data: object, where: str) -> PlacementFile:
    """The placement file of `to_dict`'s data. Raises `PlanError` that begins with `where`."""
    claims = _validated(data, where)
    try:
        problem = from_dict(claims.model_dump(), where)
        check_whole(data, instance_to_dict(problem), where)
        profiles = _profiles(problem, claims)
        plan = None if claims.placements is None else plan_of(problem, claims.placements)
    except IoptError as error:
        raise PlanError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None
    evaluation = None if plan is None else evaluate(problem, plan)
    return PlacementFile(where, problem, profiles, result_of(claims.result, plan, "j"), evaluation, claims)


def _validated(data: object, where: str) -> PlacementData:
    from iopt.door.validation import validated
    from iopt.exits.files.placement_schema import SCHEMA, PlacementData

    return validated(data, PlacementData, SCHEMA, where, PlanError)


def _origin(profile: Profile) -> dict[str, Any]:
    measured = None if profile.measured is None else asdict(profile.measured)
    return {"graph_hash": profile.graph_hash, "measured": measured}


def _profiles(problem: Problem, claims: PlacementData) -> tuple[Profile, ...]:
    """Of each application. Raises `IoptError` where rule or thresholds do not fit the network."""
    found = []
    for application, data in zip(problem.applications, claims.applications, strict=True):
        origin = claims.origins[data.network]
        measured = None if origin.measured is None else measured_of(origin.measured.model_dump())
        found.append(Profile(application.network, origin.graph_hash, measured))
    return tuple(found)
