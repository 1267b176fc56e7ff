"""`iopt tile profile`: how long this host takes for the layers of a network, by size of tile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iopt.cli import options as common
from iopt.cli.output import check_writable_beside
from iopt.cli.talk import say
from iopt.cli.tiling import options

if TYPE_CHECKING:
    from iopt.graph import Graph
    from iopt.graph.layers import Shape
    from iopt.tiling.files import Host


def profile(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A network of `iopt models`, or package.module:callable.")
    ],
    repeat: options.RepeatOption = 5,
    configurations: options.ConfigurationsOption = 32,
    executor: Annotated[
        options.Executor, typer.Option("--executor", help="Whose layers are timed.")
    ] = options.Executor.LEAN,
    input: common.InputOption = None,
    weights_file: options.WeightsFileOption = None,
    seed: options.SeedOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the host's times here.")
    ] = None,
    json: common.JsonOption = False,
    quiet: common.QuietOption = False,
) -> None:
    """Time the layers of a network on this host, by size of tile, and what whole configurations take besides.

    Some minutes on an idle host, by --configurations and --repeat.

    \b
      iopt tile profile yolov2-16 -o host.json
      iopt tile plan yolov2-16 --host host.json --objective latency
    """
    from iopt.door import json_file
    from iopt.door.given import check_count
    from iopt.report.console import console
    from iopt.report.progress import LiveLine
    from iopt.report.tiling_host import print_host
    from iopt.tiling.files.host_file import save_host, to_dict

    check_count(repeat, "repeat")
    check_count(configurations, "configurations")
    if output is not None:
        check_writable_beside(output, {} if weights_file is None else {"--weights-file": str(weights_file)})
    with LiveLine(quiet) as line:
        line.step(f"measuring {model}")

        def tell(what: str) -> None:
            line.step(f"measuring {model}: {what}")

        graph, host = _measured(model, input, executor.value, (repeat, configurations), (seed, weights_file), tell)
    if output is not None:
        save_host(host, output)
    if json:
        print(json_file.pretty(to_dict(host)))
    else:
        print_host(console(), graph, host)
    if output is not None and not quiet:
        say(f"written to {output}")


def _measured(
    model: str,
    shape: str | None,
    executor: str,
    often: tuple[int, int],
    weights: options.Weighted,
    on_step: Callable[[str], None],
) -> tuple[Graph, Host]:
    """`often`: how often everything is measured, and how many configurations."""
    from iopt.cli.tiling.module import module_of
    from iopt.graph.file import graph_hash
    from iopt.importer.machine import processor, threads, torch_version
    from iopt.importer.python_object import current_directory_first
    from iopt.importer.quiet import prints_aside
    from iopt.importer.weights_file import random_input
    from iopt.tiling.executor.trial import network
    from iopt.tiling.files import Host
    from iopt.tiling.files.host_file import Machine
    from iopt.tiling.host.measurement import measured

    with current_directory_first(), prints_aside():
        module = module_of(model, *weights)
        image = random_input(_shape(model, shape))
        graph, state = network(module, image, model)
        found = measured(graph, state, image, executor, *often, on_step)  # type: ignore[arg-type]  # one of the two
    quality = (found.fitted, found.median_error, found.worst_error)
    machine = Machine(processor(), torch_version(), threads(), executor, often[0], *quality)
    return graph, Host(model, graph_hash(graph), found.model, found.bias_bytes, machine)


def _shape(model: str, typed: str | None) -> Shape:
    """Of the input. Raises `IoptError`."""
    from iopt import zoo
    from iopt.errors import ModelError
    from iopt.graph.input_shape import as_shape, checked_shape, parse_shape

    if typed is not None:
        return as_shape(checked_shape(parse_shape(typed)))
    if model in zoo.ENTRIES:
        return as_shape(zoo.find(model).input_shape)
    raise ModelError(f"{model} needs the shape of its input; give one such as --input 1x3x224x224")
