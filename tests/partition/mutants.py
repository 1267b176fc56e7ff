"""Mutants of the partition formulations: each constraint dropped in turn, and those that count loosened a little.

A constraint is

* *defining* if its loss lets a wrong optimum through: on some tiny instance the mutant has a point that keeps all its
  other constraints and is faster than every plan there is, which enumeration says;
* *strengthening* if its loss only weakens the linear relaxation of some instance;
* *implied* if neither; `IMPLIED` says why it is there all the same.

`mutant_search.py` looks for instances that show it, `test_mutants.py` replays them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from formulations import partition, partition_plain
from formulations.partition_data import PartitionData
from iopt.cluster import Charge, Medium
from iopt.exact import Solver
from iopt.partition.enumeration import best_plan
from iopt.partition.milp_data import partition_data
from iopt.partition.problem import Problem
from tests.instances import chain, cluster, conv, tiny_problem

TABLE = Path(__file__).parents[1] / "data" / "partition_mutants.json"
FORMULATIONS: dict[str, Callable[[PartitionData], pyo.ConcreteModel]] = {
    "tight": partition.build,
    "plain": partition_plain.build,
}
PARTS = 100
"""The best plan is so many units of the model's time, as in `iopt.partition.milp`."""
FASTER = 1e-3
"""By so much, relatively, a mutant has to beat every plan."""
WEAKER = 1e-4
"""By so much, relatively, a relaxation has to fall."""
KEPT = 1e-7
"""To this a mutant's point has to keep every other constraint."""

IMPLIED: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("tight", "combined_directly"): (("sums_of_pair",), "who has sums has them in a pair, and no pair is partial then"),
    ("tight", "part_needs_mode"): (("part_of_pair",), "the copies of the part need a pair of that mode"),
    ("tight", "part_needs_share"): (("part_of_share",), "the same of the copies"),
    ("tight", "share_needs_part"): (("share_of_part",), "the same of the copies"),
    ("tight", "spread_sum"): (("held_sum_of_pair",), "the same of the copies, which are held"),
    ("plain", "combined_by_scatter"): ((), "spread_from_all charges such sums with a broadcast of everything"),
}
"""Constraints of the shared decision that one formulation could do without: those that imply it, where they are
constraints, and why. The other formulation needs them, and without the implying ones this one would, too."""

TIGHTENING = {
    "tight": {
        "combined_by_scatter": "spread_from_all charges such sums with a broadcast of everything",
        "starts_once": "first_of_part and the position of the start say it",
        "ends_once": "the same at the other end",
        "first_of_part": "starts_once, and in another pair need_is_met would ask for less than nothing",
        "last_of_part": "the same at the other end",
        "pair_of_state": "held_sum_of_pair of what is held, sums_exist and sums_of_pair of partial sums",
        "part_of_pair": "a part without a share is none, and shares are in the pair that happens",
        "parts_of_pairs": "shares_of_pairs: a part is where a share is, in the copies as in their sum",
        "part_of_share": "part_needs_share, and part_of_pair for the other pairs",
        "share_of_part": "share_needs_part, and share_sum_of_pair for the other pairs",
        "share_sum_of_pair": "shares_of_pairs, and share_of_part with part_of_pair for the other pairs",
        "sums_exist": "the sum of the shares, over all pairs",
        "sums_of_pair": "pair_of_state, combined_directly, and that sums elsewhere only cost",
    },
    "plain": {
        "part_needs_mode": "part_needs_share and the sum of the shares",
    },
}
"""Strengthening constraints that are no inequalities of `partition_cuts.py`: what they follow from in whole numbers."""


# Instances


@dataclass(frozen=True)
class Instance:
    kind: str
    seed: int


def _peer(problem: Problem) -> Problem:
    """Every connection costs."""
    network = problem.cluster.network
    dear = replace(network, charge=Charge.PEER, connection_s=max(network.connection_s, 0.02))
    return replace(problem, cluster=replace(problem.cluster, network=dear))


def _shared(problem: Problem) -> Problem:
    """One medium for everybody."""
    network = problem.cluster.network
    if network.medium is Medium.SHARED:
        return problem
    bandwidth = sum(network.up_bytes_per_s)
    medium = replace(
        network, up_bytes_per_s=(), down_bytes_per_s=(), bandwidth_bytes_per_s=bandwidth, medium=Medium.SHARED
    )
    return replace(problem, cluster=replace(problem.cluster, network=medium))


def _strided(rng: Random) -> Problem:
    """Windows with gaps between them: a device without a share would need less than nothing."""
    stride = rng.randint(2, 4)
    graph = chain("strided", (rng.randint(1, 2), 5 * stride, 2), [conv(rng.randint(1, 3), (1, 1), (stride, 1))])
    rates = [graph.flops * rng.uniform(0.5, 2.0) for _ in range(3)]
    links = [graph.operators[0].input_shape.bytes * rng.uniform(1.0, 20.0) for _ in range(3)]
    return Problem(graph, cluster(rates, links, connection_s=rng.choice((0.0, 0.01)), source=rng.randrange(3)))


KINDS: dict[str, Callable[[int], Problem]] = {
    "any": lambda seed: tiny_problem(seed, plan_limit=3_000),
    "peer": lambda seed: _peer(tiny_problem(seed, plan_limit=3_000)),
    "shared": lambda seed: _shared(tiny_problem(seed, plan_limit=3_000)),
    "capped": lambda seed: tiny_problem(seed, caps="tight", plan_limit=3_000),
    "strided": lambda seed: _strided(Random(seed)),
    "free": lambda seed: tiny_problem(seed, devices=3, operators=2, caps="none", plan_limit=30_000, along_rows=True),
}


