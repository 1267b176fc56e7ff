"""The dynamic programme: exact over its candidates, never slower than its seeds, and within memory caps."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

import numpy as np
import pytest

from iopt.cluster import Charge
from iopt.partition import enumeration
from iopt.partition.decisions import split_code
from iopt.partition.evaluation import Evaluator, evaluate
from iopt.partition.geometry import IC, IC_ROWS, OC, H, Ints
from iopt.partition.heuristics import plan_coedge, plan_iop, plan_modnn, plan_oc, plan_single
from iopt.partition.methods import start_plans
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from iopt.partition.search import plan_dp
from iopt.partition.search.candidates import Candidates, candidates
from iopt.partition.search.chain import Chain
from iopt.partition.search.neighbours import neighbours
from tests.instances import chain, cluster, conv, draw_plan, linear, max_pool, tiny_problem
from tests.partition.networks import (
    ALEXNET,
    CAL_LATENCY_MS,
    CAL_NETWORKS,
    LENET,
    VGG19,
    agrees,
    cal,
    latency_ms,
    mixed,
    tight,
)
from tests.partition.test_heuristics import MOBILE, lengths

NONE: Ints = np.zeros((0, 1), dtype=np.int64)


def heuristic_plans(problem: Problem) -> list[Plan]:
    return [
        plan_single(problem),
        plan_oc(problem),
        plan_coedge(problem),
        plan_iop(problem),
        plan_iop(problem, combine="scatter", fc="oc"),
    ]


def options(problem: Problem, index: int, own: Candidates) -> list[Split]:
    """Every split of an operator that the programme may choose, spelled out."""
    name = problem.operators[index].name
    found = [Split(name, Axis.H, intervals_from(shares)) for shares in own.get(H, NONE).tolist()]
    channels = [intervals_from(shares) for shares in own[OC].tolist()]
    found += [Split(name, Axis.OC, intervals) for intervals in channels]
    for code in (IC, IC_ROWS):
        for shares in own.get(code, NONE).tolist():
            combines: list[Direct | Scatter] = [Direct(), *map(Scatter, channels)]
            for combine in combines:
                along: Literal["rows"] | None = "rows" if code == IC_ROWS else None
                found.append(Split(name, Axis.IC, intervals_from(shares), along, combine))
    return found


def best_of_all(problem: Problem, seeds: Sequence[Plan], monkeypatch: pytest.MonkeyPatch) -> float | None:
    """Least latency over every combination of candidates, by enumeration; None if there are too many."""
    own = candidates(problem, Evaluator(problem).geometry, seeds)
    choices = [options(problem, index, given) for index, given in enumerate(own)]
    if np.prod([len(some) for some in choices], dtype=object) > 60_000:
        return None
    monkeypatch.setattr(enumeration, "splits", lambda _, index: choices[index])
    found = enumeration.best_plan(problem)
    assert found is not None
    return found[1]


def test_exact_over_its_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    for seed in range(90):
        problem = tiny_problem(seed, devices=(1, 2, 3), operators=(2, 3), caps="none", plan_limit=10**9)
        seeds = [draw_plan(Random(seed), problem)]
        expected = best_of_all(problem, seeds, monkeypatch)
        if expected is not None:
            compared += 1
            plan = plan_dp(problem, seeds, improve=False)
            assert evaluate(problem, plan).latency_s == pytest.approx(expected, rel=1e-12)
    assert compared > 30


@pytest.mark.parametrize("seed", range(30))
def test_value_of_the_path_is_that_of_its_plan(seed: int) -> None:
    problem = tiny_problem(seed, devices=(2, 3, 5), operators=(3, 5), caps="none", plan_limit=10**12)
    evaluator = Evaluator(problem)
    path = Chain.of(evaluator, candidates(problem, evaluator.geometry))
    plan, value = path.shortest(path.costs())
    assert evaluator(plan).latency_s == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_never_slower_than_its_seeds(seed: int) -> None:
    """Also without comparing: the path over candidates alone reaches every seed's value."""
    problem = tiny_problem(seed, devices=(2, 3, 4, 6), operators=(3, 5), caps="none", plan_limit=10**12)
    rng, evaluator = Random(seed), Evaluator(problem)
    seeds = [*heuristic_plans(problem), *(draw_plan(rng, problem) for _ in range(5))]
    path = Chain.of(evaluator, candidates(problem, evaluator.geometry, seeds))
    value = path.shortest(path.costs())[1]
    assert value <= min(evaluator(plan).latency_s for plan in seeds) * (1 + 1e-12)
    assert evaluator(plan_dp(problem, seeds)).latency_s <= value * (1 + 1e-12)


def test_candidates_hold_every_share_of_the_seeds() -> None:
    for seed in range(20):
        problem = tiny_problem(seed, devices=3, operators=3, caps="none", plan_limit=10**9)
        plan = draw_plan(Random(seed), problem)
        for own, split in zip(candidates(problem, Evaluator(problem).geometry, [plan]), plan.splits, strict=True):
            assert lengths(split.intervals) in own[split_code(split)].tolist()
            if isinstance(split.combine, Scatter):
                assert lengths(split.combine.intervals) in own[OC].tolist()


@pytest.mark.parametrize("network", ["alexnet", "vgg11"])
def test_reaches_the_optimum_on_equal_devices(network: str) -> None:
    problem = Problem(CAL_NETWORKS[network], cal())
    assert agrees(latency_ms(problem, plan_dp(problem)), CAL_LATENCY_MS["optimum"][network])


