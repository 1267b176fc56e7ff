"""`iopt exits show` and `iopt exits check`: placement files, read and held to their claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli.claims import report_claims, taken_as_stated
from iopt.cli.codes import reason
from iopt.cli.exits import options

if TYPE_CHECKING:
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
    from iopt.report.exits_units import title, total_energy

    file = files.read(placement)
    whose = f"{file.result.status}, {title(file.problem)}"
    taken = taken_as_stated(file.result, lambda bound: total_energy(file.problem, bound), "limit")
    origins = [said for profile in dict.fromkeys(file.profiles) if (said := _origin(profile))]
    report_claims(placement, files.check(file), whose, [*taken, *origins])


def _origin(profile: Profile) -> str:
    """How a network was measured, where the file says so: by the module and the samples alone it could be checked."""
    from iopt.report.exits_listing import measured_text

    said = measured_text(profile)
    return f"that {profile.network.name} was {said}" if said else ""
