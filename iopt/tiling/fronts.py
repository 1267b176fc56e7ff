"""What can be had: configurations that no other beats in memory and in multiply-accumulates, or latency, at once."""

from __future__ import annotations

from dataclasses import dataclass

from iopt.door.given import check_kind
from iopt.tiling.methods import checked
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.search.exact import paths_of
from iopt.tiling.search.sweep import NEVER
from iopt.tiling.search.table import Table, build


@dataclass(frozen=True)
class Point:
    """`mac_factor`: multiply-accumulates over those of the untiled network; `latency_s`: None without a host model."""

    peak_bytes: int
    macs: int
    mac_factor: float
    latency_s: float | None
    configuration: Configuration


@dataclass(frozen=True)
class Front:
    """Points by rising memory; complete: no other configuration is better than all of them."""

    points: tuple[Point, ...]


def front(problem: Problem, max_groups: int | None = None) -> Front:
    """The whole front of memory and multiply-accumulates, or of memory and latency where that is the objective.

    It is exact; of several configurations with the same values one is named. `memory_bytes` and `overhead` limit it.
    `max_groups`: of configurations of at most so many. Raises `OptionError`.
    """
    check_kind(problem, Problem, "problem")
    checked("exact", max_groups)
    table = build(problem)
    paths = paths_of(problem, max_groups, table)
    limit = NEVER - 1 if problem.memory_bytes is None else problem.memory_bytes
    points: list[Point] = []
    while (found := paths.path(limit)) is not None:
        point = _point(problem, table, found.configuration)
        if point.macs > problem.most_macs:
            break
        points.append(point)
        limit = found.peak - 1
    return Front(tuple(reversed(points)))


def _point(problem: Problem, table: Table, configuration: Configuration) -> Point:
    peak, macs, seconds = table.costs(configuration)
    return Point(peak, macs, macs / problem.macs if problem.macs else 1.0, seconds, configuration)
