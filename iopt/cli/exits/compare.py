"""`iopt exits compare`: every method on one problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli import options as common
from iopt.cli.exits import options
from iopt.cli.exits.problem import Given
from iopt.cli.expand import expanded
from iopt.cli.finish import finish, told

if TYPE_CHECKING:
    from iopt.exits.plan import Plan
    from iopt.exits.problem import Problem
    from iopt.report.progress import LiveLine
    from iopt.result import Result


@expanded(Given)
def compare(
    given: Given,
    gamma: options.GammaOption = 30,
    time_limit: options.TimeLimitOption = 60.0,
    gap: common.GapOption = 1e-6,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """Place with every method, and compare the costs.

    NETWORK, a name of `iopt exits networks` or a profile file, needs --tiers, --accuracy and --latency:

    \b
      iopt exits compare b-alexnet --tiers mobile-edge-cloud --accuracy 0.8 --latency "5 ms"

    WORKLOAD.yaml, a file with one application or several, says all that by itself; `iopt exits plan --help` has an
    example.
    """
    from iopt.door import json_file
    from iopt.report.console import console
    from iopt.report.exits_comparison import rows, to_list
    from iopt.report.exits_comparison_table import print_comparison
    from iopt.report.progress import LiveLine

    with LiveLine(quiet, "mJ") as line:
        line.step(f"reading {given.network}")
        problem = given.workload().problem
        results = _compared(problem, time_limit, gap, gamma, line)
    found = rows(problem, results)
    if json:
        print(json_file.pretty(to_list(found)))
    else:
        print_comparison(console(), problem, found)
    return finish(results[-1], time_limit, "limit")


def _compared(problem: Problem, time_limit_s: float, gap: float, gamma: int, line: LiveLine) -> list[Result[Plan]]:
    """A result per method, the exact one last."""
    from iopt.exits.methods import compare as compared

    return told(compared(problem, time_limit_s, gap, gamma, line), line)
