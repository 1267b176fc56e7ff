"""The instances that methods are compared on: every kind of limit decides some of them."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Any

from tests.exits.agreement import (
    assert_milps,
    assert_pareto,
)
from tests.exits.instances import tiny_problem
from tests.exits.reference import least_energy

KINDS = ("memory", "compute", "bandwidth", "latency", "accuracy", "source", "tier")


def changed(seeds: range, limited: Any, applications: int, most_blocks: int) -> Counter[str]:
    """How many optima change without a limit, by kind; and how many problems have a plan at all."""
    count: Counter[str] = Counter()
    for seed in seeds:
        problem = tiny_problem(seed, limited, applications, most_blocks=most_blocks)
        optimum = least_energy(problem)
        count["feasible"] += optimum < inf
        for kind in KINDS:
            count[kind] += least_energy(problem, {kind}) < optimum * (1 - 1e-9)
    return count


def test_every_kind_of_limit_binds() -> None:
    some = changed(range(150), "any", 1, 3)
    assert 0.7 < some["feasible"] / 150 < 0.95
    assert {kind for kind in KINDS if some[kind] < (2 if kind in ("source", "tier") else 8)} <= {"bandwidth"}
    everything = changed(range(100), "all", 1, 3)
    assert everything["memory"] > 25
    assert everything["compute"] > 10
    links = changed(range(150), "links", 1, 3)
    assert links["bandwidth"] >= 3
    pairs = changed(range(40), "all", 2, 3)
    assert pairs["memory"] > 12
    assert pairs["compute"] > 4
    assert changed(range(60), "links", 2, 3)["bandwidth"] >= 3


def test_links_bind_among_the_instances_compared() -> None:
    """For the tests above: links that fill up, in a sixth of these, decide the optimum of all methods."""
    binding = [
        problem
        for seed in range(400)
        if least_energy(problem := tiny_problem(seed, "links", most_blocks=3))
        > least_energy(problem, {"bandwidth"}) * (1 + 1e-9)
    ]
    assert len(binding) >= 8
    for problem in binding:
        optimum = least_energy(problem)
        assert_pareto(problem, optimum)
        assert_milps(problem, optimum, ("flow", "plain"))
