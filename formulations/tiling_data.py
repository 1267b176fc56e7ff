"""What the formulation of tiling is given: every group of layers with every tiling of it, dimensionless."""

from __future__ import annotations

from dataclasses import dataclass

Choice = tuple[int, int, int]
"""(a, b, k): layers a ... b are one group, under its tiling number k."""


@dataclass(frozen=True)
class Cost:
    """`work`: multiply-accumulates, or seconds, over those of the untiled network; `peak`: bytes over a reference."""

    work: float
    peak: float


@dataclass(frozen=True)
class TilingData:
    """`choices`: those that may be taken; `memory`: most peak; `overhead`: most work. None: no limit."""

    layers: int
    choices: dict[Choice, Cost]
    memory: float | None = None
    overhead: float | None = None
