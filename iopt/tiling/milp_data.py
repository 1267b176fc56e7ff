"""A problem as numbers of the formulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulations.tiling_data import Choice, Cost, TilingData
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import ROOM, Problem
from iopt.tiling.search.exact import paths_of
from iopt.tiling.search.sweep import NEVER
from iopt.tiling.search.table import Table


@dataclass(frozen=True)
class Scale:
    """What 1 is in the model: work of the untiled network (multiply-accumulates or seconds), and bytes."""

    work: float
    peak: int


def tiling_data(problem: Problem, table: Table, reduce: bool = True) -> tuple[TilingData, Scale]:
    """The data of all admissible groups, and what 1 is in them. Limits have `ROOM`.

    `reduce`: without groups that alone break a limit, and without tilings of a group that another one equals or beats
    in work and peak.
    """
    weights = table.macs if problem.objective != "latency" or table.seconds is None else table.seconds
    whole = float(weights[0, -1, 0]) or 1.0
    keep = table.peak < NEVER
    if reduce:
        keep &= paths_of(problem, None, table).is_undominated
        if problem.memory_bytes is not None:
            keep &= table.peak <= problem.memory_bytes
        keep &= table.macs <= problem.most_macs
    scale = Scale(whole, _reference(problem, table))
    choices: dict[Choice, Cost] = {
        (int(a), int(b), int(k)): Cost(float(weights[a, b, k]) / scale.work, float(table.peak[a, b, k]) / scale.peak)
        for a, b, k in np.argwhere(keep)
    }
    memory = None if problem.memory_bytes is None else problem.memory_bytes / scale.peak * ROOM
    overhead = None if problem.overhead is None else problem.most_macs / scale.work * ROOM
    return TilingData(len(table.segments), choices, memory, overhead), scale


def configuration(table: Table, choices: list[Choice]) -> Configuration:
    """The plan that the formulation's groups say."""
    return Configuration(tuple(table.group(*choice) for choice in choices))


def _reference(problem: Problem, table: Table) -> int:
    """The limit, or what the best tiling of the worst segment needs: peaks are then near 1."""
    if problem.memory_bytes is not None:
        return problem.memory_bytes
    return int(max(table.peak[: segment + 1, segment:].min() for segment in range(len(table.segments))))
