"""`iopt tile run`: a configuration executed, beside what was predicted and the untiled network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options as common
from iopt.cli.tiling import options

if TYPE_CHECKING:
    from iopt.tiling.executor.execution import Execution
    from iopt.tiling.files import ConfigurationFile


def run(
    configuration: options.ConfigurationArgument,
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="package.module:callable; default: the network of `iopt models`."),
    ] = None,
    repeat: options.RepeatOption = 5,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Fail unless the output is right, peak and work as predicted, the limit kept."),
    ] = False,
    executor: options.ExecutorOption = None,
    input: Annotated[
        Path | None, typer.Option("--input", metavar="FILE.npy", help="The input; default: random.")
    ] = None,
    weights_file: options.WeightsFileOption = None,
    seed: options.SeedOption = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Execute a configuration tile by tile, and compare with the untiled network in PyTorch.

    Times are medians of runs that take turns; memory is counted at PyTorch's allocator.
    """
    from iopt.door import json_file
    from iopt.door.given import check_count
    from iopt.errors import PlanError
    from iopt.report.console import console
    from iopt.report.progress import LiveLine
    from iopt.report.tiling_execution import print_execution, to_dict
    from iopt.tiling import files
    from iopt.tiling.executor.verification import faults

    check_count(repeat, "repeat")
    with LiveLine(quiet) as line:
        line.step(f"reading {configuration}")
        file = files.load(configuration)
        name = _model(file, model)
        line.step(f"running {name}")
        found = _executed(file, name, executor, repeat, input, (seed, weights_file))
    wrong = faults(file.problem, found) if verify else None
    if json:
        print(json_file.pretty(to_dict(file.problem, found, wrong)))
    else:
        print_execution(console(), file.problem, found, wrong)
    if wrong:
        raise PlanError(f"{file.path}: not as it should be: {'; '.join(wrong)}")


def _model(file: ConfigurationFile, model: str | None) -> str:
    """As typed, or the network of the zoo that the file is of. Raises `OptionError`."""
    from iopt.errors import OptionError
    from iopt.zoo import ENTRIES

    if file.plan is None:
        raise OptionError(f"{file.path}: there is no configuration in it ({file.result.status})")
    name = file.problem.graph.name if model is None else model
    if model is None and name not in ENTRIES:
        raise OptionError(f"{file.path}: {name!r} is none of `iopt models`; name its code, as package.module:callable")
    return name


def _executed(
    file: ConfigurationFile,
    model: str,
    executor: options.Executor | None,
    repeat: int,
    input: Path | None,
    weights: options.Weighted,
) -> Execution:
    from iopt.cli.tiling.module import module_of
    from iopt.importer.python_object import current_directory_first
    from iopt.importer.quiet import prints_aside
    from iopt.importer.weights_file import random_input
    from iopt.tensor_files import read_input
    from iopt.tiling.executor.trial import execute, network
    from iopt.tiling.files.claims import check_network
    from iopt.tiling.predictors import EXECUTORS

    assert file.plan is not None
    problem = file.problem
    own = problem.predictor if problem.predictor in EXECUTORS else "lean"
    image = random_input(problem.graph.input_shape) if input is None else read_input(input, problem.graph)[None]
    with current_directory_first(), prints_aside():
        module = module_of(model, *weights)
        check_network(file, network(module, image, model)[0])
        chosen = own if executor is None else executor.value
        return execute(module, image, file.plan, chosen, problem.grid, repeat, model)  # type: ignore[arg-type]  # of EXECUTORS
