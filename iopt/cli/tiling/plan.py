"""`iopt tile plan`: decide, show, write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options as common
from iopt.cli.expand import expanded
from iopt.cli.finish import finish
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import say
from iopt.cli.tiling import options
from iopt.cli.tiling.problem import Given

if TYPE_CHECKING:
    from iopt.result import Result
    from iopt.tiling.files import Host
    from iopt.tiling.heuristics.mafat import Bottom
    from iopt.tiling.plan import Configuration
    from iopt.tiling.problem import Problem


@expanded(Given)
def plan(
    given: Given,
    method: Annotated[str, typer.Option("--method", metavar=options.METHODS, help="How to decide.")] = "exact",
    groups: options.GroupsOption = None,
    bottom: options.BottomOption = None,
    fallback: options.FallbackOption = False,
    time_limit: options.TimeLimitOption = None,
    output: options.OutputOption = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """Fuse layers and tile each group of them, so that a network fits into the memory of one device.

    Least work, or latency, within a limit of memory; or least memory within an overhead of work:

    \b
      iopt tile plan yolov2-16 --memory "24 MiB" -o config.json
      iopt tile plan yolov2-16 --overhead 1.1
    """
    from iopt.report.progress import LiveLine
    from iopt.report.tiling_units import progress_in
    from iopt.tiling.methods import DEFAULT_TIME_LIMIT_S, checked, solve

    low: Bottom | None = None if bottom is None else bottom.value
    checked(method, groups, low, fallback, time_limit)
    if output is not None:
        check_writable_beside(output, given.read_files())
    with LiveLine(quiet) as line:
        line.step(f"reading {given.model}")
        problem, host = given.problem_and_host()
        line.step(method)
        on_progress = progress_in(problem, line)
        result = solve(problem, method, groups, low, fallback, time_limit, on_progress)
    hand_over(problem, result, groups, host, output, json)
    if output is not None and not quiet:
        say(f"written to {output}")
    limit_s = (time_limit or DEFAULT_TIME_LIMIT_S) if method == "milp" else None
    return finish(result, limit_s, "limit", "; raise --time-limit, or use --method exact")


def hand_over(
    problem: Problem,
    result: Result[Configuration],
    groups: int | None,
    host: Host | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """To the file first, then to standard output. `host`: whose times the problem has, which says how far off they
    are."""
    from iopt.door import json_file
    from iopt.report.console import console
    from iopt.report.tiling_summary import print_result
    from iopt.tiling import files
    from iopt.tiling.evaluation import evaluate

    if output is not None:
        files.save(output, problem, result, groups)
    if as_json:
        print(json_file.pretty(files.to_dict(problem, result, groups)))
    else:
        evaluation = None if result.plan is None else evaluate(problem, result.plan)
        print_result(console(), problem, result, evaluation, groups, None if host is None else host.measured)
