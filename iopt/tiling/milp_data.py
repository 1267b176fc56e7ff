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
class Units:
    """What 1 is in the model: work of the untiled network (multiply-accumulates or seconds), and bytes."""

    work: float
    peak: int


def tiling_data(problem: Problem, table: Table, reduce: bool = True) -> tuple[TilingData, Units]:
    """The data of all admissible groups, and the units. Limits have `ROOM`.

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
    units = Units(whole, _reference(problem, table))
    choices: dict[Choice, Cost] = {
        (int(a), int(b), int(k)): Cost(float(weights[a, b, k]) / units.work, float(table.peak[a, b, k]) / units.peak)
        for a, b, k in np.argwhere(keep)
    }
    memory = None if problem.memory_bytes is None else problem.memory_bytes / units.peak * ROOM
    overhead = None if problem.overhead is None else problem.most_macs / units.work * ROOM
    return TilingData(len(table.units), choices, memory, overhead), units


def configuration(table: Table, choices: list[Choice]) -> Configuration:
    """The plan that the formulation's groups say."""
    return Configuration(tuple(table.group(*choice) for choice in choices))


def _reference(problem: Problem, table: Table) -> int:
    """The limit, or what the best tiling of the worst unit needs: peaks are then near 1."""
    if problem.memory_bytes is not None:
        return problem.memory_bytes
    return int(max(table.peak[: unit + 1, unit:].min() for unit in range(len(table.units))))
