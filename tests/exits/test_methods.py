"""Methods by name: what each returns, what is refused, and why there is no placement."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from experiments.exits_instances import drawn
from iopt.errors import OptionError
from iopt.exits import methods
from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import geometry
from iopt.exits.infeasible import impossible
from iopt.exits.limits import Limits
from iopt.exits.methods import METHODS, compare, method_names, solve
from iopt.exits.paths import path_weight
from iopt.exits.problem import Problem
from iopt.exits.search import pareto as pareto_search
from iopt.exits.search.pareto import Found
from iopt.result import ACCURACY, INTERRUPTED, Progress, Result, Status
from tests.exits.by_hand import three
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible, judge, least_energy

EXACT = ("exact", "pareto", "milp")


def assert_honest(problem: Problem, result: Result[Any], best: float) -> None:
    """What a result says of its plan, its bound and its status is so."""
    if result.bound is not None:
        assert result.bound <= best * (1 + ACCURACY), result.method
    if result.status is Status.INFEASIBLE:
        assert best == inf, result.method
        assert result.plan is None
        assert result.message
    if result.status is Status.UNKNOWN and result.plan is None and result.method not in EXACT:
        assert result.message, result.method
    if result.plan is None:
        assert result.objective is None
        assert result.status in (Status.INFEASIBLE, Status.UNKNOWN)
        return
    judged = judge(problem, result.plan)
    assert result.objective == evaluate(problem, result.plan).energy_j == pytest.approx(judged.energy_rate, rel=1e-12)
    assert (result.status in (Status.OPTIMAL, Status.FEASIBLE)) == (not judged.broken), result.method
    assert bool(result.message) == bool(judged.broken)
    if not judged.broken:
        assert result.objective >= best * (1 - 1e-9), result.method
    if result.status is Status.OPTIMAL:
        assert result.objective <= best * (1 + 1e-6 + ACCURACY), result.method
    assert result.runtime_s >= 0


@pytest.mark.parametrize("limited", ["none", "any", "all"])
def test_every_method_is_honest_about_one_application(limited: Any) -> None:
    for seed in range(14):
        problem = tiny_problem(seed, limited)
        best = least_energy(problem)
        results = [*compare(problem), solve(problem, "exact"), solve(problem, "sequential"), solve(problem, "reroute")]
        for result in results:
            assert_honest(problem, result, best)
        if impossible(problem):
            assert {result.method for result in results} == {"first checks"}
            continue
        assert {result.method for result in results} == set(method_names(problem)) - {"exact"}
        for result in results:
            if result.method in ("pareto", "milp"):
                assert result.status is (Status.INFEASIBLE if best == inf else Status.OPTIMAL)


@pytest.mark.parametrize("limited", ["any", "all", "links"])
def test_every_method_is_honest_about_two(limited: Any) -> None:
    for seed in range(6):
        problem = tiny_problem(seed, limited, applications=2, most_blocks=3)
        best = least_energy(problem)
        results = list(compare(problem))
        for result in results:
            assert_honest(problem, result, best)
        assert [result.method for result in results][-1] == ("first checks" if impossible(problem) else "milp")
        assert "pareto" not in [result.method for result in results]
        assert results[-1].status is (Status.INFEASIBLE if best == inf else Status.OPTIMAL)


def test_exact_is_pareto_for_one_and_milp_for_several() -> None:
    assert solve(three()).method == "pareto"
    several = next(p for seed in range(20) if least_energy(p := tiny_problem(seed, "none", 2, most_blocks=2)) < inf)
    assert solve(several).method == "milp"


def test_exact_goes_on_with_milp_where_labels_prove_too_little() -> None:
    problem = drawn(20, 8, 3, memory=0.2)
    few = solve(problem, "pareto", labels=300, gap=0.0)
    assert few.status is not Status.OPTIMAL
    assert few.bound is not None
    result = solve(problem, "exact", labels=300, gap=0.0)
    assert result.method == "milp"
    assert result.status is Status.OPTIMAL
    assert result.objective == solve(problem, "milp", gap=0.0).objective
    assert result.bound is not None
    assert result.bound >= few.bound
    assert [progress.runtime_s for progress in result.history] == sorted(p.runtime_s for p in result.history)


def test_what_labels_prove_is_kept_where_milp_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = drawn(20, 8, 3, memory=0.2)
    first = Found(None, inf, 1.5)
    second = Result[Any]("milp", Status.UNKNOWN, None, None, 1.25, 0.0)
    monkeypatch.setattr(methods, "pareto", lambda *_, **__: first)
    monkeypatch.setattr(methods, "_milp", lambda *_: second)
    assert (result := solve(problem)).bound == 1.5
    assert (result.method, result.status, result.plan) == ("milp", Status.UNKNOWN, None)
    monkeypatch.setattr(methods, "_milp", lambda *_: replace(second, bound=1.75))
    assert solve(problem).bound == 1.75
    monkeypatch.setattr(methods, "_milp", lambda *_: replace(second, status=Status.INFEASIBLE, bound=None))
    assert solve(problem).bound is None


def test_methods_are_those_listed_and_one_per_tier() -> None:
    assert method_names(three()) == [*METHODS, "all-low", "all-middle", "all-high"]
    assert all(method.name == name and method.summary for name, method in METHODS.items())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "pareta"}, "unknown method 'pareta'; did you mean 'pareto'?"),
        ({"method": "all-cloud"}, "unknown method 'all-cloud'"),
        ({"method": 3}, "unknown method 3"),
        ({"gamma": 0}, "gamma is 0; expected a whole number, 1 or more"),
        ({"gamma": 2.5}, "gamma is 2.5"),
        ({"gamma": True}, "gamma is"),
        ({"proximity": -1}, "lambda is -1; expected a whole number, 0 or more"),
        ({"gamma": 5, "proximity": 6}, "lambda is 6, above gamma, 5"),
        ({"time_limit_s": 0}, "time limit is 0"),
        ({"time_limit_s": float("nan")}, "time limit is nan"),
        ({"gap": 1.0}, "gap is 1"),
        ({"gap": -0.1}, "gap is -0.1"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        solve(three(), **{"method": "fin", **options})


def test_pareto_is_for_one_application() -> None:
    with pytest.raises(OptionError, match="pareto is for one application, there are 2"):
        solve(tiny_problem(0, "none", 2, most_blocks=2), "pareto")


@pytest.mark.parametrize("name", ["pareto", "milp"])
def test_progress_is_reported_and_never_goes_back(name: str) -> None:
    for seed in range(10):
        problem, seen = tiny_problem(seed, "all"), []
        result = solve(problem, name, on_progress=seen.append)
        assert tuple(seen) == result.history
        known: list[Progress] = seen
        bounds = [progress.bound for progress in known if progress.bound is not None]
        assert bounds == sorted(bounds)
        energies = [progress.incumbent for progress in known if progress.incumbent is not None]
        assert energies == sorted(energies, reverse=True)


def test_a_plan_to_start_from_is_never_lost() -> None:
    for seed in range(12):
        problem = tiny_problem(seed, "all", applications=2, most_blocks=2)
        plans = sorted(feasible(problem), key=lambda found: -found[0].energy_rate)
        if plans:
            worst = solve(problem, "milp", starts=[plans[0][1]], time_limit_s=1e-9)
            assert worst.objective is not None
            assert worst.objective <= plans[0][0].energy_rate * (1 + 1e-12)
            assert worst.bound is None or worst.bound <= plans[-1][0].energy_rate * (1 + 1e-9)
            best = solve(problem, "milp", starts=[plan for _, plan in plans])
            assert best.objective == pytest.approx(plans[-1][0].energy_rate, rel=1e-9)


# Why there is none


def test_an_accuracy_out_of_reach_names_the_best() -> None:
    asked = replace(three(), applications=(replace(three().applications[0], accuracy=0.95),))
    expected = "net: accuracy 0.95 is out of reach: the best exit of net has 0.9"
    assert impossible(asked) == expected
    for name in method_names(asked):
        result = solve(asked, name)
        assert (result.status, result.message) == (Status.INFEASIBLE, expected)
        assert result.method == "first checks"  # and not one that never ran
    assert [(result.method, result.message) for result in compare(asked)] == [("first checks", expected)]


def test_a_latency_out_of_reach_names_the_least() -> None:
    asked = three(latency_s=3.9)
    expected = "net: latency 3900 ms is out of reach: the least that any placement takes is 4000 ms"
    assert impossible(asked) == expected
    assert solve(asked, "fin").message == expected


def latency_named(message: str) -> float:
    match = re.fullmatch(r"app-0: latency .* is out of reach: the least that any placement takes is (\S+) ms", message)
    assert match is not None, message
    return float(match[1]) / 1e3


def test_the_latency_named_can_be_had() -> None:
    looked_at = 0
    for seed in range(200):
        problem = tiny_problem(seed, "none")
        (application,) = problem.applications
        message = impossible(replace(problem, applications=(replace(application, latency_s=1e-12),)))
        if "latency" not in message:
            continue
        looked_at += 1
        least = latency_named(message)
        for latency, there_is in ((least * (1 + 1e-5), True), (least * (1 - 1e-5), False)):
            asked = replace(problem, applications=(replace(application, latency_s=latency),))
            assert (impossible(asked) == "") is there_is
            assert (least_energy(asked, ("compute", "memory", "bandwidth")) < inf) is there_is
        if looked_at == 40:
            break
    assert looked_at == 40


def test_to_stay_on_the_source_always_follows_links_and_tiers() -> None:
    """So only an accuracy or a latency can be out of reach of an application that is alone."""
    for seed in range(60):
        problem = tiny_problem(seed, "all")
        shape = geometry(problem, 0)
        assert path_weight(shape.energy, shape.source, (shape.source,) * shape.depth) < inf


def test_each_application_is_named() -> None:
    (application,) = three().applications
    both = (replace(application, accuracy=0.95, name="one"), replace(application, latency_s=1.0, name="two"))
    message = impossible(replace(three(), applications=both))
    assert message.split("; ")[0].startswith("one: accuracy 0.95 is out of reach")
    assert message.split("; ")[1].startswith("two: latency 1000 ms is out of reach")


def test_impossible_is_empty_where_there_is_a_plan() -> None:
    said = 0
    for seed in range(120):
        problem = tiny_problem(seed, "none")
        message = impossible(problem)
        assert bool(message) == (least_energy(problem, ("compute", "memory", "bandwidth")) == inf)
        said += bool(message)
    assert said > 5


def test_an_interrupt_leaves_the_best_plan_of_pareto(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = drawn(20, 8, 3, memory=0.2)
    widths = []

    def widen(search: Any, width: int, *rest: Any) -> None:
        widths.append(width)
        if len(widths) > 1:
            raise KeyboardInterrupt
        original(search, width, *rest)

    original = pareto_search._Search.widen
    monkeypatch.setattr(pareto_search._Search, "widen", widen)
    for method in ("pareto", "exact"):
        widths.clear()
        result = solve(problem, method)
        assert result.status is Status.FEASIBLE
        assert result.message == INTERRUPTED
        assert result.plan is not None
    widths.clear()
    with pytest.raises(KeyboardInterrupt):
        pareto_search.pareto(geometry(problem, 0), Limits.of(problem))
