"""Values of the linear relaxations, pinned: a weaker formulation is a regression even while its optimum stays right."""

from __future__ import annotations

from functools import cache
from math import inf

import pytest

from formulations import exits, exits_plain
from iopt.cluster import Cluster
from iopt.exact import Solver
from iopt.exits.files import load_profile
from iopt.exits.geometry import geometry
from iopt.exits.milp_data import exits_data
from iopt.exits.problem import Application, Problem
from tests.exits.instances import tiny_problem
from tests.exits.mutants import scaled
from tests.exits.reference import least_energy

BUILDS = {"flow": exits.build, "plain": exits_plain.build}


def released(*asked: tuple[str, float, float]) -> Problem:
    """Networks of FIN's authors, each with accuracy and latency [ms], on their three nodes; one inference a second."""
    return Problem(
        tuple(
            Application(load_profile(name).network, accuracy, latency / 1e3, name=f"{name}-{index}")
            for index, (name, accuracy, latency) in enumerate(asked)
        ),
        Cluster.load("mobile-edge-cloud"),
        energy="unconditional",
        link_rate="receiver",
    )


INSTANCES = {
    "b-alexnet, 5 ms": released(("b-alexnet", 0.8, 5.0)),
    "b-resnet, 0.5 ms": released(("b-resnet", 0.7, 0.5)),
    "two networks": released(("b-alexnet", 0.8, 6.0), ("b-lenet", 0.95, 0.02)),
    "drawn, all limits": tiny_problem(0, "all", applications=2, most_blocks=3),
}


@cache
def relaxed(name: str, formulation: str) -> float:
    """In millijoule, over every exit and every step."""
    problem = INSTANCES[name]
    last = [
        geometry(problem, index, len(application.network.exits) - 1)
        for index, application in enumerate(problem.applications)
    ]
    return Solver(BUILDS[formulation](exits_data(problem, last, 1e-3, all_exits=True))).relaxation()


@cache
def optimum_of(name: str) -> float:
    return 1e3 * least_energy(INSTANCES[name])


PINNED_MJ = [
    ("b-alexnet, 5 ms", 17.3089122, 36.2654638),
    ("b-resnet, 0.5 ms", 0.756259203, 7.43353235),
    ("two networks", 17.4056566, 32.3117673),
    ("drawn, all limits", 2.74283960, 2.86174669),
]


@pytest.mark.parametrize(("name", "plain", "flow"), PINNED_MJ)
def test_relaxation(name: str, plain: float, flow: float) -> None:
    assert relaxed(name, "plain") == pytest.approx(plain, rel=1e-6)
    assert relaxed(name, "flow") == pytest.approx(flow, rel=1e-6)
    assert plain < flow <= optimum_of(name) * (1 + 1e-9)


def test_flow_is_never_weaker_and_neither_passes_the_optimum() -> None:
    stronger = 0
    for seed in range(24):
        problem = tiny_problem(
            seed, ("none", "any", "all", "links")[seed % 4], applications=1 + seed % 2, most_blocks=3
        )
        best = least_energy(problem)
        if not 0 < best < inf:
            continue
        plain, flow = (Solver(build(scaled(problem))).relaxation() for build in (exits_plain.build, exits.build))
        assert plain <= flow * (1 + 1e-9) + 1e-9
        assert flow <= 100 * (1 + 1e-8)
        stronger += flow > plain * (1 + 1e-6) + 1e-6
    assert stronger > 7


def test_without_limits_the_flow_relaxation_is_exact() -> None:
    """It is then the convex hull of all placements: a shortest path."""
    for network, accuracy in (("b-alexnet", 0.8), ("b-resnet", 0.3), ("b-lenet", 0.95)):
        problem = released((network, accuracy, 1e6))
        shape = geometry(problem, 0)
        value = Solver(exits.build(exits_data(problem, [shape], 1e-3))).relaxation()
        assert value == pytest.approx(1e3 * least_energy(problem), rel=1e-7)
