"""Why there is no placement, as far as it can be proved and said in a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from iopt.door.amounts import at_least
from iopt.exits.demand import overruns
from iopt.exits.geometry import Geometry, admissible_exits, geometry
from iopt.exits.limits import Limits
from iopt.exits.paths import least_path
from iopt.exits.problem import Problem
from iopt.exits.search.pareto import pareto

LABELS = 20_000
"""For one application with one kind of limit left out."""
EXPLAIN_S = 5.0
"""For the reasons of all of them."""
MOST_OVERRUNS = 3
"""Named in a sentence."""
_ANY_GAP = 0.99
"""Whether there is a placement, not which is best."""

_Left = Callable[[], float]


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
                f"{application.name}: accuracy {application.accuracy:.12g} is out of reach: "
                f"the best exit of {application.network.name} has {best:.12g}"
            )
            continue
        shape = geometry(problem, index)
        fastest = least_path(shape.time, shape.source)
        if fastest is None:
            yield f"{application.name}: no placement follows the links and tiers of {problem.cluster.name}"
        elif fastest[1] > shape.longest_s:
            yield (
                f"{application.name}: latency {application.latency_s * 1e3:.12g} ms is out of reach: "
                f"the least that any placement takes is {at_least(fastest[1] * 1e3)} ms"
            )


def shortage(problem: Problem, time_limit_s: float = EXPLAIN_S) -> str:
    """What leaves no room, for a problem that is proved to have no placement though `impossible` finds nothing.

    Applications that do not even fit alone, each with the kinds of limit of which any one, left out, would make room;
    then what is needed at least of a device or of all of them, where that is above the limit. Says what could be proved
    within the time limit, and no more.
    """
    ends = time.perf_counter() + time_limit_s

    def left() -> float:
        return max(0.0, ends - time.perf_counter())

    found = list(islice(overruns(problem, lambda: left() > 0), MOST_OVERRUNS))
    return "; ".join([*_shared(problem, left), *map(str, found)])


def _shared(problem: Problem, left: _Left) -> Iterator[str]:
    """A sentence per application that does not fit alone, else one on all of them."""
    limits = Limits.of(problem)
    shapes = [geometry(problem, index) for index in range(len(problem.applications))]
    rooms = [_has_room(shape, limits, left) for shape in shapes]
    alone = [shape for shape, room in zip(shapes, rooms, strict=True) if room is False]
    if len(shapes) == 1:
        yield _alone(shapes[0], limits, left)
    elif alone:
        yield from (_alone(shape, limits, left) for shape in alone[:MOST_OVERRUNS])
    elif all(rooms):
        yield "each application fits alone, all of them together do not"
    else:
        yield "the applications do not fit together within the shared limits"


def _alone(shape: Geometry, limits: Limits, left: _Left) -> str:
    """Of an application for which there is no room even where it is alone."""
    rooms = {kind: _has_room(shape, relaxed, left) for kind, relaxed in _without_one(limits).items()}
    short = [kind for kind, room in rooms.items() if room]
    if short:
        return f"{shape.name}: the limits on {' and on '.join(short)} leave no room for it"
    if any(room is None for room in rooms.values()):
        return f"{shape.name}: the shared limits leave no room for it"
    return f"{shape.name}: the shared limits leave no room for it; more than one kind of {', '.join(rooms)} is short"


def _has_room(shape: Geometry, limits: Limits, left: _Left) -> bool | None:
    """Whether there is a placement; None: neither found nor excluded within labels and time."""
    if left() <= 0:
        return None
    found = pareto(shape, limits, LABELS, left(), _ANY_GAP)
    if found.path is not None:
        return True
    return False if found.bound == np.inf else None


def _without_one(limits: Limits) -> dict[str, Limits]:
    """The limits with one kind left out."""
    free = np.full_like(limits.compute, np.inf)
    return {
        "memory": replace(limits, memory=free),
        "compute": replace(limits, compute=free),
        "links": replace(limits, links=np.where(limits.links > 0, np.inf, 0.0)),
    }
