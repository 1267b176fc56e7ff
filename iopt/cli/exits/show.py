"""`iopt exits show` and `iopt exits check`: placement files, read and held to their claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli.claims import report_claims
from iopt.cli.codes import reason
from iopt.cli.exits import options

if TYPE_CHECKING:
    from iopt.exits.files import PlacementFile
    from iopt.exits.observations import Profile


def show(placement: options.PlacementArgument) -> None:
    """Print a placement file as tables.

    Refused where `iopt exits check` would complain.
    """
    from iopt.exits import files
    from iopt.report.console import console
    from iopt.report.exits_summary import print_result

    file = files.load(placement)
    out = console()
    print_result(out, file.problem, file.result, file.evaluation)
    if said := reason(file.result, limit="limit"):
        out.print(said, style="yellow")


def check(placement: options.PlacementArgument) -> None:
    """Judge a placement anew: are its file's claims true?"""
    from iopt.exits import files
    from iopt.report.exits_units import title

    file = files.read(placement)
    whose = f"{file.result.status}, {title(file.problem)}"
    report_claims(placement, files.check(file), whose, _taken_as_stated(file))


def _taken_as_stated(file: PlacementFile) -> list[str]:
    """What only a solve could prove, or the module and the samples that were measured."""
    from iopt.report.exits_units import total_energy
    from iopt.result import Status

    claims = [] if file.result.bound is None else [f"the bound {total_energy(file.problem, file.result.bound)}"]
    if file.result.status is Status.INFEASIBLE:
        claims.append("that no plan keeps the limits")
    return [*claims, *(said for profile in dict.fromkeys(file.profiles) if (said := _origin(profile)))]


def _origin(profile: Profile) -> str:
    """How a network was measured, where the file says so."""
    from iopt.report.exits_listing import measured_text

    said = measured_text(profile)
    return f"that {profile.network.name} was {said}" if said else ""
