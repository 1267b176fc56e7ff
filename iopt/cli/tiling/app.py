"""The commands of `iopt tile` under one roof."""

from __future__ import annotations

import typer

from iopt.cli.tiling.compare import compare
from iopt.cli.tiling.evaluate import evaluate
from iopt.cli.tiling.front import front
from iopt.cli.tiling.plan import plan
from iopt.cli.tiling.profile import profile
from iopt.cli.tiling.run import run
from iopt.cli.tiling.show import check, show

app = typer.Typer(
    help="Run a network within a memory limit on one device: fused layers, tile by tile, at least work, with a proof.",
    rich_markup_mode=None,
)
for command in (plan, evaluate, compare, front, run, profile, show, check):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _listing(context: typer.Context) -> None:
    """`iopt tile` alone is `iopt tile --help`, as `iopt` is `iopt --help`."""
    if context.invoked_subcommand is None:
        print(context.get_help())
