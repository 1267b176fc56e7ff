"""Arguments and options of `iopt tile`. The names of choices are those of the modules that they reach, which take a
while to import; tests hold the two together."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

METHODS = "exact|milp|mafat|deepthings|untiled"


class Objective(StrEnum):
    MACS = "macs"
    LATENCY = "latency"
    MEMORY = "memory"


class Predictor(StrEnum):
    LEAN = "lean"
    TORCH = "torch"
    BOUND = "bound"
    PLAIN11 = "plain11"
    MAFAT = "mafat"


class Weights(StrEnum):
    RESIDENT = "resident"
    STREAMED = "streamed"
    NONE = "none"


class Backend(StrEnum):
    IMPLICIT = "implicit"
    IM2COL = "im2col"


class Grid(StrEnum):
    BALANCED = "balanced"
    CEIL = "ceil"


class Crop(StrEnum):
    EXACT = "exact"
    RIM = "rim"


class Bottom(StrEnum):
    TWO = "2x2"
    FREE = "free"


class Executor(StrEnum):
    LEAN = "lean"
    TORCH = "torch"


def _counted(text: str) -> Weights:
    """How weights count; a file of them is another option, of other commands."""
    if text in tuple(Weights):
        return Weights(text)
    *most, last = (repr(choice.value) for choice in Weights)
    raise typer.BadParameter(
        f"{text!r} is not one of {', '.join(most)} or {last}; "
        "a file of weights is for `iopt tile run` and `iopt tile profile`, as --weights-file"
    )


MemoryOption = Annotated[
    str | None, typer.Option("--memory", metavar="SIZE|none", help="At most, such as '20 MiB'; default: no limit.")
]
ObjectiveOption = Annotated[
    Objective | None,
    typer.Option("--objective", help="What is to be small; default: macs, or memory where --overhead is given."),
]
OverheadOption = Annotated[
    float | None,
    typer.Option("--overhead", metavar="FACTOR", help="Work at most so many times that of the untiled network."),
]
PredictorOption = Annotated[
    Predictor, typer.Option("--predictor", help="How memory is counted: as an executor allocates it, or by a formula.")
]
BiasOption = Annotated[
    str | None, typer.Option("--bias", metavar="SIZE", help="Of the predictor mafat; default: that of --host.")
]
WeightsOption = Annotated[
    Weights,
    typer.Option(
        "--weights",
        parser=_counted,
        metavar="resident|streamed|none",
        help="Which count as memory: all, those of the running layer, or none.",
    ),
]
BackendOption = Annotated[Backend, typer.Option("--backend", help="Whether convolutions write im2col's columns.")]
GridOption = Annotated[Grid, typer.Option("--grid", help="Where maps are cut.")]
CropOption = Annotated[Crop, typer.Option("--crop", help="Tiles compute what is wanted, or all that darknet does.")]
MaxTilesOption = Annotated[int, typer.Option("--max-tiles", metavar="N", help="Rows, and columns, of tiles at most.")]
ReuseOption = Annotated[
    bool, typer.Option("--reuse/--no-reuse", help="Whether to consider DeepThings' reuse of the overlap of tiles.")
]
GroupsOption = Annotated[
    int | None, typer.Option("--max-groups", metavar="N", help="At most so many groups; of the method exact.")
]
HostOption = Annotated[
    Path | None, typer.Option("--host", metavar="FILE", help="Times that `iopt tile profile -o` wrote, for latency.")
]
BottomOption = Annotated[
    Bottom | None, typer.Option("--bottom", help="Tiling of the second group; of the method mafat; default: 2x2.")
]
FallbackOption = Annotated[
    bool, typer.Option("--fallback", help="Where nothing fits, take the least memory; of the method mafat.")
]
TimeLimitOption = Annotated[
    float | None, typer.Option("--time-limit", metavar="SECONDS", help="Of the method milp; default: 60.")
]
RepeatOption = Annotated[int, typer.Option("--repeat", metavar="N", help="Times that everything is measured.")]
ConfigurationsOption = Annotated[
    int,
    typer.Option("--configurations", metavar="N", help="That are run: a fourth judges what is fitted to the others."),
]
ExecutorOption = Annotated[Executor | None, typer.Option("--executor", help="Default: that of the predictor, or lean.")]
WeightsFileOption = Annotated[
    Path | None,
    typer.Option("--weights-file", metavar="FILE", help="A state dict: .safetensors, or of torch.save."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Of random weights of a network of `iopt models`; default: 0.")
]
Weighted = tuple[int | None, Path | None]
"""Seed and file of the weights."""
ConfigurationArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="A file that `iopt tile plan -o` wrote.")]
NotationArgument = Annotated[
    str,
    typer.Argument(
        metavar="CONFIGURATION", help="Tilings and cuts, such as 5x5/8/2x2 or 3x3/NoCut, or a configuration file."
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the configuration here.")
]
PictureOption = Annotated[
    Path | None, typer.Option("-o", "--picture", metavar="FILE", help="Draw it here: .png, .svg or .pdf.")
]
