"""`iopt tile evaluate`: a configuration by hand, judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iopt.cli import options as common
from iopt.cli.codes import exit_code
from iopt.cli.expand import expanded
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import complain, say
from iopt.cli.tiling import options
from iopt.cli.tiling.plan import hand_over
from iopt.cli.tiling.problem import Given

if TYPE_CHECKING:
    from iopt.result import Result
    from iopt.tiling.plan import Configuration
    from iopt.tiling.problem import Problem


@expanded(Given)
def evaluate(
    given: Given,
    configuration: options.NotationArgument,
    output: options.OutputOption = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """Judge a configuration that is given: what it needs, and whether it keeps the limits.

    MAFAT's notation: tilings in rows x columns, and the layers that cuts come before, counted from 0. NoCut: one group.
    A `c` after a tiling is checkerboard reuse. Of a configuration file only the groups count, not its options:

    \b
      iopt tile evaluate yolov2-16 5x5/8/2x2 --memory "24 MiB"
    """
    from iopt.report.progress import LiveLine
    from iopt.tiling.notation import written

    _check_search(given)
    if output is not None:
        check_writable_beside(output, {**given.read_files(), "CONFIGURATION": configuration})
    with LiveLine(quiet) as line:
        line.step(f"reading {given.model}")
        problem, host = given.problem_and_host()
        chosen = _configuration(configuration, problem)
        result = _judged(problem, chosen)
    hand_over(problem, result, None, host, output, json)
    if output is not None and not quiet:
        say(f"written to {output}")
    if result.message:
        complain(f"{written(chosen)} breaks a limit: {result.message}")
    return exit_code(result)


def _check_search(given: Given) -> None:
    """Raise `OptionError` for what is of a search alone."""
    from iopt.errors import OptionError

    default = Given(given.model)
    for option, is_given in (
        ("--max-tiles", given.max_tiles != default.max_tiles),
        ("--no-reuse", given.reuse != default.reuse),
    ):
        if is_given:
            raise OptionError(f"{option} is for searches; a configuration by hand says its own tiles and reuse")


def _configuration(text: str, problem: Problem) -> Configuration:
    """Of a file, or in MAFAT's notation. Raises `PlanError`."""
    from iopt.errors import PlanError
    from iopt.tiling import files
    from iopt.tiling.notation import parse

    if Path(text).suffix.lower() != ".json" and not _is_file(text):
        return parse(text, len(problem.layers))
    file = files.load(text, problem.graph)
    if file.plan is None:
        raise PlanError(f"{text}: there is no configuration in it ({file.result.status})")
    return file.plan


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a file's name, or no name at all
        return False


def _judged(problem: Problem, configuration: Configuration) -> Result[Configuration]:
    """As a method's result. Raises `PlanError` for one that does not fit the network."""
    from iopt.result import Result, Status
    from iopt.tiling.evaluation import evaluate
    from iopt.tiling.objective import value

    found = evaluate(problem, configuration)
    status = Status.FEASIBLE if found.is_feasible else Status.UNKNOWN
    message = "; ".join(found.violations)
    return Result("hand", status, configuration, value(problem, found), None, 0.0, message=message)
