"""`iopt compare`: every method on one problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options
from iopt.cli.finish import finish
from iopt.cli.problem import Given

if TYPE_CHECKING:
    from iopt.partition.problem import Problem
    from iopt.report.comparison import Row
    from iopt.report.progress import LiveLine


def compare(
    model: options.ModelArgument,
    cluster: options.ClusterOption,
    input: options.InputOption = None,
    time_limit: options.TimeLimitOption = 60.0,
    gap: options.GapOption = 1e-4,
    tight: options.TightOption = False,
    memory: options.MemoryOption = options.Memory.LIVE,
    no_along_rows: options.NoAlongRowsOption = False,
    trust: options.TrustOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print an array with a mapping for each method.")] = False,
    quiet: options.QuietOption = False,
) -> int:
    """Plan with every method, and compare the costs."""
    from iopt.door import json_file
    from iopt.partition.methods import checked
    from iopt.report.comparison import to_list
    from iopt.report.comparison_table import print_comparison
    from iopt.report.console import console
    from iopt.report.progress import LiveLine

    checked("milp", time_limit, gap)
    given = Given(model, cluster, input, memory, tight, not no_along_rows, trust)
    with LiveLine(quiet) as line:
        line.step(f"reading {model}")
        problem = given.problem()
        rows = _compared(problem, time_limit, gap, line)
    if json:
        print(json_file.pretty(to_list(rows)))
    else:
        print_comparison(console(), problem, rows)
    exact = rows[-1].result
    return finish(exact, time_limit)


def _compared(problem: Problem, time_limit_s: float, gap: float, line: LiveLine) -> list[Row]:
    """A row per method, the exact one last."""
    from iopt.partition.methods import compare as compared
    from iopt.report.comparison import rows

    results = []
    line.step("comparing")
    for result in compared(problem, time_limit_s, gap, line):
        results.append(result)
        line.step("milp" if result.method == "dp" else f"comparing, {result.method} done")
    return rows(problem, results)
