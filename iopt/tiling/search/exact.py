"""The exact method: the best of all configurations, over any number of groups and all tilings up to a bound."""

from __future__ import annotations

import numpy as np

from iopt.tiling.problem import Problem
from iopt.tiling.search.paths import Path, Paths
from iopt.tiling.search.sweep import NEVER
from iopt.tiling.search.table import Table, build


def exact(problem: Problem, max_groups: int | None = None, table: Table | None = None) -> Path | None:
    """The best configuration with at most `max_groups` groups; None if none keeps the limits.

    Least multiply-accumulates or latency under the limit of memory, ties by fewer calls of layers, fewer groups, less
    memory; or least memory under the overhead, ties by fewer multiply-accumulates. `table`: of the same problem, where
    it is known.
    """
    paths = paths_of(problem, max_groups, table)
    limit = NEVER - 1 if problem.memory_bytes is None else problem.memory_bytes
    if problem.objective != "memory":
        return paths.coarsest(limit)
    least = _least_peak(paths, problem.most_macs)
    return None if least is None or least > limit else paths.path(least)


def least_memory(problem: Problem, table: Table | None = None, max_groups: int | None = None) -> Path:
    """The configuration of least memory, whatever it computes."""
    paths = paths_of(problem, max_groups, table)
    least = _least_peak(paths, float("inf"))
    found = None if least is None else paths.path(least)
    assert found is not None, "the untiled network is always a configuration"
    return found


def paths_of(problem: Problem, max_groups: int | None = None, table: Table | None = None) -> Paths:
    """The paths of the problem, by latency where that is its objective, by multiply-accumulates otherwise."""
    table = build(problem) if table is None else table
    weights = table.macs if problem.objective != "latency" or table.seconds is None else table.seconds
    return Paths(table, weights, max_groups)


def _least_peak(paths: Paths, most: float) -> int | None:
    """The least peak of a path with a sum of at most `most`; by bisection over the peaks of groups."""
    peaks = paths.peaks
    low, high = 0, len(peaks)
    while low < high:
        middle = (low + high) // 2
        found = paths.least(int(peaks[middle]))
        if found is not None and found[0] <= most:
            high = middle
        else:
            low = middle + 1
    return None if low == len(peaks) else int(np.int64(peaks[low]))
