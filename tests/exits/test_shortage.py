"""Why there is no placement: only what is so, with the amounts where they are known."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from math import inf
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.exits_instances import drawn
from iopt.exits import Application, Block, Exit, ExitNetwork, infeasible
from iopt.exits.demand import _demands, overruns
from iopt.exits.geometry import Geometry
from iopt.exits.infeasible import impossible, shortage
from iopt.exits.limits import Limits
from iopt.exits.methods import solve
from iopt.exits.problem import Problem
from iopt.exits.search.pareto import Found
from iopt.result import Status
from tests.exits.by_hand import three
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible, least_energy


def short_of(problem: Problem) -> set[str]:
    """The kinds of limit without which there would be a plan."""
    return {
        kind
        for kind in ("memory", "compute", "links")
        if least_energy(problem, ("bandwidth",) if kind == "links" else (kind,)) < inf
    }


def test_the_shortage_names_what_is_short() -> None:
    named = {"memory": 0, "compute": 0}
    for seed in range(250):
        problem = tiny_problem(seed, ("any", "all")[seed % 2])
        if impossible(problem) or least_energy(problem) < inf:
            continue
        message, expected = shortage(problem), short_of(problem)
        assert solve(problem).message == message
        first = message.split("; ")[0]
        assert expected
        match = re.fullmatch(r"app-0: the limits on (.*) leave no room for it", first)
        assert match is not None
        assert set(match[1].split(" and on ")) == expected
        for kind in expected & set(named):
            named[kind] += 1
    assert min(named.values()) > 3, named


def test_links_that_are_too_narrow_are_named() -> None:
    """Block 2 does not fit on `a`; the 8 bits to the others a second fit once, not twice a second."""
    problem = three(latency_s=100.0)
    devices = (replace(problem.cluster.devices[0], memory_bytes=1), *problem.cluster.devices[1:])
    (application,) = problem.applications
    net = application.network
    net = replace(net, blocks=(net.blocks[0], replace(net.blocks[1], weight_bytes=2), net.blocks[2]))
    for rate, expected in ((1.0, None), (1.01, "net: the limits on memory and on links leave no room for it")):
        asked = replace(
            problem,
            applications=(replace(application, network=net, rate_per_s=rate),),
            cluster=replace(problem.cluster, devices=devices),
        )
        result = solve(asked)
        if expected is None:
            assert result.status is Status.OPTIMAL
        else:
            assert result.status is Status.INFEASIBLE
            assert result.message == expected


def test_together_they_do_not_fit() -> None:
    problem = three(latency_s=100.0)
    (application,) = problem.applications
    net = replace(
        application.network, blocks=tuple(replace(block, weight_bytes=1) for block in application.network.blocks)
    )
    devices = tuple(replace(device, memory_bytes=2) for device in problem.cluster.devices)
    asked = tuple(replace(application, network=net, name=name) for name in ("one", "two", "three"))
    asked_of = replace(problem, applications=asked, cluster=replace(problem.cluster, devices=devices))
    assert solve(replace(asked_of, applications=asked[:1])).status is Status.OPTIMAL
    result = solve(asked_of)
    assert result.status is Status.INFEASIBLE
    assert result.message == (
        "each application fits alone, all of them together do not; "
        "all devices together: memory: at least 9 bytes of weights are needed, the limit is 6; "
        "a: memory: at least 3 bytes of weights are needed, the limit is 2"
    )


# What is needed at least


def tightened(seed: int, scale: float) -> Problem:
    """Three applications of one or two blocks, with so much of what they can share."""
    problem = tiny_problem(seed, "all", applications=3, most_blocks=2)
    devices = tuple(
        replace(device, memory_bytes=device.memory_bytes and max(1, int(device.memory_bytes * scale)))
        for device in problem.cluster.devices
    )
    return replace(problem, max_load=problem.max_load * scale, cluster=replace(problem.cluster, devices=devices))


def test_what_is_above_a_limit_leaves_no_plan() -> None:
    found = {"compute": 0, "memory": 0, "links": 0}
    for seed in range(120):
        problem = tightened(seed, (0.5, 0.7)[seed % 2])
        over = [] if impossible(problem) else list(overruns(problem))
        for overrun in over:
            found[overrun.kind] += 1
        if over:
            assert least_energy(problem) == inf, [*map(str, over)]
    assert found["compute"] > 5
    assert found["memory"] > 5


def test_no_plan_uses_less_than_the_least() -> None:
    """And some plan of a single application uses just that."""
    equal = looked_at = 0
    for seed in range(60):
        problem = tiny_problem(seed, "none", applications=1 + seed % 2, most_blocks=2)
        demands = list(_demands(problem, Limits.of(problem)))
        plans = [judged for judged, _ in feasible(problem)]
        if not plans:
            continue
        for node in range(len(problem.cluster)):
            here = np.arange(len(problem.cluster)) == node
            for kind in ("compute", "memory"):
                least = sum(d.least(getattr(d.shape, kind)[:, None, None] * here) for d in demands)
                used = min(getattr(judged, kind).get(node, 0.0) for judged in plans)
                looked_at += 1
                assert least <= used * (1 + 1e-12)
                equal += len(demands) == 1 and least == pytest.approx(used)
    assert looked_at > 100
    assert equal > 40


def pair(weight: int, memory: int) -> Problem:
    """Two applications whose first blocks stay on their source, `a`; each fits there alone."""
    problem = three(latency_s=100.0)
    (application,) = problem.applications
    net = application.network
    net = replace(net, blocks=(replace(net.blocks[0], weight_bytes=weight), *net.blocks[1:]))
    devices = (replace(problem.cluster.devices[0], memory_bytes=memory), *problem.cluster.devices[1:])
    apps = tuple(replace(application, network=net, name=name) for name in ("one", "two"))
    return replace(problem, applications=apps, cluster=replace(problem.cluster, devices=devices))


def test_the_device_that_is_short_is_named_with_both_amounts() -> None:
    result = solve(pair(3000, 4500))
    assert result.status is Status.INFEASIBLE
    assert result.message == (
        "each application fits alone, all of them together do not; "
        "a: memory: at least 6,000 bytes of weights are needed, the limit is 4,500"
    )
    assert solve(pair(3000, 6000)).status is Status.OPTIMAL


def test_links_that_all_need_are_named() -> None:
    """Blocks 2 and 3 do not fit on `a`, from where two links go that carry 8 bits a second each."""
    problem = pair(0, 1)
    (application, _) = problem.applications
    blocks = application.network.blocks
    net = replace(application.network, blocks=(blocks[0], *(replace(block, weight_bytes=2) for block in blocks[1:])))
    apps = tuple(replace(application, network=net, name=name, rate_per_s=0.9) for name in ("one", "two", "three"))
    result = solve(replace(problem, applications=apps))
    assert result.status is Status.INFEASIBLE
    assert result.message == (
        "each application fits alone, all of them together do not; "
        "a: links out: at least 21.6 bit/s are needed, the limit is 16"
    )
    assert solve(replace(problem, applications=apps[:2])).status is Status.OPTIMAL


def test_more_than_one_kind_may_be_short() -> None:
    problem = pair(2, 1)
    (application, _) = problem.applications
    asked = replace(problem, applications=(replace(application, rate_per_s=60.0),))
    assert solve(asked).message == (
        "one: the shared limits leave no room for it; more than one kind of memory, compute, links is short; "
        "a: compute: at least 120 op/s are needed, the limit is 100; "
        "a: memory: at least 2 bytes of weights are needed, the limit is 1"
    )


def test_that_each_fits_alone_is_said_only_where_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infeasible, "pareto", lambda *_: Found(None, inf, 0.0))
    assert shortage(pair(3000, 4500)).startswith("the applications do not fit together within the shared limits; a: ")
    assert shortage(drawn(5, 4, 1)) == "app-1: the shared limits leave no room for it"


def test_the_reasons_have_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks when it is read: what is looked at ends with the limit, not with the applications."""
    problem, ticks, asked = drawn(5, 4, 1, applications=40), count(), []

    def place(shape: Geometry, *_: object) -> Found:
        asked.append(shape.name)
        return Found((0,) * shape.depth, 1.0, 1.0)

    monkeypatch.setattr(infeasible, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))
    monkeypatch.setattr(infeasible, "overruns", lambda *_: iter(()))
    monkeypatch.setattr(infeasible, "pareto", place)
    assert shortage(problem, time_limit_s=20.0) == "the applications do not fit together within the shared limits"
    assert len(asked) == 10  # the clock is read twice for each
    asked.clear()
    assert shortage(problem, time_limit_s=1e3).startswith("each application fits alone")
    assert len(asked) == 40


def test_sums_are_not_taken_without_time() -> None:
    problem = drawn(5, 4, 1, applications=40, memory=1e-3)
    assert list(overruns(problem))
    read = count()
    assert list(overruns(problem, lambda: next(read) < 0)) == []
    assert next(read) == 41  # once per application, and once more


def test_the_least_latency_can_be_asked_for() -> None:
    """It is rounded up: the number given back is enough."""
    ops = 1e9 / 3
    network = ExitNetwork("net", 8.0, (Block("b", ops, 0.0),), (Exit("e", 1, 1.0, 0.9),))
    problem = replace(three(), applications=(Application(network, 0.5, 1e-9),))
    said = re.fullmatch(r"net: latency 1e-06 ms is .* takes is (\S+) ms", impossible(problem))
    assert said is not None
    again = replace(problem, applications=(Application(network, 0.5, float(said[1]) / 1e3),))
    assert impossible(again) == ""
