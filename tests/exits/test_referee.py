"""The evaluator against a second computation from the equations."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.exits.evaluation import evaluate
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from tests.exits.instances import random_plan, tiny_problem
from tests.exits.reference import judge

SENTENCES = {
    r"(.+): block 1 is on (.+), not on its source (.+)": lambda g, n: ("source", g[0]),
    r"(.+): there is no link from (.+) to (.+)": lambda g, n: ("link", g[0], n[g[1]], n[g[2]]),
    r"(.+): (.+) after (.+) returns to a lower tier": lambda g, n: ("tier", g[0], n[g[2]], n[g[1]]),
    r"(.+): accuracy .+ is below .+": lambda g, n: ("accuracy", g[0]),
    r"(.+): takes .+ s, limit .+ s": lambda g, n: ("latency", g[0]),
    r"(.+): computes .+ op/s, limit .+ op/s": lambda g, n: ("compute", n[g[0]]),
    r"(.+): holds .+ bytes of weights, limit .+ bytes": lambda g, n: ("memory", n[g[0]]),
    r"(.+) to (.+): carries .+ bit/s, limit .+ bit/s": lambda g, n: ("bandwidth", n[g[0]], n[g[1]]),
}


def limits_named(problem: Problem, violations: tuple[str, ...]) -> set[tuple[object, ...]]:
    nodes = {device.name: index for index, device in enumerate(problem.cluster.devices)}
    found = set()
    for sentence in violations:
        (key,) = (
            build(match.groups(), nodes)
            for pattern, build in SENTENCES.items()
            if (match := re.fullmatch(pattern, sentence))
        )
        found.add(key)
    return found


def assert_agree(problem: Problem, plan: Plan) -> set[object]:
    found, expected = evaluate(problem, plan), judge(problem, plan)
    assert found.energy_j == pytest.approx(expected.energy_rate, rel=1e-12)
    assert [app.energy_j for app in found.applications] == pytest.approx(expected.energy, rel=1e-12)
    assert [app.latency_s for app in found.applications] == pytest.approx(expected.latency, rel=1e-12)
    assert [app.accuracy for app in found.applications] == expected.accuracy
    for amounts, known in ((found.used.compute, expected.compute), (found.used.memory, expected.memory)):
        assert amounts.tolist() == pytest.approx([known.get(n, 0.0) for n in range(len(amounts))], rel=1e-12)
    links = np.zeros_like(found.used.links)
    for ends, amount in expected.links.items():
        links[ends] = amount
    assert found.used.links.ravel().tolist() == pytest.approx(links.ravel().tolist(), rel=1e-12)
    assert limits_named(problem, found.violations) == expected.broken
    assert found.is_feasible == (not expected.broken)
    return {key[0] for key in expected.broken}


def test_the_referee_agrees_and_every_kind_of_violation_occurs() -> None:
    broken: set[object] = set()
    for seed in range(90):
        draw = Random(seed)
        problem = tiny_problem(
            seed, ("none", "any", "all", "links")[seed % 4], applications=1 + seed % 3, most_blocks=3
        )
        for _ in range(6):
            broken |= assert_agree(problem, random_plan(problem, draw))
    assert broken == {"source", "link", "tier", "accuracy", "latency", "compute", "memory", "bandwidth"}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["none", "any", "all", "links"]),
    st.integers(1, 2),
    st.integers(0, 10**6),
    st.fixed_dictionaries(
        {
            "energy": st.sampled_from(["expected", "unconditional"]),
            "link_rate": st.sampled_from(["min", "receiver"]),
            "latency": st.sampled_from(["worst", "expected"]),
            "pinned": st.booleans(),
            "tier_order": st.booleans(),
            "max_load": st.floats(1e-3, 2.0),
        }
    ),
)
def test_the_referee_agrees_under_every_switch(
    seed: int, limited: Any, applications: int, plan_seed: int, switches: dict[str, Any]
) -> None:
    problem = replace(tiny_problem(seed, limited, applications, most_blocks=3), **switches)
    assert_agree(problem, random_plan(problem, Random(plan_seed)))
