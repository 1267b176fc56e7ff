"""`iopt tile compare`: every method on one problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli import options as common
from iopt.cli.expand import expanded
from iopt.cli.finish import finish, told
from iopt.cli.tiling import options
from iopt.cli.tiling.problem import Given

if TYPE_CHECKING:
    from iopt.report.progress import LiveLine
    from iopt.result import Result
    from iopt.tiling.plan import Configuration
    from iopt.tiling.problem import Problem


@expanded(Given)
def compare(
    given: Given,
    time_limit: options.TimeLimitOption = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """Plan with every method, and compare the costs.

    \b
      iopt tile compare yolov2-16 --memory "24 MiB"
    """
    from iopt.door import json_file
    from iopt.report.console import console
    from iopt.report.progress import LiveLine
    from iopt.report.tiling_comparison import rows, to_list
    from iopt.report.tiling_comparison_table import print_comparison
    from iopt.tiling.methods import DEFAULT_TIME_LIMIT_S, checked

    checked("milp", time_limit_s=time_limit)
    limit_s = time_limit or DEFAULT_TIME_LIMIT_S
    with LiveLine(quiet) as line:
        line.step(f"reading {given.model}")
        problem = given.problem()
        results = _compared(problem, limit_s, line)
    found = rows(problem, results)
    if json:
        print(json_file.pretty(to_list(found)))
    else:
        print_comparison(console(), problem, found)
    return finish(results[-1], limit_s, "limit")


def _compared(problem: Problem, time_limit_s: float, line: LiveLine) -> list[Result[Configuration]]:
    """A result per method, the exact one last."""
    from iopt.tiling.methods import compare as compared

    return told(compared(problem, time_limit_s), line)
