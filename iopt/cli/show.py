"""`iopt show` and `iopt check`: plan files, read and held to their claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli import options
from iopt.cli.claims import report_claims
from iopt.cli.codes import reason

if TYPE_CHECKING:
    from iopt.partition.files import PlanFile


def show(plan: options.PlanArgument) -> None:
    """Print a plan file as tables.

    Refused where `iopt check` would complain.
    """
    from iopt.partition import files
    from iopt.report.console import console
    from iopt.report.summary import print_result

    file = files.load(plan)
    out = console()
    print_result(out, file.problem, file.result, file.evaluation)
    if said := reason(file.result):
        out.print(said, style="yellow")


def check(plan: options.PlanArgument) -> None:
    """Judge a plan anew: are its file's claims true?"""
    from iopt.partition import files

    file = files.read(plan)
    whose = f"{file.result.status}, {file.problem.graph.name} on {file.problem.cluster.name}"
    report_claims(plan, files.check(file), whose, _taken_as_stated(file))


def _taken_as_stated(file: PlanFile) -> list[str]:
    """What only a solve could prove."""
    from iopt.report.units import milliseconds
    from iopt.result import Status

    claims = [] if file.result.bound is None else [f"the bound {milliseconds(file.result.bound)} ms"]
    return [*claims, "that no plan keeps the caps"] if file.result.status is Status.INFEASIBLE else claims
