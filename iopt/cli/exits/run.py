"""`iopt exits run`: a placement carried out, beside what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options as common
from iopt.cli.exits import options

if TYPE_CHECKING:
    from iopt.exits.confidence import Rule
    from iopt.exits.files import PlacementFile


def run(
    placement: options.PlacementArgument,
    module: options.ModuleArgument,
    data: options.DataOption,
    rule: options.RuleOption = None,
    threshold: options.ThresholdOption = None,
    input: options.ShapeOption = None,
    application: Annotated[
        str | None, typer.Option("--application", metavar="NAME", help="Which one, where there are several.")
    ] = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Carry out a placement block by block, and compare with what was predicted.

    All devices are this one: samples, operations and bits are counted; energy and latency follow from them at the
    cluster's rates and prices. This runs the module's code.
    """
    from iopt.cli.exits.measuring import module_and_data
    from iopt.door import json_file
    from iopt.exits import files
    from iopt.exits.runtime import execute
    from iopt.importer.python_object import current_directory_first
    from iopt.importer.quiet import prints_aside
    from iopt.report.console import console
    from iopt.report.exits_execution import print_execution, rows, to_dict
    from iopt.report.exits_units import rule_text
    from iopt.report.progress import LiveLine

    file = files.load(placement)
    index = _application(file, application)
    rule_name, limits = _conditions(file, index, rule, threshold)
    assert file.plan is not None
    with LiveLine(quiet) as line, current_directory_first(), prints_aside():
        line.step(f"running {module}")
        network, loader, example = module_and_data(module, data, input)
        placed, source = file.plan.placements[index], file.problem.sources[index]
        found = execute(network, file.profiles[index], placed, loader, rule_name, limits, example, source)
    compared = rows(file.problem, file.plan, index, found)
    if json:
        print(json_file.pretty(to_dict(compared, found)))
    else:
        print_execution(console(), file.problem, index, compared, found, file.plan, rule_text(rule_name, limits))


def _application(file: PlacementFile, name: str | None) -> int:
    """Its index. Raises `OptionError` for a file without a plan, and unless the name says which."""
    from iopt.door.wording import hint
    from iopt.errors import OptionError

    names = [application.name for application in file.problem.applications]
    if file.plan is None:
        raise OptionError(f"{file.path}: there is no placement in it ({file.result.status})")
    if name is None and len(names) > 1:
        raise OptionError(
            f"{file.path} has {len(names)} applications; choose one by --application ({', '.join(names)})"
        )
    if name is not None and name not in names:
        raise OptionError(f"--application: {name!r} is none of {', '.join(names)}{hint(name, names)}")
    return 0 if name is None else names.index(name)


def _conditions(
    file: PlacementFile, index: int, rule: options.Rule | None, threshold: str | None
) -> tuple[Rule, list[float]]:
    """Rule and thresholds: as given, else as measured. Raises `OptionError` where neither is there."""
    from iopt.cli.exits.measuring import thresholds_of
    from iopt.errors import OptionError
    from iopt.exits.confidence import checked_rule

    profile = file.profiles[index]
    measured = profile.measured
    missing = [option for option, given in (("--rule", rule), ("--threshold", threshold)) if given is None]
    if missing and measured is None:
        example = _example("entropy" if rule is None else rule.value, len(profile.network.exits) - 1)
        raise OptionError(
            f"{file.path}: the profile of {profile.network.name!r} has no `measured`, so nothing says when a sample "
            f"leaves; give {' and '.join(missing)}, such as {' '.join(example[option] for option in missing)}"
        )
    if rule is not None and threshold is None and measured is not None and rule.value != measured.rule:
        raise OptionError(
            f"--rule {rule.value}: the thresholds were measured by {measured.rule}; give --threshold, too"
        )
    limits = thresholds_of(threshold) if threshold is not None else list(measured.thresholds) if measured else []
    return checked_rule(rule.value if rule is not None else measured.rule if measured else None), limits


def _example(rule: Rule, count: int) -> dict[str, str]:
    """Of both options: the rule with its default thresholds."""
    from iopt.exits.confidence import DEFAULT_THRESHOLDS

    return {
        "--rule": f"--rule {rule}",
        "--threshold": f"--threshold {','.join([f'{DEFAULT_THRESHOLDS[rule]:g}'] * count)}",
    }
