"""`iopt show` and `iopt check`: plan files, read and held to their claims."""

from __future__ import annotations

from iopt.cli import options
from iopt.cli.claims import report_claims, taken_as_stated
from iopt.cli.codes import reason


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
    from iopt.report.units import milliseconds

    file = files.read(plan)
    whose = f"{file.result.status}, {file.problem.graph.name} on {file.problem.cluster.name}"
    taken = taken_as_stated(file.result, lambda bound: f"{milliseconds(bound)} ms", "cap")
    report_claims(plan, files.check(file), whose, taken)
