"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Memory(StrEnum):
    """Names of the memory models."""

    LIVE = "live"
    RUNTIME = "runtime"
    PAPER = "paper"


ModelArgument = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A network of `iopt models`, FILE.json, FILE.pt2 or package.module:callable."),
]
PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN", help="A file that `iopt plan -o` wrote.")]
ClusterOption = Annotated[
    str, typer.Option("--cluster", metavar="NAME|FILE", help="A preset of `iopt clusters`, or a YAML file.")
]
InputOption = Annotated[
    str | None, typer.Option("--input", metavar="SHAPE", help="Shape of the input, such as 1x3x224x224.")
]
TrustOption = Annotated[bool, typer.Option("--trust", help="Read a .pt2 file, which can run code.")]
TimeLimitOption = Annotated[float, typer.Option("--time-limit", metavar="SECONDS", help="Of the exact method.")]
GapOption = Annotated[float, typer.Option("--gap", help="Relative gap at which a plan counts as optimal.")]
TightOption = Annotated[
    bool,
    typer.Option("--tight", help="Give every device little memory: a tenth above its part, and the largest tensors."),
]
MemoryOption = Annotated[Memory, typer.Option("--memory", help="Memory model.")]
NoAlongRowsOption = Annotated[
    bool, typer.Option("--no-along-rows", help="Do not split linear operators along the rows before their flatten.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress on standard error.")]
