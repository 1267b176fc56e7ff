"""`iopt exits profile`: exit fractions and accuracies measured from a module and labelled data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from iopt.cli import options as common
from iopt.cli.exits import options
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import say


def profile(
    module: options.ModuleArgument,
    data: options.DataOption,
    threshold: options.ThresholdOption = None,
    rule: Annotated[options.Rule, options.RULE] = options.Rule.ENTROPY,
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

    Without --threshold, that of every exit is 0.05 by entropy and 0.95 by max-probability. This runs the module's code.
    """
    from iopt.cli.exits.measuring import module_and_data, thresholds_of
    from iopt.door import json_file
    from iopt.exits.files.profile_file import save_profile, to_dict
    from iopt.exits.profiling import profile as measured
    from iopt.importer.python_object import current_directory_first
    from iopt.importer.quiet import prints_aside
    from iopt.report.console import console
    from iopt.report.exits_listing import measured_text, print_profile
    from iopt.report.progress import LiveLine

    if output is not None:
        check_writable_beside(output, {})
    limits = None if threshold is None else thresholds_of(threshold)
    with LiveLine(quiet) as line, current_directory_first(), prints_aside():
        line.step(f"measuring {module}")
        network, loader, example = module_and_data(module, data, input)
        title = name or module.rpartition(":")[2].rpartition(".")[2]
        found = measured(network, loader, rule.value, limits, example, title, granularity.value)
    found = found if keep_observations else replace(found, observations=None)
    note = "" if threshold is not None else " (the default; --threshold sets others)"
    if output is None:
        print(json_file.pretty(to_dict(found)))
        if note and not quiet:
            say(f"{measured_text(found)}{note}")
        return
    save_profile(found, output)
    print_profile(console(), found, note)
    if not quiet:
        say(f"written to {output}")
