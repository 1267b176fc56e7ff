"""Which claims of a plan file are not true, found by judging its plan anew.

That a bound holds, and that a problem is INFEASIBLE, cannot be proved here. The plan of `dp` may refute them: where a
heuristic's plan keeps the caps (but `modnn`'s, which no bound covers), that of `dp` does too and is no slower. What it
does not refute is taken as stated, and so is the run time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from iopt.errors import PlanError
from iopt.partition.evaluation import Evaluation
from iopt.partition.files.plan_file import PlanFile, read
from iopt.partition.instance import instance_hash
from iopt.planfile.claims import differs, objective_claims, refuse_untrue, status_claims
from iopt.result import ACCURACY, Status

if TYPE_CHECKING:
    from iopt.partition.files.schema import EvaluationData


def load(path: str | Path) -> PlanFile:
    """A plan file whose claims are true. Raises `PlanError` with one line for any other."""
    file = read(path)
    refuse_untrue(path, check(file), "iopt check")
    return file


def check(file: PlanFile) -> list[str]:
    """Every claim that is not true: key, what the file says, what is so.

    Where all else is true, bound and infeasibility are tried; `PlanError` if the network is too large for that.
    """
    return [*_identity(file), *_evaluation(file), *_objective(file), *_status(file)] or list(_refuted(file))


def _identity(file: PlanFile) -> Iterator[str]:
    claims, graph = file.claims, file.problem.graph
    shape = list(graph.input_shape)
    yield from differs("model", claims.model, graph.name, "the embedded network is {}")
    yield from differs("input_shape", list(claims.input_shape), shape, "the embedded network's is {}")
    expected = instance_hash(file.problem)
    yield from differs("instance_hash", claims.instance_hash, expected, "that of network, cluster and options is {}")


def _evaluation(file: PlanFile) -> Iterator[str]:
    stated, found = file.claims.evaluation, file.evaluation
    if stated is None or found is None:
        return
    for key in ("latency_s", "compute_s", "transfer_s"):
        yield from differs(f"evaluation.{key}", getattr(stated, key), getattr(found, key))
    for name in {**found.memory_bytes, **stated.memory_bytes}:
        key = f"evaluation.memory_bytes.{name}"
        yield from differs(key, stated.memory_bytes.get(name), found.memory_bytes.get(name))
    yield from differs("evaluation.violations", stated.violations, list(found.violations))
    yield from _phases(stated, found)


def _phases(stated: EvaluationData, found: Evaluation) -> Iterator[str]:
    if len(stated.phases) != len(found.phases):
        yield f"evaluation.phases: {len(stated.phases)} are stated; the plan has {len(found.phases)}"
        return
    for index, (claim, phase) in enumerate(zip(stated.phases, found.phases, strict=True)):
        key = f"evaluation.phases[{index}]"
        yield from differs(f"{key}.operator", claim.operator, phase.operator)
        yield from differs(f"{key}.kind", claim.kind, phase.kind)
        yield from differs(f"{key}.time_s", claim.time_s, phase.time_s)
        yield from differs(f"{key}.bytes", claim.bytes, phase.bytes.tolist())


def _objective(file: PlanFile) -> Iterator[str]:
    latency = None if file.evaluation is None else file.evaluation.latency_s
    yield from objective_claims(file.result, file.claims.result.gap, latency, "latency", "s")


def _status(file: PlanFile) -> Iterator[str]:
    result, evaluation = file.result, file.evaluation
    is_feasible = None if evaluation is None else evaluation.is_feasible
    yield from status_claims(result, is_feasible, file.claims.result.gap_tolerance, "the memory caps")
    has_caps = any(device.memory_bytes is not None for device in file.problem.cluster.devices)
    if result.status is Status.INFEASIBLE and evaluation is None and not has_caps:
        yield f"result.status is {result.status}; no device has a memory cap"


def _refuted(file: PlanFile) -> Iterator[str]:
    """Bound and infeasibility against a plan made now, without a solver."""
    from iopt.partition.methods import solve

    bound, is_infeasible = file.result.bound, file.result.status is Status.INFEASIBLE
    if bound is None and not is_infeasible:
        return
    try:
        found = solve(file.problem, "dp")
    except (OverflowError, MemoryError):
        raise PlanError(f"{file.path}: network: its tensors are too large to be planned") from None
    if found.status is not Status.FEASIBLE or found.objective is None:
        return
    if is_infeasible:
        yield f"result.status is {file.result.status}; the plan of dp keeps every memory cap"
    if bound is not None and bound > found.objective * (1 + ACCURACY):
        yield f"result.bound_s is {bound}; the plan of dp keeps every memory cap, and its latency is {found.objective}"
