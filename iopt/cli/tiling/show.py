"""`iopt tile show` and `iopt tile check`: configuration files, read and held to their claims."""

from __future__ import annotations

from iopt.cli.claims import report_claims
from iopt.cli.codes import reason
from iopt.cli.tiling import options


def show(configuration: options.ConfigurationArgument) -> None:
    """Print a configuration file as tables.

    Refused where `iopt tile check` would complain.
    """
    from iopt.report.console import console
    from iopt.report.tiling_summary import print_result
    from iopt.tiling import files

    file = files.load(configuration)
    out = console()
    print_result(out, file.problem, file.result, file.evaluation, file.max_groups)
    if said := reason(file.result, limit="limit"):
        out.print(said, style="yellow")


def check(configuration: options.ConfigurationArgument) -> None:
    """Judge a configuration anew: are its file's claims true?

    A bound, and that nothing keeps the limits, are proved anew.
    """
    from iopt.report.tiling_units import title
    from iopt.tiling import files

    file = files.read(configuration)
    report_claims(configuration, files.check(file), f"{file.result.status}, {title(file.problem)}", ())
