"""`iopt show` and `iopt check`: plan files, read and held to their claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli import options
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
    from iopt.errors import PlanError
    from iopt.partition import files

    file = files.read(plan)
    untrue = files.check(file)
    for claim in untrue:
        print(f"{plan}: {claim}")
    if untrue:
        count = "a claim is" if len(untrue) == 1 else f"{len(untrue)} claims are"
        raise PlanError(f"{plan}: {count} not true: changed by hand, or made for another model")
    whose = f"{file.result.status}, {file.problem.graph.name} on {file.problem.cluster.name}"
    stated = "".join(f"; taken as stated: {claim}" for claim in _taken_as_stated(file))
    print(f"{plan}: every claim that can be checked is true ({whose}){stated}")


def _taken_as_stated(file: PlanFile) -> list[str]:
    """What only a solve could prove."""
    from iopt.report.units import milliseconds
    from iopt.result import Status

    claims = [] if file.result.bound is None else [f"the bound {milliseconds(file.result.bound)} ms"]
    return [*claims, "that no plan keeps the caps"] if file.result.status is Status.INFEASIBLE else claims
