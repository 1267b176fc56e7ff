"""Which claims of a placement file are not true, found by judging its placement anew.

That a bound holds, and that a problem is INFEASIBLE, is tried with a method that needs no solver: exact labels for one
application, rip-up and reroute for several. What that does not refute is taken as stated, and so is the run time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from iopt.exits.files.placement_file import PlacementFile, read
from iopt.exits.files.placement_form import evaluation_to_dict
from iopt.exits.instance import instance_hash
from iopt.planfile.claims import data_claims, differs, objective_claims, refuse_untrue, status_claims
from iopt.result import ACCURACY, Status

TRIAL_S = 10.0
"""For the method that tries to refute a bound."""


def load(path: str | Path) -> PlacementFile:
    """A placement file whose claims are true. Raises `PlanError` with one line for any other."""
    file = read(path)
    refuse_untrue(path, check(file), "iopt exits check")
    return file


def check(file: PlacementFile) -> list[str]:
    """Every claim that is not true: key, what the file says, what is so. Where all else is true, bound and
    infeasibility are tried."""
    return [*_identity(file), *_evaluation(file), *_result(file)] or list(_refuted(file))


def _identity(file: PlacementFile) -> Iterator[str]:
    truth = "that of networks, applications, cluster and options is {}"
    yield from differs("instance_hash", file.claims.instance_hash, instance_hash(file.problem), truth)


def _evaluation(file: PlacementFile) -> Iterator[str]:
    if file.claims.evaluation is not None and file.evaluation is not None:
        found = evaluation_to_dict(file.problem, file.evaluation)
        yield from data_claims("evaluation", file.claims.evaluation.model_dump(), found)


def _result(file: PlacementFile) -> Iterator[str]:
    result, evaluation, stated = file.result, file.evaluation, file.claims.result
    energy = None if evaluation is None else evaluation.energy_j
    yield from objective_claims(result, stated.gap, energy, "energy", "j")
    is_feasible = None if evaluation is None else evaluation.is_feasible
    yield from status_claims(result, is_feasible, stated.gap_tolerance, "the limits")


def _refuted(file: PlacementFile) -> Iterator[str]:
    """Bound and infeasibility against a placement made now, without a solver."""
    bound, is_infeasible = file.result.bound, file.result.status is Status.INFEASIBLE
    if bound is None and not is_infeasible:
        return
    from iopt.exits.methods import solve

    method = "pareto" if len(file.problem.applications) == 1 else "reroute"
    found = solve(file.problem, method, time_limit_s=TRIAL_S)
    if found.status not in (Status.OPTIMAL, Status.FEASIBLE) or found.objective is None:
        return
    if is_infeasible:
        yield f"result.status is {file.result.status}; the plan of {method} keeps every limit"
    if bound is not None and bound > found.objective * (1 + ACCURACY):
        yield f"result.bound_j is {bound}; the plan of {method} keeps every limit, and its energy is {found.objective}"
