"""The generator of tiny placement problems is deterministic, keeps its size, and is diverse: limits bind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

import pytest

from iopt.exits.enumeration import plan_count
from iopt.exits.evaluation import evaluate
from iopt.exits.problem import Problem
from tests.exits.instances import LOOSE_S, random_plan, tiny_problem
from tests.exits.reference import feasible, least_energy

LIMITED = ("none", "any", "all", "links")


def kinds(problem: Problem) -> set[str]:
    """What a problem holds that a method can get wrong."""
    cluster, network = problem.cluster, problem.cluster.network
    found = {problem.energy, str(problem.link_rate), problem.latency, f"{len(cluster)} nodes"}
    found.add("pinned" if problem.pinned else "free")
    found.add("tiers" if cluster.tiers else "no tiers")
    found.add("in order" if problem.tier_order else "in any order")
    found |= {"connection"} if network.connection_s else set()
    found |= {"overhead"} if any(device.overhead_s for device in cluster.devices) else set()
    found |= {"no link"} if any(link.bytes_per_s is None for link in network.links) else set()
    found |= {"link"} if any(link.bytes_per_s is not None for link in network.links) else set()
    found |= {"memory"} if any(device.memory_bytes is not None for device in cluster.devices) else set()
    found |= {"load"} if problem.max_load != 1.0 else set()
    twins = [(device.flops_per_s, device.power_w, device.tier) for device in cluster.devices]
    found |= {"twins"} if len(set(twins)) < len(twins) else set()
    for application in problem.applications:
        net = application.network
        found |= {f"{len(net.blocks)} blocks", f"{len(net.exits)} exits"}
        found.add("a rate" if application.rate_per_s != 1 else "per inference")
        found |= {"own source"} if application.source is not None else set()
        found |= {"latency"} if application.latency_s < LOOSE_S else {"no latency"}
        found |= {"accuracy"} if application.accuracy else {"no accuracy"}
        found |= {"no bits"} if any(block.out_bits == 0 for block in net.blocks[:-1]) else set()
        found |= {"no work"} if any(block.ops == 0 for block in net.blocks) else set()
        accuracies = [leave.accuracy for leave in net.exits]
        found |= {"accuracy falls"} if accuracies != sorted(accuracies) else set()
        found |= {"hardly anybody leaves"} if any(leave.fraction < 0.01 for leave in net.exits) else set()
    return found


def test_problems_hold_everything_that_the_page_names() -> None:
    count = Counter(kind for seed in range(200) for kind in kinds(tiny_problem(seed, LIMITED[seed % 4])))
    expected = {
        *("expected", "unconditional", "min", "receiver", "worst", "2 nodes", "3 nodes", "pinned", "free"),
        *("tiers", "no tiers", "in order", "in any order", "connection", "overhead", "no link", "link", "memory"),
        *("load", "twins", "1 blocks", "2 blocks", "3 blocks", "4 blocks", "1 exits", "2 exits", "3 exits", "a rate"),
        *("per inference", "own source", "latency", "no latency", "accuracy", "no accuracy", "no bits", "no work"),
        *("accuracy falls", "hardly anybody leaves"),
    }
    assert {kind for kind in expected if count[kind] < 5} == set()


@pytest.mark.parametrize("limited", LIMITED)
@pytest.mark.parametrize("applications", [1, 2])
def test_the_same_seed_gives_the_same_problem_within_its_size(limited: Any, applications: int) -> None:
    for seed in range(15):
        problem = tiny_problem(seed, limited, applications, nodes=3, most_blocks=2)
        assert problem == tiny_problem(seed, limited, applications, nodes=3, most_blocks=2)
        assert len(problem.applications) == applications
        assert plan_count(problem) <= (3 + 9) ** applications


def test_optima_are_diverse() -> None:
    """In most of the feasible problems something is sent, in some over several links or to the cloud and not back."""
    count: Counter[str] = Counter()
    for seed in range(160):
        problem = tiny_problem(seed, LIMITED[seed % 4])
        judged, plan = min(feasible(problem), key=lambda found: found[0].energy_rate, default=(None, None))
        if judged is None or plan is None:
            count["infeasible"] += 1
            continue
        nodes = plan.placements[0].nodes
        count.update(moves=len(judged.links) > 0, twice=len(judged.links) > 1, away=len(set(nodes)) > 1)
        count["shallow"] += plan.placements[0].exit + 1 < len(problem.applications[0].network.exits)
    assert 10 < count["infeasible"] < 50
    assert count["moves"] > 45
    assert count["twice"] > 10
    assert count["shallow"] > 15


def test_shared_limits_are_drawn_only_where_they_are_asked_for() -> None:
    for seed in range(40):
        problem = tiny_problem(seed, "none")
        assert "memory" not in kinds(problem)
        assert "load" not in kinds(problem)
        assert least_energy(problem) == least_energy(problem, ("memory", "compute", "bandwidth"))


def test_random_plans_fit_their_problem() -> None:
    for seed in range(30):
        problem, draw = tiny_problem(seed, applications=2), Random(seed)
        for _ in range(5):
            evaluate(problem, random_plan(problem, draw))


def test_limits_are_met_exactly_somewhere() -> None:
    """Where a limit is what some plan needs, to the last bit, a comparison that is strict would show."""
    met = 0
    for seed in range(120):
        problem = tiny_problem(seed, "any")
        (application,) = problem.applications
        tighter = replace(application, latency_s=application.latency_s * (1 - 1e-6))
        met += least_energy(replace(problem, applications=(tighter,))) != least_energy(problem) < inf
    assert met > 2
