"""What can be had: placements that no other beats in energy, latency and accuracy at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from iopt.door.given import as_tuple, check_kind
from iopt.errors import OptionError
from iopt.exits.dominance import undominated
from iopt.exits.geometry import Geometry, admissible_exits, geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.paths import path_weight
from iopt.exits.plan import Plan
from iopt.exits.problem import Application, Problem
from iopt.exits.search import labels
from iopt.exits.search.pareto import pareto
from iopt.exits.search.prices import Prices, potentials
from iopt.exits.search.resources import resources
from iopt.exits.thresholds import Variant

WIDTH = 20_000
"""Labels per block at most."""


@dataclass(frozen=True)
class Point:
    """`exit`: name of the deepest exit deployed. `thresholds`: of the exits, where they were chosen too."""

    energy_j: float
    latency_s: float
    accuracy: float
    exit: str
    plan: Plan
    thresholds: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Front:
    """Points by rising energy. `is_complete`: no other placement is on the front; otherwise some may be missing."""

    points: tuple[Point, ...]
    is_complete: bool


def front(problem: Problem) -> Front:
    """Energy, latency and accuracy of one application, within its limits and those of the cluster.

    Raises `OptionError` for several applications.
    """
    application = _only(problem)
    points, complete, best = [], True, -np.inf
    for exit in admissible_exits(application):
        leave = application.network.exits[exit]
        if leave.accuracy <= best:  # a shallower exit is as accurate: nothing here is better
            continue
        best = leave.accuracy
        shape = geometry(problem, 0, exit)
        paths, all_of_them = _paths(shape, Limits.of(problem))
        complete &= all_of_them
        for energy, time, path in paths:
            plan = Plan((shape.placement(path),))
            points.append(Point(float(energy), float(time), leave.accuracy, leave.name, plan))
    return Front(_best(points, np.array([(p.energy_j, p.latency_s, -p.accuracy) for p in points])), complete)


def threshold_front(problem: Problem, variants: Sequence[Variant]) -> Front:
    """Thresholds and placement chosen together: energy and accuracy of one application, within its latency.

    Each variant is the application's network with the fractions and accuracies of other thresholds. Raises
    `OptionError` for several applications.
    """
    application = _only(problem)
    variants = as_tuple(variants, Variant, "variants", "[variant]", "iopt.exits.variants makes them")
    points, complete = [], True
    for variant in variants:
        varied = replace(problem, applications=(replace(application, network=variant.network),))
        for exit in admissible_exits(varied.applications[0]):
            shape = geometry(varied, 0, exit)
            found = pareto(shape, Limits.of(varied))
            complete &= found.bound >= found.energy
            if found.path is not None:
                leave, time = variant.network.exits[exit], path_weight(shape.time, shape.source, found.path)
                plan = Plan((shape.placement(found.path),))
                point = Point(float(found.energy), float(time), leave.accuracy, leave.name, plan, variant.thresholds)
                points.append(point)
    return Front(_best(points, np.array([(p.energy_j, -p.accuracy) for p in points])), complete)


def _only(problem: Problem) -> Application:
    check_kind(problem, Problem, "problem")
    if len(problem.applications) > 1:
        raise OptionError(f"a front is of one application; there are {len(problem.applications)}")
    return problem.applications[0]


def _paths(shape: Geometry, limits: Limits) -> tuple[list[tuple[float, float, tuple[int, ...]]], bool]:
    """Energy, time and path of all that is on the front of one exit."""
    shape = shape.within(limits)
    nothing = [Prices(0.0, Limits.zero(shape.nodes))]
    links: frozenset[tuple[int, int]] = frozenset(
        (int(n), int(m)) for n, m in np.argwhere(limits.links < shape.traffic.sum()) if limits.links[n, m] > 0
    )
    columns = resources(shape, limits, links)
    return labels.energy_and_time(shape, columns, potentials(shape, limits, nothing), WIDTH)


def _best(points: Sequence[Point], criteria: Array) -> tuple[Point, ...]:
    """By rising energy, those that no other point equals or undercuts in all `criteria` [points, ...]."""
    kept = [points[index] for index in undominated(criteria)] if points else []
    return tuple(sorted(kept, key=lambda point: point.energy_j))
