"""The commands of `iopt exits` under one roof."""

from __future__ import annotations

import typer

from iopt.cli.exits.compare import compare
from iopt.cli.exits.front import front
from iopt.cli.exits.networks import networks
from iopt.cli.exits.plan import plan
from iopt.cli.exits.profile import profile
from iopt.cli.exits.run import run
from iopt.cli.exits.show import check, show

app = typer.Typer(
    help="Place the blocks of early-exit networks over mobile, edge and cloud at least energy, with a proof.",
    rich_markup_mode=None,
)
for command in (plan, compare, front, profile, run, show, check, networks):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _listing(context: typer.Context) -> None:
    """`iopt exits` alone is `iopt exits --help`, as `iopt` is `iopt --help`."""
    if context.invoked_subcommand is None:
        print(context.get_help())
