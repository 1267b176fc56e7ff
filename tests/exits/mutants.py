"""Mutants of the formulations of exits: each constraint dropped or loosened in turn, and data that say something else.

A mutant must have another optimum than the formulation on some tiny instance: `find_mutants.py` looks for one, and
`test_mutants.py` replays it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import pyomo.environ as pyo

from formulations import exits, exits_plain
from formulations.exits_data import ExitsData
from iopt.cluster import LinkRate
from iopt.exact import Solver
from iopt.exits.geometry import geometry
from iopt.exits.milp_data import exits_data
from iopt.exits.problem import Problem
from tests.exits.instances import tiny_problem
from tests.exits.reference import least_energy

TABLE = Path(__file__).parents[1] / "data" / "exits_mutants.json"
FORMULATIONS = {"flow": exits.build, "plain": exits_plain.build}
RELATIVE = 1e-6
LOOSER = 0.05

LOOSENED = ("accuracy", "latency", "compute", "memory", "bandwidth")
"""Limits that are also loosened by 5 %."""

Instance = tuple[str, int, int]
"""`limited`, number of applications, seed."""


@cache
def instance(limited: Any, applications: int, seed: int) -> Problem:
    return tiny_problem(seed, limited, applications, most_blocks=3)


def scaled(problem: Problem) -> ExitsData:
    """Every exit and every step, with steps from the source to other nodes even where block 1 is pinned: `source` is
    for the formulation to keep. The energy of the best plan, or of any, is 100."""
    free = replace(problem, pinned=False)
    last = [
        geometry(free, index, len(application.network.exits) - 1)
        for index, application in enumerate(problem.applications)
    ]
    data = exits_data(free, last, unit_of(problem), all_exits=True)
    return replace(data, applications=tuple(replace(each, pinned=problem.pinned) for each in data.applications))


def unit_of(problem: Problem) -> float:
    """Of `scaled`, in joule a second."""
    best = least_energy(problem)
    return best / 100 if 0 < best < inf else 1e-5


def names(formulation: str, data: ExitsData) -> list[str]:
    model = FORMULATIONS[formulation](data)
    return [component.name for component in model.component_objects(pyo.Constraint) if len(component)]


def optimum(formulation: str, data: ExitsData, mutant: str = "", by: str = "dropped") -> float:
    """In the model's units, inf where infeasible. Raises where the solver neither finds a plan nor proves that there is
    none."""
    model: Any = FORMULATIONS[formulation](data)
    if mutant and by == "dropped":
        getattr(model, mutant).deactivate()
    elif mutant:
        loosen(getattr(model, mutant))
    solution = Solver(model).solve(time_limit_s=20.0)
    if solution.objective is None:
        assert solution.is_infeasible
        return inf
    assert abs(solution.objective - solution.bound) <= 1e-6 * max(1.0, abs(solution.objective))
    return solution.objective


def loosen(component: Any) -> None:
    for constraint in component.values():
        lower, body, upper = constraint.to_bounded_expression(evaluate_bounds=True)
        constraint.set_value(
            (
                None if lower is None else lower * (1 - LOOSER),
                body,
                None if upper is None else upper * (1 + LOOSER),
            )
        )


def differ(right: float, wrong: float) -> bool:
    return right != wrong and not abs(right - wrong) <= RELATIVE * max(abs(right), 1e-9)


@cache
def right(formulation: str, *where: Any) -> float:
    return optimum(formulation, scaled(instance(*where)))


def shows(formulation: str, where: Instance, mutant: str, by: str) -> bool:
    """Whether the mutant has another optimum on this instance."""
    data = scaled(instance(*where))
    if mutant not in names(formulation, data):
        return False
    return differ(right(formulation, *where), optimum(formulation, data, mutant, by))


# Data that say something else


def _devices(problem: Problem, **values: Any) -> Problem:
    devices = tuple(replace(device, **values) for device in problem.cluster.devices)
    return replace(problem, cluster=replace(problem.cluster, devices=devices))


def _network(problem: Problem, **values: Any) -> Problem:
    return replace(problem, cluster=replace(problem.cluster, network=replace(problem.cluster.network, **values)))


def _networks(problem: Problem, change: Callable[[Any], Any]) -> Problem:
    applications = tuple(replace(each, network=change(each.network)) for each in problem.applications)
    return replace(problem, applications=applications)


def _admitted(problem: Problem) -> Problem:
    """Links that do not exist, at the rate of the rule."""
    return _network(
        problem, links=tuple(link for link in problem.cluster.network.links if link.bytes_per_s is not None)
    )


def _early(network: Any) -> Any:
    """What a block passes on is counted one block too late."""
    bits = [network.input_bits, *(block.out_bits for block in network.blocks)]
    blocks = tuple(replace(block, out_bits=bits[index]) for index, block in enumerate(network.blocks))
    return replace(network, blocks=blocks)


def _everyone(network: Any) -> Any:
    """Fractions in the wrong order."""
    shares = [leave.fraction for leave in reversed(network.exits)]
    return replace(
        network, exits=tuple(replace(e, fraction=share) for e, share in zip(network.exits, shares, strict=True))
    )


SWAPPED: dict[str, Callable[[Problem], Problem]] = {
    "tiers ignored": lambda p: replace(p, tier_order=False),
    "tiers kept": lambda p: replace(p, tier_order=True),
    "source ignored": lambda p: replace(p, pinned=False),
    "absent links admitted": _admitted,
    "explicit links ignored": lambda p: _network(p, links=()),
    "link rate swapped": lambda p: replace(p, link_rate="min" if p.link_rate is LinkRate.RECEIVER else "receiver"),
    "energy swapped": lambda p: replace(p, energy="expected" if p.energy == "unconditional" else "unconditional"),
    "latency swapped": lambda p: replace(p, latency="expected" if p.latency == "worst" else "worst"),
    "load ignored": lambda p: replace(p, max_load=1e9),
    "memory ignored": lambda p: _devices(p, memory_bytes=None),
    "overhead ignored": lambda p: _devices(p, overhead_s=0.0),
    "connection ignored": lambda p: _network(p, connection_s=0.0),
    "transfer free": lambda p: _devices(p, energy_per_bit_j=0.0),
    "computing free": lambda p: _devices(p, power_w=0.0),
    "input not sent": lambda p: _networks(p, lambda net: replace(net, input_bits=0.0)),
    "bits of the block before": lambda p: _networks(p, _early),
    "fractions reversed": lambda p: _networks(p, _everyone),
    "rates ignored": lambda p: replace(p, applications=tuple(replace(each, rate_per_s=1.0) for each in p.applications)),
    "source of the cluster": lambda p: replace(
        p, applications=tuple(replace(each, source=None) for each in p.applications)
    ),
}


def swapped(name: str, where: Instance) -> tuple[float, float]:
    """Optimum, and optimum of the mutant, both of the flow formulation and in units of the first."""
    problem = instance(*where)
    data = scaled(problem)
    mutant = SWAPPED[name](problem)
    wrong = scaled(mutant)
    return optimum("flow", data) * unit_of(problem), optimum("flow", wrong) * unit_of(mutant)


def candidates(count: int) -> Iterator[Instance]:
    for seed in range(count):
        for limited in ("none", "any", "all", "links"):
            for applications in (1, 2):
                yield limited, applications, seed
