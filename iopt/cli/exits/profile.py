"""`iopt exits profile`: exit fractions and accuracies measured from a module and labelled data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from iopt.cli import options as common
from iopt.cli.exits import options
from iopt.cli.talk import say


def profile(
    module: options.ModuleArgument,
    data: options.DataOption,
    threshold: options.ThresholdOption = None,
    rule: options.RuleOption = options.Rule.ENTROPY,
    input: options.ShapeOption = None,
    granularity: Annotated[
        options.Granularity, typer.Option("--granularity", help="A block per operator, or one up to every exit.")
    ] = options.Granularity.OPERATOR,
    keep_observations: Annotated[
        bool, typer.Option("--keep-observations", help="Write what every exit said of every sample, too.")
    ] = False,
    name: Annotated[str | None, typer.Option("--name", help="Of the network; default: that of the callable.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the profile here.")
    ] = None,
    quiet: common.QuietOption = False,
) -> None:
    """Measure an early-exit network: what leaves at each exit, and how accurate that is.

    This runs the module's code.
    """
    from iopt.cli.exits.measuring import module_and_data, thresholds_of
    from iopt.door import json_file
    from iopt.door.json_file import check_writable
    from iopt.errors import OptionError
    from iopt.exits.files.profile_file import save_profile, to_dict
    from iopt.exits.profiling import profile as measured
    from iopt.importer.python_object import current_directory_first
    from iopt.importer.quiet import prints_aside
    from iopt.report.console import console
    from iopt.report.exits_listing import print_profile
    from iopt.report.progress import LiveLine

    if threshold is None or rule is None:
        raise OptionError("missing option '--threshold'; expected one number per exit but the last, such as 0.5,0.6")
    if output is not None:
        check_writable(output)
    limits = thresholds_of(threshold)
    with LiveLine(quiet) as line, current_directory_first(), prints_aside():
        line.step(f"measuring {module}")
        network, loader, example = module_and_data(module, data, input)
        title = name or module.rpartition(":")[2].rpartition(".")[2]
        found = measured(network, loader, rule.value, limits, example, title, granularity.value)
    found = found if keep_observations else replace(found, observations=None)
    if output is None:
        print(json_file.pretty(to_dict(found)))
        return
    save_profile(found, output)
    print_profile(console(), found)
    if not quiet:
        say(f"written to {output}")
