"""`iopt tile front`: what memory and work, or latency, can be had together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.cli import options as common
from iopt.cli.codes import Exit
from iopt.cli.expand import expanded
from iopt.cli.talk import complain, say
from iopt.cli.tiling import options
from iopt.cli.tiling.problem import Given

if TYPE_CHECKING:
    from iopt.tiling.problem import Problem


@expanded(Given)
def front(
    given: Given,
    groups: options.GroupsOption = None,
    picture: options.PictureOption = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> int:
    """List the configurations that no other one beats in memory and work at once.

    With --objective latency: in memory and latency. --memory and --overhead leave out what is worse.

    \b
      iopt tile front vgg16 -o front.svg
    """
    from iopt.cli.output import check_writable_beside
    from iopt.door import json_file
    from iopt.report.console import console
    from iopt.report.picture import check_picture
    from iopt.report.progress import LiveLine
    from iopt.report.tiling_front import print_front, to_list
    from iopt.report.tiling_picture import draw_front
    from iopt.tiling.fronts import front as whole_front
    from iopt.tiling.methods import checked

    checked("exact", groups)
    if picture is not None:
        check_writable_beside(picture, given.read_files())
        check_picture(picture)
    with LiveLine(quiet) as line:
        line.step(f"reading {given.model}")
        problem = given.problem()
        line.step("front")
        found = whole_front(problem, groups)
    if not found.points:
        return _nothing(problem, groups)
    if json:
        print(json_file.pretty(to_list(found)))
    else:
        print_front(console(), problem, found)
    if picture is not None:
        draw_front(problem, found, picture)
        if not quiet:
            say(f"written to {picture}")
    return Exit.OK


def _nothing(problem: Problem, groups: int | None) -> Exit:
    from iopt.tiling.infeasible import shortage

    complain(f"infeasible: {shortage(problem, max_groups=groups)}")
    return Exit.INFEASIBLE
