"""`iopt show` and `iopt check`: plan files, read and held to their claims."""

from __future__ import annotations

from iopt.cli import options
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
    from iopt.errors import PlanError
    from iopt.partition import files

    file = files.read(plan)
    untrue = files.check(file)
    for claim in untrue:
        print(f"{plan}: {claim}")
    if untrue:
        count = "a claim is" if len(untrue) == 1 else f"{len(untrue)} claims are"
        raise PlanError(f"{plan}: {count} not true: changed by hand, or made for another model")
    print(
        f"{plan}: every claim is true ({file.result.status}, {file.problem.graph.name} on {file.problem.cluster.name})"
    )
