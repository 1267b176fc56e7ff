"""Mutants of the executor's memory in the formulations: without any one constraint a plan fits that lacks a byte.

`python -m tests.partition.footprint_mutants` looks for plans that show it and writes them to
tests/data/partition_footprint_mutants.json, which `test_footprint_mutants.py` replays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

import pyomo.environ as pyo

from formulations import partition, partition_plain
from formulations.partition_data import PartitionData
from formulations.partition_solution import fixings
from iopt.exact import Solver
from iopt.partition.evaluation import evaluate
from iopt.partition.milp_data import choices_of, partition_data
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from tests.instances import Layer, adaptive_pool, chain, cluster, conv, draw_plan, linear, tiny_problem

TABLE = Path(__file__).parents[1] / "data" / "partition_footprint_mutants.json"
FORMULATIONS: dict[str, Callable[[PartitionData], pyo.ConcreteModel]] = {
    "tight": partition.build,
    "plain": partition_plain.build,
}


@dataclass(frozen=True)
class Instance:
    """A plan of a problem whose caps are just what it needs, but for one byte on `device`."""

    kind: str
    seed: int
    device: int


def _sums(rng: Random) -> Problem:
    """Few inputs and poolings that make a map larger, so that adding up partial sums takes the most memory."""
    layers: list[Layer] = []
    for _ in range(rng.choice((1, 1, 2))):
        pooling = adaptive_pool((rng.randint(1, 4), rng.randint(1, 3))) if rng.random() < 0.5 else None
        layers.append(conv(rng.randint(1, 4), (1, 1), bias=False, pooling=pooling, norm=rng.random() < 0.4))
    if rng.random() < 0.4:
        layers[-1] = linear(rng.randint(1, 4), bias=False, norm=rng.random() < 0.4)
    graph = chain("sums", (rng.randint(1, 3), rng.choice((1, 1, 2)), rng.randint(1, 2)), layers)
    count = rng.randint(2, 3)
    return Problem(graph, cluster((1.0,) * count, source=rng.randrange(count), sink=rng.randrange(count)))


def _drawn(problem: Problem, seed: int) -> tuple[Problem, Plan]:
    return problem, draw_plan(Random(seed), problem)


def _by_hand(number: int) -> tuple[Problem, Plan]:
    """Four channels of which the first device has all and needs half, as they lie and as rows; a reduce-scatter where
    one of three devices receives everything."""
    graph = chain("two", (1, 2, 2), [conv(4, 1, bias=False), conv(1, 1, bias=False)])
    halves = Split("op2", Axis.IC, intervals_from((2, 2)), None, Direct())
    if number < 2:
        first = (
            Split("op1", Axis.OC, intervals_from((4, 0))) if number else Split("op1", Axis.H, intervals_from((2, 0)))
        )
        return Problem(graph, cluster((1.0, 1.0))), Plan((first, halves))
    graph = chain("three", (3, 2, 2), [conv(4, 1, bias=False)])
    everything = Scatter(intervals_from((4, 0, 0)))
    plan = Plan((Split("op1", Axis.IC, intervals_from((1, 1, 1)), None, everything),))
    return Problem(graph, cluster((1.0,) * 3)), plan


KINDS: dict[str, Callable[[int], tuple[Problem, Plan]]] = {
    "any": lambda seed: _drawn(tiny_problem(seed, caps="none", plan_limit=3_000, memory="runtime"), seed),
    "sums": lambda seed: _drawn(_sums(Random(seed)), seed),
    "by hand": lambda number: _by_hand(number % 3),
}


@cache
def lacking(where: Instance) -> tuple[Problem, Plan]:
    problem, plan = KINDS[where.kind](where.seed)
    free = replace(problem, memory="runtime")
    need = evaluate(free, plan).memory_bytes.values()
    caps = tuple(max(1, count - (device == where.device)) for device, count in enumerate(need))
    return replace(free, cluster=free.cluster.with_memory(caps)), plan


def fits(formulation: str, where: Instance, dropped: str | None = None) -> bool:
    """Whether the formulation, without a constraint, has a point for the plan."""
    problem, plan = lacking(where)
    data = partition_data(problem, 1.0)
    model = FORMULATIONS[formulation](data)
    if dropped is not None:
        getattr(model, dropped).deactivate()
    return Solver(model).completed(fixings(model, data, choices_of(plan, problem))) is not None


def names(formulation: str, where: Instance) -> set[str]:
    """The constraints that only the executor's memory has, and `memory`."""
    problem = lacking(where)[0]
    with_it, without = (
        {
            part.name
            for part in FORMULATIONS[formulation](partition_data(each, 1.0)).component_objects(pyo.Constraint)
            if len(part)
        }
        for each in (problem, replace(problem, memory="live"))
    )
    return (with_it - without) | {"memory"}


def instances(seed: int) -> Iterator[Instance]:
    for kind in KINDS:
        first = Instance(kind, seed, -1)
        problem, plan = lacking(first)
        for device, count in enumerate(evaluate(problem, plan).memory_bytes.values()):
            if count > 1:
                yield Instance(kind, seed, device)


def search(formulation: str, seeds: range) -> dict[str, list[object]]:
    """The first instance that shows each mutant."""
    found: dict[str, list[object]] = {}
    seen: set[str] = set()
    for seed in seeds:
        for where in instances(seed):
            present = names(formulation, where)
            seen |= present
            for name in sorted(present - found.keys()):
                if fits(formulation, where, name):
                    found[name] = [where.kind, where.seed, where.device]
                    print(formulation, name, where, flush=True)
        if seed > 20 and seen == found.keys():
            break
    return dict(sorted(found.items()))


if __name__ == "__main__":
    table = {formulation: search(formulation, range(400)) for formulation in FORMULATIONS}
    TABLE.write_text(json.dumps(table, indent=1) + "\n")