@dataclass(frozen=True)
class Judged:
    """An instance in the model's units, and its best plan's latency by enumeration (inf: no plan keeps the caps)."""

    data: PartitionData
    best: float


@cache
def judged(where: Instance) -> Judged:
    problem = KINDS[where.kind](where.seed)
    found = best_plan(problem)
    latency = None if found is None else found[1]
    reference = (latency or sum(operator.flops for operator in problem.operators)) / PARTS or 1.0
    if latency is None:
        reference /= problem.cluster.devices[0].flops_per_s
    return Judged(partition_data(problem, reference), float("inf") if latency is None else latency / reference)


# Changes


LOOSENED = {
    "memory": 0.05,
    **dict.fromkeys(("compute", "volume", "volume_sent", "volume_received"), 0.02),
    **dict.fromkeys(("scatter_volume", "scatter_sent", "scatter_received"), 0.02),
    **dict.fromkeys(("busiest_peer", "busiest_scatter_peer"), 1.0),
    **dict.fromkeys(("dimension_sum", "spread_sum", "share_sum_of_pair", "held_sum_of_pair"), 1),
    **dict.fromkeys(("shares_of_pairs", "held_of_pairs"), 1),
    **dict.fromkeys(("need_is_met", "need_everything", "from_what_is_held", "from_all_that_is_held"), 1),
    **dict.fromkeys(("meet_below_need", "meet_above_need", "region_from_all", "spread_from_all"), 1),
    **dict.fromkeys(("starts_not_after", "starts_not_before", "ends_not_after", "ends_not_before"), 1),
}
"""By how much: constraints with a time or a number of connections hold it to a fraction less; the cap of memory is so
much larger; the others count, and may be wrong by one."""

TIMES = ("T", "V", "S", "peers", "scatter_peers")
Change = Literal["dropped", "loosened"]


def changed(model: Any, name: str, change: Change) -> None:
    """Drop a constraint of a model, or loosen it."""
    rows = getattr(model, name)
    if change == "dropped":
        rows.deactivate()
        return
    by = LOOSENED[name]
    for row in rows.values():
        terms = generate_standard_repn(row.body)
        extra = sum(
            by * coefficient * variable
            for coefficient, variable in zip(terms.linear_coefs, terms.linear_vars, strict=True)
            if variable.parent_component().name in TIMES
        )
        wider = 0 if name != "memory" and isinstance(by, float) else by
        lower, upper = (None if side is None else pyo.value(side) for side in (row.lower, row.upper))
        row.set_value(
            (None if lower is None else lower - wider, row.body + extra, None if upper is None else upper + wider)
        )


# Verdicts


def names(formulation: str, where: Instance) -> list[str]:
    model = FORMULATIONS[formulation](judged(where).data)
    return [component.name for component in model.component_objects(pyo.Constraint) if len(component)]


def cut_names(formulation: str, where: Instance) -> set[str]:
    """The inequalities that no plan violates, by where they are."""
    if formulation != "tight":
        return set()
    model = partition.build(judged(where).data, cuts=False)
    return set(names(formulation, where)) - {component.name for component in model.component_objects(pyo.Constraint)}


@cache
def is_right(formulation: str, where: Instance) -> bool:
    """Whether the formulation itself, nothing changed, has the optimum that enumeration says."""
    given = judged(where)
    solution = Solver(FORMULATIONS[formulation](given.data)).solve(time_limit_s=20.0)
    if given.best == float("inf"):
        return solution.is_infeasible
    if solution.objective is None:
        return False
    return abs(solution.objective - given.best) + abs(solution.bound - given.best) <= 1e-8 * max(1.0, given.best)


class Undecided(Exception):
    """The solver neither gave a point that keeps all else nor said that there is none."""


def faster(formulation: str, where: Instance, changes: Sequence[tuple[str, Change]]) -> float | None:
    """The value of a point of the mutant that is faster than every plan (any point where there is no plan); None if
    there is none. That it keeps all else is seen without the solver."""
    given = judged(where)
    model: Any = FORMULATIONS[formulation](given.data)
    for name, change in changes:
        changed(model, name, change)
    if given.best < float("inf"):
        model.faster = pyo.Constraint(expr=model.latency.expr <= (1 - FASTER) * given.best)
    solver = Solver(model)
    solution = solver.solve(time_limit_s=20.0, gap=1.0)
    if solution.is_infeasible:
        return None
    if solution.values is None:
        raise Undecided(f"{formulation} on {where}, {changes}")
    solver.load(solution.values)
    if max(_violations(model)) > KEPT:
        raise Undecided(f"{formulation} on {where}, {changes}: the point breaks a constraint")
    return float(pyo.value(model.latency))


def _violations(model: Any) -> Iterator[float]:
    """By how much each active constraint and each bound is broken."""
    for row in model.component_data_objects(pyo.Constraint, active=True):
        yield from (-row.lslack(), -row.uslack())
    for variable in model.component_data_objects(pyo.Var):
        if variable.value is not None:
            lower, upper = variable.bounds
            yield from (0 if lower is None else lower - variable.value, 0 if upper is None else variable.value - upper)


@cache
def relaxation(formulation: str, where: Instance, dropped: tuple[str, ...] = ()) -> float:
    """The linear relaxation without these constraints."""
    model: Any = FORMULATIONS[formulation](judged(where).data)
    for name in dropped:
        changed(model, name, "dropped")
    return Solver(model).relaxation()


def weaker(formulation: str, where: Instance, name: str, without: tuple[str, ...] = ()) -> tuple[float, float] | None:
    """The relaxation with a constraint and without it, if that is weaker; both `without` some others."""
    right, wrong = relaxation(formulation, where, without), relaxation(formulation, where, (name, *without))
    return (right, wrong) if wrong < right - WEAKER * max(abs(right), 1.0) else None
