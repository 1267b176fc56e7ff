"""What `check` says of a plan file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopt.result import Result


def taken_as_stated(result: Result[object], amount: Callable[[float], str], limit: str) -> list[str]:
    """What only a solve could prove. `amount`: a bound in words; `limit`: what plans of the problem have to keep."""
    from iopt.result import Status

    claims = [] if result.bound is None else [f"the bound {amount(result.bound)}"]
    return [*claims, f"that no plan keeps the {limit}s"] if result.status is Status.INFEASIBLE else claims


def report_claims(path: Path, untrue: Sequence[str], whose: str, taken: Sequence[str]) -> None:
    """Every claim that is not true, and `PlanError` with their number; where there is none, a line.

    `whose`: status and problem in words; `taken`: what only a solve could prove.
    """
    from iopt.errors import PlanError

    for claim in untrue:
        print(f"{path}: {claim}")
    if untrue:
        count = "a claim is" if len(untrue) == 1 else f"{len(untrue)} claims are"
        raise PlanError(f"{path}: {count} not true: changed by hand, or made for another model")
    stated = "".join(f"; taken as stated: {claim}" for claim in taken)
    print(f"{path}: every claim that can be checked is true ({whose}){stated}")
