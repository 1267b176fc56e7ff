"""A space of configurations with the costs of each, and what in it keeps the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.search.sweep import NEVER
from iopt.tiling.search.table import Table, build


@dataclass(frozen=True)
class Candidate:
    """A configuration that fits the network. `tiles`: over all groups; `value`: what is to be small, in units of the
    objective."""

    configuration: Configuration
    tiles: int
    peak_bytes: int
    macs: int
    value: float
    is_feasible: bool


def tileable(problem: Problem) -> int:
    """How many layers come before the first segment that needs its whole input."""
    whole = next((layer.index for layer in problem.layers if layer.whole), len(problem.layers))
    return next((segment.first for segment in problem.segments if segment.last >= whole), len(problem.layers))


def candidates(problem: Problem, space: Iterable[Configuration], most: int) -> list[Candidate]:
    """Those of `space` that fit the network; `most`: rows, and columns, of their tiles at most."""
    table = build(replace(problem, max_tiles=most))
    found = (_candidate(problem, table, configuration) for configuration in space)
    return [candidate for candidate in found if candidate.peak_bytes < NEVER]


def _candidate(problem: Problem, table: Table, configuration: Configuration) -> Candidate:
    peak, macs, seconds = table.costs(configuration)
    values = {"memory": peak, "macs": macs, "latency": seconds or 0.0}
    fits = (problem.memory_bytes is None or peak <= problem.memory_bytes) and macs <= problem.most_macs
    tiles = sum(group.rows * group.columns for group in configuration.groups)
    return Candidate(configuration, tiles, peak, macs, values[problem.objective], fits)


Preference = Callable[[Candidate], tuple[float, ...]]
"""What is compared, from the most important to the least; less is better."""


def first(found: Iterable[Candidate], preference: Preference) -> Configuration | None:
    """The feasible one that is preferred to all others."""
    best = min((candidate for candidate in found if candidate.is_feasible), key=preference, default=None)
    return None if best is None else best.configuration
