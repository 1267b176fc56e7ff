"""`iopt graph`: the imported network as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iopt.cli import options
from iopt.cli.output import check_output
from iopt.cli.talk import say


def graph(
    model: options.ModelArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE.json", help="Write it here.")] = None,
    input: options.InputOption = None,
    trust: options.TrustOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Write a network as JSON.

    Planning from that file needs no torch.
    """
    from iopt.cli.problem import read_graph
    from iopt.door import json_file
    from iopt.graph import file as graph_file
    from iopt.report.progress import LiveLine

    if output is not None:
        check_output(output, model)
    with LiveLine(quiet) as line:
        line.step(f"reading {model}")
        network = read_graph(model, input, trust)
    data = graph_file.to_dict(network)
    if output is None:
        print(json_file.pretty(data))
        return
    json_file.write(output, data)
    if not quiet:
        say(f"written to {output}: {len(network)} operators, {network.parameters:,} parameters")
