"""Tiny problems of every kind, whose limits bind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from iopt.tiling.enumeration import judged, most_configurations
from iopt.tiling.fronts import front
from iopt.tiling.problem import Problem
from tests.tiling.branches import branched
from tests.tiling.networks import drawn, with_host

MOST = 2500
"""Configurations of a tiny problem at most."""


@cache
def tiny_problem(seed: int, has_branches: bool = False) -> Problem:
    """A chain of up to four layers, or layers and a block or two, with limits among the values of its front, so that
    they bind; deterministic.

    Nine in ten have a front of several points. A few limits are one byte too small, or below everything.
    """
    random = Random(seed)
    objective = random.choice(("macs", "memory", "latency"))
    is_easy = random.random() < 0.1
    while True:
        problem = replace(_conventions(random, has_branches), objective=objective)
        if most_configurations(problem) > MOST:
            continue
        points = _values(problem)
        if is_easy or len(points) > 2:
            break
    at = random.randrange(len(points) - 1) if len(points) > 1 else 0
    memory, factor = points[at][0] - (random.random() < 0.2), points[at][1] / (problem.macs or 1)
    if objective == "memory":
        factor *= 1.0 if random.random() < 0.85 else 0.999 if at < len(points) - 1 else 0.5
        limit = points[at + 1][0] if len(points) > 1 and random.random() < 0.3 else None
        return replace(problem, memory_bytes=limit, overhead=factor if factor > 0 and random.random() < 0.9 else None)
    return replace(problem, memory_bytes=memory if random.random() < 0.9 else None)


def _values(problem: Problem) -> list[tuple[int, float]]:
    """The front as the search has it: fast, and good enough to draw limits from."""
    return [
        (point.peak_bytes, point.latency_s if problem.objective == "latency" and point.latency_s else point.macs)
        for point in front(problem).points
    ]


def front_of(problem: Problem) -> list[tuple[int, float]]:
    """Peak and multiply-accumulates, or latency, that no configuration equals or beats in both, by enumeration."""
    is_latency = problem.objective == "latency"
    points = sorted(
        (cost.peak_bytes, cost.latency_s if is_latency and cost.latency_s is not None else cost.macs)
        for _, cost in judged(replace(problem, memory_bytes=None, overhead=None))
    )
    found: list[tuple[int, float]] = []
    for peak, other in points:
        if not found or other < found[-1][1]:
            found.append((peak, other))
    return found


def _conventions(random: Random, has_branches: bool) -> Problem:
    predictor = random.choice(("lean", "lean", "torch", "torch", "bound", "plain11", "mafat"))
    crop = "rim" if predictor in ("bound", "mafat") and random.random() < 0.3 else "exact"
    options: dict[str, Any] = {
        "predictor": predictor,
        "bias_bytes": random.randint(0, 2000) if predictor == "mafat" else None,
        "crop": crop,
        "weights": random.choice(("resident", "streamed", "none")),
        "backend": random.choice(("implicit", "im2col")),
        "grid": random.choice(("balanced", "ceil")),
        "max_tiles": random.choice((2, 2, 3)),
        "reuse": crop == "exact" and random.random() < 0.5,
    }
    seed = random.randint(0, 10**9)
    graph = branched(seed, most=12, parts=3) if has_branches else drawn(seed, most_layers=3)
    return with_host(Problem(graph, **options), seed)
