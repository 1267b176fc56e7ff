"""The generator of tiny problems is deterministic, keeps its limit, and is diverse: caps bind, every split pays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from iopt.graph.layers import BatchNorm, Conv2d, Linear, Pool
from iopt.partition.enumeration import best_plan
from iopt.partition.evaluation import evaluate
from iopt.partition.plan import Plan, Scatter, Split
from iopt.partition.problem import Problem
from tests.instances import plan_count, rescaled, tiny_problem

SEEDS = range(400)


def way(split: Split) -> str:
    if split.along == "rows":
        return "rows"
    if split.combine is None:
        return str(split.axis)
    return "IC scatter" if isinstance(split.combine, Scatter) else "IC direct"


def devices_of(plan: Plan) -> set[int]:
    return {device for split in plan.splits for device, (lo, hi) in enumerate(split.intervals) if hi > lo}


def figures(seeds: range, plan_limit: int) -> Counter[str]:
    """How many problems are capped, feasible, changed by their caps, and what their optima look like."""
    count: Counter[str] = Counter()
    for seed in seeds:
        problem = tiny_problem(seed, plan_limit=plan_limit)
        caps = [device.memory_bytes for device in problem.cluster.devices]
        found = best_plan(problem)
        if any(cap is not None for cap in caps):
            free = best_plan(replace(problem, cluster=problem.cluster.with_memory((None,) * len(caps))))
            assert free is not None
            count.update(["capped"], feasible=found is not None)
            count["changed"] += found is not None and found[1] > free[1] * (1 + 1e-9)
        if found is None:
            continue
        plan = found[0]
        count.update(["optima"], several=len(devices_of(plan)) > 1, three=len(devices_of(plan)) > 2)
        count.update({way(split) for split in plan.splits})
        count.update({f"split {way(split)}" for split in plan.splits if len(devices_of(Plan((split,)))) > 1})
    return count


def assert_diverse(count: Counter[str]) -> None:
    assert count["capped"] > 0.5 * count["optima"]
    assert 0.6 < count["feasible"] / count["capped"] < 0.95
    assert count["changed"] > 0.4 * count["capped"]
    assert count["several"] > 0.5 * count["optima"]
    assert count["three"] > 0.04 * count["optima"]
    for each in ("H", "OC", "IC direct", "IC scatter", "rows"):
        assert count[each] > 0.03 * count["optima"], each
        assert count[f"split {each}"] > 0.03 * count["optima"], each  # among several devices


def test_caps_bind_and_every_way_to_split_is_sometimes_best() -> None:
    assert_diverse(figures(SEEDS, 4000))


@pytest.mark.full
def test_caps_bind_and_every_way_to_split_is_sometimes_best_in_larger_ones() -> None:
    assert_diverse(figures(range(1000, 1400), 100_000))


def kinds(problem: Problem) -> set[str]:
    """What the layers of a network hold that an evaluator can get wrong."""
    found = {f"{len(problem.operators)} operators", f"{len(problem.cluster)} devices"}
    for operator in problem.operators:
        body = operator.body
        if isinstance(body, Conv2d):
            shared = "depthwise" if body.groups == operator.input_shape.channels > 1 else "grouped"
            more = operator.output_shape.channels > operator.input_shape.channels
            found.add("convolution" if body.groups == 1 else f"{shared}, multiplied" if more else shared)
            found |= {f"kernel {body.window.kernel[0]}", f"stride {body.window.stride[0]}"}
            found |= {f"dilation {body.window.dilation[0]}", f"padded {body.window.padding[0] > 0}"}
        if isinstance(body, Linear):
            found.add("linear after flatten" if operator.input_shape.height > 1 else "linear")
        if isinstance(body, Conv2d | Linear):
            found.add("bias" if body.bias else "no bias")
        if any(isinstance(step, BatchNorm) for step in operator.epilogue):
            found.add("batch norm")
        for pool, before, after in (
            (operator.pool, operator.pre_shape.height, operator.output_shape.height),
            (body if isinstance(body, Pool) else None, operator.input_shape.height, operator.pre_shape.height),
        ):
            if pool is None:
                continue
            found.add("pool" if pool is operator.pool else "pool of its own")
            found |= {pool.reduce, *(["ceil_mode"] if pool.ceil_mode else [])}
            if pool.window is None:
                found.add("adaptive up" if after > before else "adaptive, uneven" if before % after else "adaptive")
            else:
                found |= {"overlapping"} if pool.window.kernel[0] > pool.window.stride[0] else set()
                found |= {"padded pool"} if pool.window.padding[0] else set()
                found |= {"dilated pool"} if pool.window.dilation[0] > 1 else set()
    return found


def test_networks_hold_everything_that_the_page_names() -> None:
    count = Counter(kind for seed in range(400) for kind in kinds(tiny_problem(seed, caps="none")))
    expected = {
        *("1 operators", "2 operators", "3 operators", "4 operators", "1 devices", "2 devices", "3 devices"),
        *("convolution", "grouped", "grouped, multiplied", "depthwise", "depthwise, multiplied"),
        *("kernel 1", "kernel 2", "kernel 3", "kernel 4", "kernel 5", "stride 1", "stride 2", "stride 3"),
        *("dilation 1", "dilation 2", "padded True", "padded False", "linear", "linear after flatten"),
        *("bias", "no bias", "batch norm", "pool", "pool of its own", "max", "average", "ceil_mode"),
        *("adaptive", "adaptive up", "adaptive, uneven", "overlapping", "padded pool", "dilated pool"),
    }
    assert {kind for kind in expected if count[kind] < 4} == set()


def test_the_same_seed_gives_the_same_problem_within_its_limit() -> None:
    for seed in range(60):
        problem = tiny_problem(seed, plan_limit=2000)
        assert problem == tiny_problem(seed, plan_limit=2000)
        assert plan_count(problem) <= 2000


@pytest.mark.parametrize("caps", ["loose", "tight"])
def test_a_plan_keeps_loose_and_tight_caps(caps: str) -> None:
    for seed in range(25):
        problem = tiny_problem(seed, caps=caps, plan_limit=1500)  # type: ignore[arg-type]
        assert best_plan(problem) is not None


def test_a_rescaled_problem_has_the_same_best_plan() -> None:
    problem = tiny_problem(7, plan_limit=2000, caps="none")
    found, scaled = best_plan(problem), best_plan(rescaled(problem, 2.0**-20))
    assert found is not None
    assert scaled is not None
    assert scaled[0] == found[0]
    assert evaluate(problem, scaled[0]).latency_s == pytest.approx(scaled[1] * 2.0**20)
