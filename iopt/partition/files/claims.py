"""Which claims of a plan file are not true, found by judging its plan anew.

That a bound holds, and that a problem is INFEASIBLE, cannot be proved here. The plan of `dp` may refute them: where a
heuristic's plan keeps the caps (but `modnn`'s, which no bound covers), that of `dp` does too and is no slower. What it
does not refute is taken as stated, and so is the run time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from iopt.errors import PlanError
from iopt.partition.evaluation import Evaluation
from iopt.partition.files.plan_file import PlanFile, read
from iopt.partition.instance import instance_hash
from iopt.result import ACCURACY, Status

if TYPE_CHECKING:
    from iopt.partition.files.schema import EvaluationData

RELATIVE_TOLERANCE = 1e-9
"""Of what the evaluator says: sums of floats may be taken in another order elsewhere. Bytes are exact."""


def load(path: str | Path) -> PlanFile:
    """A plan file whose claims are true. Raises `PlanError` with one line for any other."""
    file = read(path)
    untrue = check(file)
    if untrue:
        more = f" (and {len(untrue) - 1} more; `iopt check` lists them)" if len(untrue) > 1 else ""
        raise PlanError(f"{path}: changed by hand, or made for another model: {untrue[0]}{more}")
    return file


def check(file: PlanFile) -> list[str]:
    """Every claim that is not true: key, what the file says, what is so.

    Where all else is true, bound and infeasibility are tried; `PlanError` if the network is too large for that.
    """
    return [*_identity(file), *_evaluation(file), *_objective(file), *_status(file)] or list(_refuted(file))


def _identity(file: PlanFile) -> Iterator[str]:
    claims, graph = file.claims, file.problem.graph
    shape = list(graph.input_shape)
    yield from _differs("model", claims.model, graph.name, "the embedded network is {}")
    yield from _differs("input_shape", list(claims.input_shape), shape, "the embedded network's is {}")
    expected = instance_hash(file.problem)
    yield from _differs("instance_hash", claims.instance_hash, expected, "that of network, cluster and options is {}")


def _evaluation(file: PlanFile) -> Iterator[str]:
    stated, found = file.claims.evaluation, file.evaluation
    if stated is None or found is None:
        return
    for key in ("latency_s", "compute_s", "transfer_s"):
        yield from _differs(f"evaluation.{key}", getattr(stated, key), getattr(found, key))
    for name in {**found.memory_bytes, **stated.memory_bytes}:
        key = f"evaluation.memory_bytes.{name}"
        yield from _differs(key, stated.memory_bytes.get(name), found.memory_bytes.get(name))
    yield from _differs("evaluation.violations", stated.violations, list(found.violations))
    yield from _phases(stated, found)


def _phases(stated: EvaluationData, found: Evaluation) -> Iterator[str]:
    if len(stated.phases) != len(found.phases):
        yield f"evaluation.phases: {len(stated.phases)} are stated; the plan has {len(found.phases)}"
        return
    for index, (claim, phase) in enumerate(zip(stated.phases, found.phases, strict=True)):
        key = f"evaluation.phases[{index}]"
        yield from _differs(f"{key}.operator", claim.operator, phase.operator)
        yield from _differs(f"{key}.kind", claim.kind, phase.kind)
        yield from _differs(f"{key}.time_s", claim.time_s, phase.time_s)
        yield from _differs(f"{key}.bytes", claim.bytes, phase.bytes.tolist())


def _objective(file: PlanFile) -> Iterator[str]:
    result, stated = file.result, file.claims.result
    latency = None if file.evaluation is None else file.evaluation.latency_s
    yield from _differs("result.objective_s", result.objective, latency, "the plan's latency is {}")
    yield from _differs("result.gap", stated.gap, result.gap, "objective and bound give {}")
    if result.bound is not None and latency is not None and result.bound > latency * (1 + ACCURACY):
        yield f"result.bound_s is {result.bound}; the plan's latency is below it, {latency}"


def _status(file: PlanFile) -> Iterator[str]:
    status, evaluation, stated = file.result.status, file.evaluation, file.claims.result
    says = f"result.status is {status}"
    if evaluation is None:
        if status in (Status.OPTIMAL, Status.FEASIBLE):
            yield f"{says}; there is no plan"
        if status is Status.INFEASIBLE and all(device.memory_bytes is None for device in file.problem.cluster.devices):
            yield f"{says}; no device has a memory cap"
        return
    if status is Status.INFEASIBLE:
        yield f"{says}; there is a plan"
    elif (status is Status.UNKNOWN) == evaluation.is_feasible:
        yield f"{says}; the plan {'keeps' if evaluation.is_feasible else 'breaks'} the memory caps"
    elif status is not Status.UNKNOWN:
        gap = file.result.gap
        accuracy = 2 * ACCURACY if status is Status.OPTIMAL else 0.0
        within = gap is not None and gap <= stated.gap_tolerance + accuracy
        if within != (status is Status.OPTIMAL):
            yield f"{says}; gap {gap} is {'' if within else 'not '}within gap_tolerance {stated.gap_tolerance}"


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


def _differs(key: str, stated: object, found: object, truth: str = "it is {}") -> Iterator[str]:
    """One line if the two are not the same; floats may differ in their last digits."""
    if isinstance(stated, float) and isinstance(found, float):
        same = math.isclose(stated, found, rel_tol=RELATIVE_TOLERANCE, abs_tol=RELATIVE_TOLERANCE**2)
    else:
        same = stated == found
    if not same:
        yield f"{key} is {_text(stated)}; {truth.format(_text(found))}"


def _text(value: object) -> str:
    return "null" if value is None else repr(value)