def test_reference_of_lenet() -> None:
    """The optimum, 2.68218 ms, has shares that are not among the candidates."""
    problem = Problem(LENET, cal())
    assert float(CAL_LATENCY_MS["optimum"]["lenet"]) < latency_ms(problem, plan_dp(problem)) < 2.75


def test_rows_that_are_done_earliest_are_candidates() -> None:
    """Shares of few rows in proportion to FLOP/s are far from the best; with these it is found."""
    problem = Problem(ALEXNET, mixed(4))
    assert latency_ms(problem, plan_dp(problem, start_plans(problem))) == pytest.approx(269.537, rel=1e-5)


@pytest.mark.parametrize("charge", list(Charge))
def test_beats_every_heuristic_on_unequal_devices(charge: Charge) -> None:
    problem = Problem(ALEXNET, cal(6, charge))
    seeds = heuristic_plans(problem)
    assert latency_ms(problem, plan_dp(problem, seeds)) < min(latency_ms(problem, plan) for plan in seeds)


def test_local_moves_only_help() -> None:
    problem = Problem(ALEXNET, mixed(8))
    fixed, moved = plan_dp(problem, improve=False), plan_dp(problem)
    assert latency_ms(problem, moved) < 0.99 * latency_ms(problem, fixed)


def test_neighbours_share_out_everything() -> None:
    problem = Problem(MOBILE, cluster((1.0, 2.0, 3.0)))
    evaluator, plan = Evaluator(problem), plan_iop(problem)
    for part in (0.5, 0.01):
        for index, own in enumerate(neighbours(evaluator.geometry, plan, part)):
            for code, shares in own.items():
                assert (shares.sum(axis=1) == evaluator.geometry.size[index, code]).all()
                assert (shares >= 0).all()
                assert not (shares % evaluator.geometry.unit[index, code]).any()


def test_seeds_through_the_source_lend_their_shares_only() -> None:
    problem = Problem(ALEXNET, mixed(4))
    plan = plan_dp(problem, [plan_modnn(problem)])
    assert all(split.via is None for split in plan.splits)


def test_same_input_same_plan() -> None:
    for given in (mixed(5), tight(ALEXNET, mixed(5))):
        problem = Problem(ALEXNET, given)
        assert plan_dp(problem) == plan_dp(Problem(ALEXNET, given))


def test_one_device_and_more_devices_than_anything_to_share() -> None:
    alone = Problem(LENET, cal(1))
    assert latency_ms(alone, plan_dp(alone)) == pytest.approx(latency_ms(alone, plan_single(alone)), rel=1e-12)
    problem = Problem(chain("slim", (1, 3, 3), [conv(2, 2), linear(2)]), cluster((1.0,) * 12, source=5, sink=11))
    assert evaluate(problem, plan_dp(problem)).latency_s > 0


def test_no_operator_may_be_beyond_reach() -> None:
    """Groups, pools and batch norms on their own, on devices of which some are useless."""
    problem = Problem(MOBILE, cluster((1e6, 1e-3, 1e6), (1e5, 1e5, 1e-3), overhead_s=(0.0, 0.0, 1e3)))
    assert latency_ms(problem, plan_dp(problem)) <= latency_ms(problem, plan_single(problem))


@pytest.mark.parametrize("devices", [4, 8])
def test_tight_caps_are_kept(devices: int) -> None:
    """Where the plan without caps breaks them, one that keeps them is found, and it costs little."""
    for graph, most in ((ALEXNET, 1.2), (VGG19, 1.2)):
        free, capped = Problem(graph, mixed(devices)), Problem(graph, tight(graph, mixed(devices)))
        fastest, plan = plan_dp(free, improve=False), plan_dp(capped, improve=False)
        assert not evaluate(capped, fastest).is_feasible
        assert evaluate(capped, plan).is_feasible
        assert latency_ms(capped, plan) < most * latency_ms(free, fastest)


def test_caps_on_tiny_problems() -> None:
    """Against enumeration: never better, and seldom more than a tenth slower or without a plan."""
    near, seeds = 0, range(50)
    for seed in seeds:
        problem = tiny_problem(seed, caps="tight", plan_limit=10_000)
        best = enumeration.best_plan(problem)
        assert best is not None
        evaluation = evaluate(problem, plan_dp(problem, heuristic_plans(problem)))
        if evaluation.is_feasible:
            near += evaluation.latency_s < best[1] * 1.1
            assert evaluation.latency_s >= best[1] * (1 - 1e-12)
    assert near >= 0.9 * len(seeds)


def test_a_seed_that_keeps_the_caps_is_never_lost() -> None:
    for seed in range(30):
        problem = tiny_problem(seed, caps="tight", plan_limit=5_000)
        best = enumeration.best_plan(problem)
        assert best is not None
        evaluation = evaluate(problem, plan_dp(problem, [best[0]]))
        assert evaluation.is_feasible
        assert evaluation.latency_s == pytest.approx(best[1], rel=1e-12)


def test_least_violation_where_nothing_fits() -> None:
    graph = chain("heavy", (4, 6, 6), [conv(8, pooling=max_pool(2)), linear(10)])
    problem = Problem(graph, cluster((1.0, 1.0), memory_bytes=(100, 100_000)))
    evaluation = evaluate(problem, plan_dp(problem))
    assert evaluation.is_feasible
    hopeless = Problem(graph, cluster((1.0, 1.0), memory_bytes=(100, 200)))
    assert evaluate(hopeless, plan_dp(hopeless)).violations
