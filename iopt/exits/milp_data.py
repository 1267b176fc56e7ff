"""A problem as numbers of the formulation, and its paths as a plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulations.exits_data import Application, Cost, ExitsData
from iopt.exits.geometry import Geometry
from iopt.exits.limits import Limits
from iopt.exits.problem import ROOM, TOLERANCE, Problem


def exits_data(
    problem: Problem, geometries: Sequence[Geometry], reference_j: float, all_exits: bool = False
) -> ExitsData:
    """The data of the steps that `geometries` admit. `reference_j`: the unit of energy.

    `all_exits`: the model chooses among all exits up to that of the geometry, otherwise it has only that one. Limits
    that all applications together cannot reach are left out, all others have `ROOM`.
    """
    limits = Limits.of(problem)
    applications = tuple(
        _application(problem, index, geometry, reference_j, all_exits) for index, geometry in enumerate(geometries)
    )
    compute, memory, traffic = (
        sum(getattr(geometry, kind).sum() for geometry in geometries) for kind in ("compute", "memory", "traffic")
    )
    nodes = range(len(problem.cluster))
    return ExitsData(
        applications,
        len(problem.cluster),
        {n: float(limits.compute[n]) * ROOM for n in nodes if limits.compute[n] < compute},
        {n: float(limits.memory[n]) * ROOM for n in nodes if limits.memory[n] < memory},
        {(n, m): float(limits.links[n, m]) * ROOM for n in nodes for m in nodes if 0 < limits.links[n, m] < traffic},
    )


def _application(problem: Problem, index: int, geometry: Geometry, reference_j: float, all_exits: bool) -> Application:
    application = problem.applications[index]
    exits = application.network.exits[0 if all_exits else geometry.exit : geometry.exit + 1]
    steps = {
        (int(b) + 1, int(n), int(m)): Cost(
            float(geometry.energy[b, n, m] / reference_j), float(geometry.time[b, n, m] / (geometry.latency_s * ROOM))
        )
        for b, n, m in np.argwhere(np.isfinite(geometry.energy))
    }
    return Application(
        exits=tuple((leave.after, leave.accuracy) for leave in exits),
        accuracy=application.accuracy * (1 - TOLERANCE),
        source=geometry.source,
        pinned=problem.pinned,
        steps=steps,
        compute=tuple(geometry.compute),
        memory=tuple(geometry.memory),
        traffic=tuple(geometry.traffic),
    )
