"""Arguments and options of `iopt exits`. The names of choices are those of the modules that they reach, which take a
while to import; tests hold the two together."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from iopt.cluster import LinkRate

METHODS = "exact|pareto|milp|fin|mcp|mcp-full|larac|sequential|reroute"
TIER_METHODS = "`all-` and a tier, such as all-edge: every block there"


class Energy(StrEnum):
    EXPECTED = "expected"
    UNCONDITIONAL = "unconditional"


class Rule(StrEnum):
    ENTROPY = "entropy"
    MAX_PROBABILITY = "max-probability"


class Granularity(StrEnum):
    OPERATOR = "operator"
    EXIT = "exit"


NetworkArgument = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK|WORKLOAD.yaml",
        help="A profile of `iopt exits networks`, a profile file, or a workload file.",
    ),
]
PlacementArgument = Annotated[Path, typer.Argument(metavar="PLACEMENT", help="A file that `iopt exits plan -o` wrote.")]
ModuleArgument = Annotated[
    str, typer.Argument(metavar="MODULE", help="package.module:callable, a torch module or what makes one.")
]
TiersOption = Annotated[
    str | None, typer.Option("--tiers", metavar="NAME|FILE", help="A preset of `iopt clusters`, or a YAML file.")
]
AccuracyOption = Annotated[float | None, typer.Option("--accuracy", help="At least, from 0 to 1.")]
LatencyOption = Annotated[str | None, typer.Option("--latency", metavar="TIME", help="At most, such as '5 ms'.")]
RateOption = Annotated[
    str | None, typer.Option("--rate", metavar="RATE", help="Inferences a second, such as '10 Hz'; default: 1 Hz.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="The device with the input; default: the cluster's.")
]
EnergyOption = Annotated[
    Energy | None, typer.Option("--energy", help="Do samples that left early cost nothing more (expected, default)?")
]
LinkRateOption = Annotated[
    LinkRate | None, typer.Option("--link-rate", help="Of links that the cluster does not list; default: its own.")
]
ExpectedLatencyOption = Annotated[
    bool, typer.Option("--expected-latency", help="The limit is on the mean latency, not on that of the deepest exit.")
]
UnpinnedOption = Annotated[
    bool, typer.Option("--unpinned", help="The raw input may leave the source: block 1 runs anywhere.")
]
AnyOrderOption = Annotated[bool, typer.Option("--any-order", help="Blocks may return to a lower tier.")]
GammaOption = Annotated[int, typer.Option("--gamma", help="Depths that FIN divides the latency into.")]
LambdaOption = Annotated[int, typer.Option("--lambda", help="Least depth of FIN's paths.")]
TimeLimitOption = Annotated[float, typer.Option("--time-limit", metavar="SECONDS", help="Of a solve.")]
RULE = typer.Option("--rule", help="When a sample is sure enough to leave.")
RuleOption = Annotated[Rule | None, RULE]
ThresholdOption = Annotated[
    str | None, typer.Option("--threshold", metavar="A,B,...", help="One per exit but the last, from 0 to 1.")
]
DataOption = Annotated[
    str,
    typer.Option("--data", metavar="PACKAGE.MODULE:CALLABLE", help="Batches of (inputs, labels), or what makes them."),
]
ShapeOption = Annotated[
    str | None, typer.Option("--input", metavar="SHAPE", help="Of one input, such as 1x1x28x28; default: the data's.")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the placement here.")]
