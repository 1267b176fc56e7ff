"""Instances with their optimum, and all their paths."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from iopt.exits.geometry import Geometry, geometry
from iopt.exits.paths import path_weight
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.exits.search.each import Path
from tests.exits.instances import Limited, tiny_problem
from tests.exits.reference import least_energy

SHARED = ("compute", "memory", "bandwidth")


@cache
def solvable(count: int, limited: Limited, applications: int = 1, most_blocks: int = 3) -> list[tuple[Problem, float]]:
    """With their optimum; those where each application has an exit that is accurate enough."""
    problems = [tiny_problem(seed, limited, applications, most_blocks=most_blocks) for seed in range(count)]
    return [
        (problem, least_energy(problem))
        for problem in problems
        if all(
            max(leave.accuracy for leave in app.network.exits) >= app.accuracy * (1 - 1e-9)
            for app in problem.applications
        )
    ]


def shapes_of(problem: Problem) -> list[Geometry]:
    return [geometry(problem, index) for index in range(len(problem.applications))]


def plan_of(shapes: list[Geometry], paths: list[Path | None]) -> Plan:
    return Plan(tuple(shape.placement(path or ()) for shape, path in zip(shapes, paths, strict=True)))


def every_path(shape: Geometry) -> list[Path]:
    return [
        path
        for path in product(range(shape.nodes), repeat=shape.depth)
        if np.isfinite(path_weight(shape.energy, shape.source, path))
    ]
