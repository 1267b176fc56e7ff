"""`iopt plan`: decide, show, write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options
from iopt.cli.finish import finish
from iopt.cli.output import check_output
from iopt.cli.problem import Given
from iopt.cli.talk import say

if TYPE_CHECKING:
    from iopt.partition.plan import Plan
    from iopt.partition.problem import Problem
    from iopt.result import Result

METHODS = "milp|dp|iop|coedge|oc|modnn|single"
"""Those of `iopt.partition.methods`, whose import takes a while; a test holds the two together."""


def plan(
    model: options.ModelArgument,
    cluster: options.ClusterOption,
    input: options.InputOption = None,
    method: Annotated[str, typer.Option("--method", metavar=METHODS, help="How to decide.")] = "milp",
    time_limit: options.TimeLimitOption = 60.0,
    gap: options.GapOption = 1e-4,
    tight: options.TightOption = False,
    memory: options.MemoryOption = options.Memory.LIVE,
    no_along_rows: options.NoAlongRowsOption = False,
    trust: options.TrustOption = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the plan here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the plan file instead of a table.")] = False,
    quiet: options.QuietOption = False,
) -> int:
    """Find the fastest split of a network over a cluster."""
    from iopt.partition.methods import checked, solve
    from iopt.report.progress import LiveLine

    checked(method, time_limit, gap)
    if output is not None:
        check_output(output, model, cluster)
    given = Given(model, cluster, input, memory, tight, not no_along_rows, trust)
    with LiveLine(quiet) as line:
        line.step(f"reading {model}")
        problem = given.problem()
        line.step(method)
        result = solve(problem, method, time_limit, gap, line)
    _hand_over(problem, result, gap, output, json)
    if output is not None and not quiet:
        say(f"written to {output}")
    return finish(result, time_limit)


def _hand_over(problem: Problem, result: Result[Plan], gap: float, output: Path | None, as_json: bool) -> None:
    """To the file first, then to standard output."""
    from iopt.door import json_file
    from iopt.partition import files
    from iopt.partition.evaluation import evaluate
    from iopt.report.console import console
    from iopt.report.summary import print_result

    if output is not None:
        files.save(output, problem, result, gap)
    if as_json:
        print(json_file.pretty(files.to_dict(problem, result, gap)))
    else:
        print_result(console(), problem, result, None if result.plan is None else evaluate(problem, result.plan))
