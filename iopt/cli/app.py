"""The commands under one roof."""

from __future__ import annotations

from typing import Annotated

import typer

from iopt.cli.compare import compare
from iopt.cli.execute import run
from iopt.cli.exits.app import app as exits
from iopt.cli.graph import graph
from iopt.cli.listings import clusters, models
from iopt.cli.plan import plan
from iopt.cli.profile import profile
from iopt.cli.show import check, show
from iopt.cli.tiling.app import app as tiling

app = typer.Typer(
    help=(
        "Plans for running neural networks on devices that are too small for them: the fastest split, the least "
        "energy, the least memory, with a proof."
    ),
    epilog=(
        "Exit codes: 0 done, 1 a bug in iopt, 2 bad input, 3 no plan keeps the limits, 4 no plan found, "
        "5 a device was lost in a run, 130 interrupted, 141 nobody reads the output any more."
    ),
    add_completion=False,
    rich_markup_mode=None,  # its help would import rich
    pretty_exceptions_enable=False,
)
for command in (plan, compare, run, show, check, graph, models, clusters, profile):
    app.command()(command)
app.add_typer(exits, name="exits")
app.add_typer(tiling, name="tile")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"iopt {version('iopt')}")
        except PackageNotFoundError:
            print("iopt, from a folder that is not installed")
        raise typer.Exit


@app.callback()
def _globals(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every command; `--debug` is dealt with before they are read."""
