"""Exit codes, and which of them a result has."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopt.result import Result


class Exit(IntEnum):
    OK = 0
    BUG = 1
    BAD_INPUT = 2
    INFEASIBLE = 3
    NO_PLAN = 4
    LOST = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141


def exit_code(result: Result[object]) -> Exit:
    """OK with a plan that keeps every limit."""
    from iopt.result import Status

    return {Status.INFEASIBLE: Exit.INFEASIBLE, Status.UNKNOWN: Exit.NO_PLAN}.get(result.status, Exit.OK)


NEARLY = 0.95
"""Part of the time limit after which a solve counts as stopped by it."""


def reason(
    result: Result[object], time_limit_s: float | None = None, limit: str = "memory cap", advice: str = ""
) -> str:
    """In one line why a result is not OK; nothing where it is. `time_limit_s`: what the method was given, if known;
    `limit`: what plans of the problem have to keep; `advice`: what to do where the time limit was reached."""
    code = exit_code(result)
    if code is Exit.INFEASIBLE:
        return f"infeasible: {result.message}" if result.message else f"infeasible: no plan keeps every {limit}"
    if code is Exit.NO_PLAN and result.plan is not None:
        return f"the plan of {result.method} breaks a {limit}: {result.message}"
    if code is Exit.NO_PLAN:
        said = f"{_without_plan(result, time_limit_s, limit)}{': ' if result.message else ''}{result.message}"
        return f"{said}{advice}" if time_limit_s is not None and result.runtime_s >= NEARLY * time_limit_s else said
    return result.message


def _without_plan(result: Result[object], time_limit_s: float | None, limit: str) -> str:
    """The limit is blamed only where it was reached."""
    if time_limit_s is not None and result.runtime_s >= NEARLY * time_limit_s:
        return f"no plan was found within the time limit of {time_limit_s:g} s"
    return f"no plan that keeps every {limit} was found"
