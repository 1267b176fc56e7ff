"""Why there is no placement, as far as it can be said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from iopt.exits.geometry import Geometry, admissible_exits, geometry
from iopt.exits.limits import Limits
from iopt.exits.paths import least_path
from iopt.exits.problem import Problem
from iopt.exits.search.pareto import pareto

LABELS = 20_000
"""For one application with one kind of limit left out."""


def impossible(problem: Problem) -> str:
    """Why some application has no placement even where it is alone and nothing is shared; empty if each has one.

    An accuracy that no exit reaches, a latency below the least, a network that cannot be entered.
    """
    return "; ".join(_reasons(problem))


def _reasons(problem: Problem) -> Iterator[str]:
    for index, application in enumerate(problem.applications):
        if not admissible_exits(application):
            best = max(leave.accuracy for leave in application.network.exits)
            yield (
                f"{application.name}: accuracy {application.accuracy:g} is out of reach: "
                f"the best exit of {application.network.name} has {best:g}"
            )
            continue
        shape = geometry(problem, index)
        fastest = least_path(shape.time, shape.source)
        if fastest is None:
            yield f"{application.name}: no placement follows the links and tiers of {problem.cluster.name}"
        elif fastest[1] > shape.longest_s:
            yield (
                f"{application.name}: latency {_ms(application.latency_s)} is out of reach: "
                f"the least that any placement takes is {_ms(fastest[1])}"
            )


def shortage(problem: Problem) -> str:
    """Which shared limits leave no room, where `impossible` finds nothing: those whose absence would."""
    limits = Limits.of(problem)
    shapes = [geometry(problem, index) for index in range(len(problem.applications))]
    alone = [shape for shape in shapes if _has_no_room(shape, limits)]
    if not alone and len(shapes) == 1:
        return f"{shapes[0].name}: the shared limits leave no room for it"
    if not alone:
        return "each application fits alone, all of them together do not"
    shape = alone[0]
    kinds = _without_one(limits)
    short = [kind for kind, relaxed in kinds.items() if not _has_no_room(shape, relaxed)]
    if short:
        return f"{shape.name}: the limits on {' and on '.join(short)} leave no room for it"
    return f"{shape.name}: the shared limits leave no room for it; more than one kind of {', '.join(kinds)} is short"


def _has_no_room(shape: Geometry, limits: Limits) -> bool:
    """Proved that there is none."""
    found = pareto(shape, limits, LABELS)
    return found.path is None and found.bound == np.inf


def _without_one(limits: Limits) -> dict[str, Limits]:
    """The limits with one kind left out."""
    free = np.full_like(limits.compute, np.inf)
    return {
        "memory": replace(limits, memory=free),
        "compute": replace(limits, compute=free),
        "links": replace(limits, links=np.where(limits.links > 0, np.inf, 0.0)),
    }


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.6g} ms"
