"""What commands that solve end with, whatever the problem."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from iopt.cli.codes import Exit, exit_code, reason
from iopt.cli.talk import complain

if TYPE_CHECKING:
    from iopt.report.progress import LiveLine
    from iopt.result import Result

Plan = TypeVar("Plan")


def told(results: Iterable[Result[Plan]], line: LiveLine) -> list[Result[Plan]]:
    """All of them, as they come told on the live line."""
    found = []
    line.step("comparing")
    for result in results:
        found.append(result)
        line.step(f"comparing, {result.method} done")
    return found


def finish(
    result: Result[object], time_limit_s: float | None = None, limit: str = "memory cap", advice: str = ""
) -> Exit:
    """The exit code of a result; why it is not OK goes to standard error. Limits: see `reason`."""
    if said := reason(result, time_limit_s, limit, advice):
        complain(said)
    return exit_code(result)
