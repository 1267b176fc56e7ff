"""`iopt exits front`: what energy, latency and accuracy can be had together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options as common
from iopt.cli.codes import Exit
from iopt.cli.exits.problem import Given
from iopt.cli.expand import expanded
from iopt.cli.talk import complain, say

if TYPE_CHECKING:
    from iopt.exits.files import Workload
    from iopt.exits.fronts import Front, Point


@expanded(Given)
def front(
    given: Given,
    thresholds: Annotated[
        int | None,
        typer.Option("--thresholds", metavar="N", help="Choose thresholds too, among N per exit: energy and accuracy."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Draw it here: .png, .svg or .pdf.")
    ] = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """List the placements that no other one beats in energy, latency and accuracy at once.

    NETWORK is a name of `iopt exits networks`, a profile file, or a workload file of one application. Only --tiers is
    needed; --accuracy and --latency leave out what is worse.

    \b
      iopt exits front b-alexnet --tiers mobile-edge-cloud
    """
    from iopt.cli.output import check_writable_beside
    from iopt.door import json_file
    from iopt.errors import OptionError
    from iopt.report.console import console
    from iopt.report.exits_front import by_accuracy, print_front, to_list
    from iopt.report.exits_picture import draw_front
    from iopt.report.picture import check_picture
    from iopt.report.progress import LiveLine

    if picture is not None:
        check_writable_beside(picture, given.read_files())
        check_picture(picture)
    if thresholds is not None and thresholds < 2:
        raise OptionError(f"--thresholds: {thresholds}; expected two or more per exit")
    with LiveLine(quiet) as line:
        line.step(f"reading {given.network}")
        workload = given.workload(needed=("tiers",))
        line.step("front")
        found = _front(workload, thresholds)
    if not found.points:
        return _nothing(workload, found)
    if json:
        print(json_file.pretty(to_list(workload.problem, found)))
        if not found.is_complete:
            say("too many to be sure of all: some may be missing")
    else:
        print_front(console(), workload.problem, found)
        for words in _how_to_go_on(given, workload, by_accuracy(found.points)[-1]):
            print(words)
    if picture is not None:
        draw_front(workload.problem, found, picture)
        if not quiet:
            say(f"written to {picture}")
    return Exit.OK


def _front(workload: Workload, thresholds: int | None) -> Front:
    """Over placements, or over thresholds and placements. Raises `OptionError`."""
    from iopt.errors import OptionError
    from iopt.exits.fronts import front, threshold_front
    from iopt.exits.thresholds import grid, variants

    if thresholds is None:
        return front(workload.problem)
    profile = workload.profiles[0]
    if profile.observations is None:
        raise OptionError(
            f"--thresholds: profile {profile.network.name!r} has no observations; "
            "write one with `iopt exits profile --keep-observations`"
        )
    choices = variants(profile.network, profile.observations, grid(profile.observations, thresholds))
    return threshold_front(workload.problem, choices)


def _how_to_go_on(given: Given, workload: Workload, point: Point) -> Iterator[str]:
    """From a point with thresholds of its own to its plan; nothing for any other. The profile has no option but these
    that changes what is measured."""
    from iopt.cli.exits.problem import LONGEST_S
    from iopt.report.exits_units import thresholds_text

    profile = workload.profiles[0]
    if point.thresholds is None or profile.observations is None:
        return
    chosen = f"--rule {profile.observations.rule} --threshold {thresholds_text(point.thresholds)}"
    if len(profile.network.blocks) == len(profile.network.exits):
        chosen += " --granularity exit"
    yield "to go on from a line, here the last: measure with its thresholds, then plan with its accuracy"
    yield f"  iopt exits profile MODULE --data DATA {chosen} -o chosen.json"
    if given.tiers is None:
        changed = f"chosen.json as its network and {point.accuracy!r} as its accuracy"
        yield f"  iopt exits plan {given.network}, with {changed}"
        return
    asked = {"--latency": f"{LONGEST_S:g} s", **given.typed(), "--accuracy": repr(point.accuracy)}
    words = (f"{option} {quote(value)}" if value else option for option, value in asked.items())
    yield f"  iopt exits plan chosen.json {' '.join(words)}"


def _nothing(workload: Workload, found: Front) -> Exit:
    from iopt.exits.infeasible import impossible, shortage

    reason = impossible(workload.problem)
    if not reason and not found.is_complete:
        complain("no placement was found; there are too many to be sure that there is none")
        return Exit.NO_PLAN
    complain(f"infeasible: {reason or shortage(workload.problem)}")
    return Exit.INFEASIBLE
