"""Claims of a plan file against what is so: a line for each that is not true."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from iopt.errors import PlanError
from iopt.result import ACCURACY, Result, Status

RELATIVE_TOLERANCE = 1e-9
"""Of what an evaluator says: sums of floats may be taken in another order elsewhere. Whole numbers are exact."""


def refuse_untrue(path: str | Path, untrue: Sequence[str], command: str) -> None:
    """Raise `PlanError` with the first of the claims, where there are any. `command` lists all."""
    if untrue:
        more = f" (and {len(untrue) - 1} more; `{command}` lists them)" if len(untrue) > 1 else ""
        raise PlanError(f"{path}: changed by hand, or made for another model: {untrue[0]}{more}")


def differs(key: str, stated: object, found: object, truth: str = "it is {}") -> Iterator[str]:
    """One line if the two are not the same; floats may differ in their last digits."""
    if isinstance(stated, float) and isinstance(found, float):
        same = math.isclose(stated, found, rel_tol=RELATIVE_TOLERANCE, abs_tol=RELATIVE_TOLERANCE**2)
    else:
        same = stated == found
    if not same:
        yield f"{key} is {_text(stated)}; {truth.format(_text(found))}"


def data_claims(key: str, stated: Any, found: Any) -> Iterator[str]:
    """`differs`, leaf by leaf of JSON data, so that each line names its key."""
    if isinstance(found, dict) and isinstance(stated, dict):
        for name in {**found, **stated}:
            yield from data_claims(f"{key}.{name}", stated.get(name), found.get(name))
    elif isinstance(found, list) and isinstance(stated, list):
        if len(stated) != len(found):
            yield f"{key}: {len(stated)} are stated; there are {len(found)}"
            return
        for index, (claim, fact) in enumerate(zip(stated, found, strict=True)):
            yield from data_claims(f"{key}[{index}]", claim, fact)
    else:
        yield from differs(key, stated, found)


def objective_claims(
    result: Result[object], stated_gap: float | None, found: float | None, what: str, unit: str
) -> Iterator[str]:
    """Objective, gap and bound against `found`, the plan's value: its `what` (latency, energy)."""
    yield from differs(f"result.objective_{unit}", result.objective, found, f"the plan's {what} is {{}}")
    yield from differs("result.gap", stated_gap, result.gap, "objective and bound give {}")
    if result.bound is not None and found is not None and result.bound > found * (1 + ACCURACY):
        yield f"result.bound_{unit} is {result.bound}; the plan's {what} is below it, {found}"


def status_claims(result: Result[object], is_feasible: bool | None, gap_tolerance: float, limits: str) -> Iterator[str]:
    """Whether the status fits the plan. `is_feasible`: the plan keeps all `limits` (in words); None: there is none."""
    says = f"result.status is {result.status}"
    if is_feasible is None:
        if result.status in (Status.OPTIMAL, Status.FEASIBLE):
            yield f"{says}; there is no plan"
    elif result.status is Status.INFEASIBLE:
        yield f"{says}; there is a plan"
    elif (result.status is Status.UNKNOWN) == is_feasible:
        yield f"{says}; the plan {'keeps' if is_feasible else 'breaks'} {limits}"
    elif result.status is not Status.UNKNOWN:
        accuracy = 2 * ACCURACY if result.status is Status.OPTIMAL else 0.0
        within = result.gap is not None and result.gap <= gap_tolerance + accuracy
        if within != (result.status is Status.OPTIMAL):
            yield f"{says}; gap {result.gap} is {'' if within else 'not '}within gap_tolerance {gap_tolerance}"


def _text(value: object) -> str:
    return "null" if value is None else repr(value)
