"""Fronts against brute force over every plan."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from iopt.errors import OptionError
from iopt.exits.evaluation import evaluate
from iopt.exits.fronts import front, threshold_front
from iopt.exits.problem import Problem
from iopt.exits.thresholds import Variant, measured
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible, judge, judge_one, placements

LIMITED = ("none", "any", "all", "links")


def rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{value:.9e}") for value in values)


def best(points: set[tuple[float, ...]]) -> set[tuple[float, ...]]:
    """Those that no other point equals or beats in all; less is better."""
    return {
        point
        for point in points
        if not any(other != point and all(a <= b for a, b in zip(other, point, strict=True)) for other in points)
    }


def brute(problem: Problem) -> set[tuple[float, ...]]:
    """Energy, latency and lost accuracy of every feasible plan that is on the front."""
    found = {rounded((judged.energy_rate, judged.latency[0], -judged.accuracy[0])) for judged, _ in feasible(problem)}
    return best(found)


def assert_front(problem: Problem) -> int:
    found, expected = front(problem), brute(problem)
    assert found.is_complete
    values = [rounded((point.energy_j, point.latency_s, -point.accuracy)) for point in found.points]
    assert len(values) == len(set(values))
    assert set(values) == expected
    assert [point.energy_j for point in found.points] == sorted(point.energy_j for point in found.points)
    for point in found.points:
        judged = evaluate(problem, point.plan)
        assert judged.is_feasible
        (cost,) = judged.applications
        assert judged.energy_j == pytest.approx(point.energy_j, rel=1e-12)
        assert cost.latency_s == pytest.approx(point.latency_s, rel=1e-12)
        assert cost.accuracy == point.accuracy
        leave = problem.applications[0].network.exits[point.plan.placements[0].exit]
        assert (leave.name, leave.accuracy) == (point.exit, point.accuracy)
        assert point.thresholds is None
    return len(values)


@pytest.mark.parametrize("limited", LIMITED)
def test_the_front_is_that_of_every_plan(limited: Any) -> None:
    sizes = [assert_front(tiny_problem(seed, limited)) for seed in range(30)]
    assert sum(size > 1 for size in sizes) > 8
    assert sizes.count(0) > 0


@pytest.mark.parametrize("limited", LIMITED)
def test_the_front_with_no_target_is_that_of_every_plan(limited: Any) -> None:
    """No accuracy asked for, ample latency: more exits and more placements to choose from."""
    sizes = []
    for seed in range(30):
        problem = tiny_problem(seed, limited)
        application = replace(problem.applications[0], accuracy=0.0, latency_s=1e3)
        sizes.append(assert_front(replace(problem, applications=(application,))))
    assert max(sizes) > 5


@pytest.mark.full
@pytest.mark.parametrize("limited", LIMITED)
def test_the_front_is_that_of_every_plan_on_more(limited: Any) -> None:
    for seed in range(1000, 1150):
        problem = tiny_problem(seed, limited, nodes=4, most_blocks=4)
        assert_front(problem)
        assert_front(replace(problem, applications=(replace(problem.applications[0], accuracy=0.0, latency_s=1e3),)))


def variants(problem: Problem, draw: Random, count: int) -> list[Variant]:
    """The network with fractions and accuracies of made-up thresholds."""
    network = problem.applications[0].network
    found = []
    for index in range(count):
        shares = np.array([draw.uniform(0.05, 1) for _ in network.exits])
        accuracies = np.array([round(draw.uniform(0.3, 1), 2) for _ in network.exits])
        found.append(Variant((index / 10,), measured(network, shares / shares.sum(), accuracies)))
    return found


@pytest.mark.parametrize("limited", LIMITED)
def test_the_front_over_thresholds_is_that_of_every_plan_of_every_variant(limited: Any) -> None:
    points = 0
    for seed in range(20):
        problem, draw = tiny_problem(seed, limited, most_blocks=3), Random(seed)
        problem = replace(problem, applications=(replace(problem.applications[0], accuracy=0.4),))
        choices = variants(problem, draw, 5)
        every: set[tuple[float, ...]] = set()
        for choice in choices:
            varied = replace(problem, applications=(replace(problem.applications[0], network=choice.network),))
            every |= {rounded((judged.energy_rate, -judged.accuracy[0])) for judged, _ in feasible(varied)}
        found = threshold_front(problem, choices)
        assert found.is_complete
        values = [rounded((point.energy_j, -point.accuracy)) for point in found.points]
        assert len(values) == len(set(values))
        assert set(values) == best(every)
        points += len(values)
        for point in found.points:
            (choice,) = (each for each in choices if each.thresholds == point.thresholds)
            varied = replace(problem, applications=(replace(problem.applications[0], network=choice.network),))
            judged = judge(varied, point.plan)
            assert not judged.broken
            assert judged.energy_rate == pytest.approx(point.energy_j, rel=1e-9)
            assert judged.latency[0] == pytest.approx(point.latency_s, rel=1e-9)
            assert judged.accuracy[0] == point.accuracy
    assert points > 15


def test_a_front_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.exits.fronts.WIDTH", 1)
    cut = 0
    for seed in range(30):
        problem = tiny_problem(seed, "none")
        found, expected = front(problem), brute(problem)
        values = {rounded((point.energy_j, point.latency_s, -point.accuracy)) for point in found.points}
        if found.is_complete:
            assert values == expected
        else:
            cut += 1
            known = {rounded((j.energy_rate, j.latency[0], -j.accuracy[0])) for j, _ in feasible(problem)}
            assert values <= known
    assert cut > 5


def test_a_front_is_of_one_application() -> None:
    several = tiny_problem(0, "none", applications=2, most_blocks=2)
    for call in (lambda: front(several), lambda: threshold_front(several, [])):
        with pytest.raises(OptionError, match="a front is of one application; there are 2"):
            call()


def test_no_variant_no_point() -> None:
    problem = tiny_problem(0, "none")
    assert threshold_front(problem, []).points == ()
    least = min(judge_one(problem, 0, each).latency[0] for each in placements(problem, 0))
    tight = replace(problem, applications=(replace(problem.applications[0], latency_s=0.9 * least),))
    assert front(tight).points == ()
    assert front(tight).is_complete
