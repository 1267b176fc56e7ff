"""`iopt exits plan`: decide, show, write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options as common
from iopt.cli.exits import options
from iopt.cli.exits.problem import Given
from iopt.cli.expand import expanded
from iopt.cli.finish import finish
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import say

if TYPE_CHECKING:
    from iopt.exits.files import Workload
    from iopt.exits.plan import Plan
    from iopt.result import Result


@expanded(Given)
def plan(
    given: Given,
    method: Annotated[
        str, typer.Option("--method", metavar=options.METHODS, help=f"How to decide; also {options.TIER_METHODS}.")
    ] = "exact",
    gamma: options.GammaOption = 30,
    proximity: options.LambdaOption = 0,
    time_limit: options.TimeLimitOption = 60.0,
    gap: common.GapOption = 1e-6,
    output: options.OutputOption = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """Place the blocks of early-exit networks at least energy.

    NETWORK, a name of `iopt exits networks` or a profile file, needs --tiers, --accuracy and --latency:

    \b
      iopt exits plan b-alexnet --tiers mobile-edge-cloud --accuracy 0.8 --latency "5 ms"

    WORKLOAD.yaml, a file with one application or several, says all that by itself:

    \b
      cluster: mobile-edge-cloud
      applications:
        - {network: b-alexnet, accuracy: 0.8, latency: 5 ms, rate: 10 Hz, count: 2}
        - {network: b-lenet, accuracy: 0.9, latency: 1 ms}
    """
    from iopt.exits.methods import solve
    from iopt.report.progress import LiveLine

    if output is not None:
        check_writable_beside(output, given.read_files())
    with LiveLine(quiet, "mJ") as line:
        line.step(f"reading {given.network}")
        workload = given.workload()
        line.step(method)
        result = solve(workload.problem, method, time_limit, gap, gamma, proximity, on_progress=line)
    _hand_over(workload, result, gap, output, json)
    if output is not None and not quiet:
        say(f"written to {output}")
    return finish(result, time_limit, "limit")


def _hand_over(workload: Workload, result: Result[Plan], gap: float, output: Path | None, as_json: bool) -> None:
    """To the file first, then to standard output."""
    from iopt.door import json_file
    from iopt.exits import files
    from iopt.exits.evaluation import evaluate
    from iopt.report.console import console
    from iopt.report.exits_summary import print_result

    problem = workload.problem
    if output is not None:
        files.save(output, problem, result, gap, workload.profiles)
    if as_json:
        print(json_file.pretty(files.to_dict(problem, result, gap, workload.profiles)))
    else:
        print_result(console(), problem, result, None if result.plan is None else evaluate(problem, result.plan))
