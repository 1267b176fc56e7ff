"""The evaluator against a second computation from the equations, and by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.cluster import Cluster, Device, Link, LinkRate, Network
from iopt.errors import ClusterError, OptionError, PlanError
from iopt.exits.evaluation import Evaluation, evaluate
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from tests.exits.instances import random_plan, tiny_problem
from tests.exits.reference import judge

# By hand: mobile (1 op/s, 2 W, 3 J/bit), edge (4 op/s, 12 W, 5 J/bit), cloud (8 op/s, 16 W, 1 J/bit)

MOBILE = Device("mobile", 1.0, tier="mobile", power_w=2.0, energy_per_bit_j=3.0)
EDGE = Device("edge", 4.0, tier="edge", power_w=12.0, energy_per_bit_j=5.0)
CLOUD = Device("cloud", 8.0, tier="cloud", power_w=16.0, energy_per_bit_j=1.0)
TIERS = ("mobile", "edge", "cloud")

NET = ExitNetwork(
    "net",
    32.0,
    (Block("a", 8.0, 16.0, 10), Block("b", 16.0, 8.0, 20), Block("c", 24.0, 0.0, 30)),
    (Exit("first", 1, 0.25, 0.5), Exit("second", 2, 0.25, 0.9), Exit("last", 3, 0.5, 0.8)),
)


def hand_cluster(**network: Any) -> Cluster:
    """Up 2, 4, 8 and down 1, 3, 5 byte/s: in bit/s 8 times as much."""
    values: dict[str, Any] = {"up_bytes_per_s": (2.0, 4.0, 8.0), "down_bytes_per_s": (1.0, 3.0, 5.0)}
    return Cluster("hand", (MOBILE, EDGE, CLOUD), Network(0.0, **(values | network)), tiers=TIERS)


def hand(application: dict[str, Any] | None = None, cluster: Cluster | None = None, **options: Any) -> Problem:
    asked: dict[str, Any] = {"accuracy": 0.0, "latency_s": 1000.0, **(application or {})}
    options = {"max_load": 1000.0, **options}
    return Problem((Application(NET, **asked),), cluster or hand_cluster(), **options)


def judged(problem: Problem, exit: int, *nodes: int) -> Evaluation:
    return evaluate(problem, Plan((Placement(problem.applications[0].name, exit, nodes),)))


def test_everything_on_the_source_by_hand() -> None:
    """Blocks take 8, 16, 24 s at 2 W; 1, 3/4, 1/2 of the samples come to them."""
    unconditional = judged(hand(energy="unconditional"), 2, 0, 0, 0)
    assert unconditional.energy_j == 2 * (8 + 16 + 24)
    assert unconditional.applications[0].latency_s == 48
    expected = judged(hand(latency="expected"), 2, 0, 0, 0)
    assert expected.energy_j == 2 * (8 + 12 + 12)
    assert expected.applications[0].latency_s == 8 + 12 + 12
    assert judged(hand(), 2, 0, 0, 0).applications[0].latency_s == 48


def test_moving_up_by_hand() -> None:
    """a on the mobile, b on the edge, c in the cloud: 16 bits at (3 + 5) J, 8 bits at (5 + 1) J."""
    problem = hand(energy="unconditional")
    found = judged(problem, 2, 0, 1, 2)
    assert found.energy_j == 16 + 48 + 48 + 128 + 48
    blocks = found.applications[0].blocks
    assert [block.transfer_j for block in blocks] == [0, 128, 48]
    assert [block.compute_j for block in blocks] == [16, 48, 48]
    assert [block.compute_s for block in blocks] == [8, 4, 3]
    # min(up of the mobile 16, down of the edge 24) bit/s; min(up of the edge 32, down of the cloud 40)
    assert [block.transfer_s for block in blocks] == [0, 1, 0.25]
    receiver = judged(replace(problem, link_rate="receiver"), 2, 0, 1, 2).applications[0].blocks
    assert [block.transfer_s for block in receiver] == pytest.approx([0, 16 / 24, 8 / 40])


def test_expected_energy_and_use_by_hand() -> None:
    found = judged(hand({"rate_per_s": 10.0}), 2, 0, 1, 2)
    per_inference = 16 + 0.75 * (48 + 128) + 0.5 * (48 + 48)
    assert found.energy_j == pytest.approx(10 * per_inference)
    assert found.applications[0].energy_j == pytest.approx(per_inference)
    assert found.applications[0].compute_j + found.applications[0].transfer_j == pytest.approx(per_inference)
    assert found.used.compute.tolist() == pytest.approx([80, 120, 120])
    assert found.used.memory.tolist() == [10, 20, 30]
    assert found.used.links[0, 1] == pytest.approx(120)
    assert found.used.links[1, 2] == pytest.approx(40)
    assert found.used.links.sum() == pytest.approx(160)


def test_connection_per_hop_and_overhead_per_block_by_hand() -> None:
    """0.5 s for each of two hops; 2 s for each of three blocks on the edge and the cloud, none on the mobile."""
    cluster = hand_cluster()
    devices = (MOBILE, replace(EDGE, overhead_s=2.0), replace(CLOUD, overhead_s=3.0))
    slow = replace(cluster, devices=devices, network=replace(cluster.network, connection_s=0.5))
    free, cost = hand(), hand(cluster=slow)
    for nodes, more in (((0, 0, 0), 0), ((0, 1, 1), 0.5 + 4), ((0, 1, 2), 1 + 2 + 3)):
        times = [judged(problem, 2, *nodes).applications[0].latency_s for problem in (free, cost)]
        assert times[1] == pytest.approx(times[0] + more)
    assert judged(cost, 2, 0, 1, 2).energy_j == judged(free, 2, 0, 1, 2).energy_j
    shares = judged(replace(cost, latency="expected"), 2, 0, 1, 2).applications[0].blocks
    assert [b.compute_s for b in shares] == pytest.approx([8, 0.75 * (4 + 2), 0.5 * (3 + 3)])
    assert [b.transfer_s for b in shares] == pytest.approx([0, 0.75 * 1.5, 0.5 * 0.75])


def test_raw_input_that_is_sent_by_hand() -> None:
    """Unpinned: 32 bits from the mobile to the cloud, 16 bit/s, (3 + 1) J each."""
    found = judged(hand({"rate_per_s": 0.5}, pinned=False), 0, 2)
    assert found.energy_j == 0.5 * (16 + 128)
    assert found.applications[0].latency_s == 1 + 2
    assert found.used.links[0, 2] == 16
    assert found.is_feasible


def test_an_explicit_link_takes_the_place_of_the_rule() -> None:
    cluster = hand_cluster(links=(Link(0, 1, 0.5), Link(0, 2, None)))
    for rule in LinkRate:
        problem = hand(cluster=cluster, link_rate=rule)
        assert judged(problem, 1, 0, 1).applications[0].latency_s == 8 + 4 + 16 / 4
        assert judged(problem, 1, 0, 2).violations == (
            "net: there is no link from mobile to cloud",
            "net: takes inf s, limit 1000 s",
        )


def test_each_limit_is_named() -> None:
    def broken(found: Evaluation) -> tuple[str, ...]:
        return found.violations

    assert broken(judged(hand({"rate_per_s": 0.5}), 2, 1, 1, 1)) == (
        "net: block 1 is on edge, not on its source mobile",
    )
    assert broken(judged(hand(), 2, 0, 1, 0)) == ("net: mobile after edge returns to a lower tier",)
    assert broken(judged(hand(tier_order=False), 2, 0, 1, 0)) == ()
    assert broken(judged(hand({"accuracy": 0.85}), 2, 0, 0, 0)) == ("net: accuracy 0.8 is below 0.85",)
    assert broken(judged(hand({"accuracy": 0.85}), 1, 0, 0)) == ()
    assert broken(judged(hand({"latency_s": 47.0}), 2, 0, 0, 0)) == ("net: takes 48 s, limit 47 s",)
    assert broken(judged(hand(max_load=10.0, energy="unconditional"), 2, 0, 0, 0)) == (
        "mobile: computes 48 op/s, limit 10 op/s",
    )
    small = replace(hand_cluster(), devices=(replace(MOBILE, memory_bytes=59), EDGE, CLOUD))
    assert broken(judged(hand(cluster=small), 2, 0, 0, 0)) == ("mobile: holds 60 bytes of weights, limit 59 bytes",)
    busy = judged(hand({"rate_per_s": 2.0}, energy="unconditional"), 1, 0, 1)
    assert broken(busy) == ("mobile to edge: carries 32 bit/s, limit 16 bit/s",)


def test_limits_that_are_just_met_hold() -> None:
    for margin, keeps in ((0.0, True), (0.5e-9, True), (1e-8, False)):
        less = 1 - margin
        assert judged(hand({"latency_s": 48 * less}), 2, 0, 0, 0).is_feasible is keeps
        assert judged(hand(max_load=48 * less, energy="unconditional"), 2, 0, 0, 0).is_feasible is keeps
        assert judged(hand({"accuracy": 0.8 * (1 + margin)}), 2, 0, 0, 0).is_feasible is keeps
        assert judged(hand({"rate_per_s": 1 + margin}, energy="unconditional"), 1, 0, 1).is_feasible is keeps


def test_the_share_of_samples_is_never_negative() -> None:
    """Published fractions may add up to a little more than 1."""
    exits = (Exit("e1", 1, 1.0, 0.5), Exit("e2", 2, 5e-7, 0.5), Exit("e3", 3, 0.0, 0.5))
    problem = Problem((Application(replace(NET, exits=exits), 0.0, 1e3),), hand_cluster(), max_load=1e3)
    assert judged(problem, 2, 0, 1, 2).energy_j == 16.0


def test_two_applications_share_what_there_is() -> None:
    one, two = (Application(NET, 0.0, 1e3, rate, None, name) for rate, name in ((1.0, "one"), (2.0, "two")))
    problem = Problem((one, two), hand_cluster(), energy="unconditional", max_load=1000.0)
    plan = Plan((Placement("one", 1, (0, 0)), Placement("two", 2, (0, 0, 1))))
    found = evaluate(problem, plan)
    assert found.energy_j == 48 + 2 * (48 + 24 / 4 * 12 + 8 * 8)
    assert found.used.compute.tolist() == [24 + 48, 48, 0]
    assert found.used.memory.tolist() == [60, 30, 0]
    assert found.violations == ()
    assert evaluate(replace(problem, max_load=72.0), plan).is_feasible
    tight = replace(problem, max_load=71.0)
    assert evaluate(tight, plan).violations == ("mobile: computes 72 op/s, limit 71 op/s",)


# The referee

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


# What is refused


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(()), "0 applications; the problem has 1"),
        (Plan((Placement("net", 0, (0,)), Placement("net", 0, (0,)))), "2 applications"),
        (Plan((Placement("other", 0, (0,)),)), "'other' in its place"),
        (Plan((Placement("net", 3, (0,)),)), "exit 3; expected 0 ... 2"),
        (Plan((Placement("net", -1, (0, 0, 0)),)), "exit -1"),
        (Plan((Placement("net", 1, (0,)),)), "1 blocks are placed; exit 1 needs 2"),
        (Plan((Placement("net", 0, (3,)),)), "expected each in 0 ... 2"),
        (Plan((Placement("net", 0, (-1,)),)), "expected each in 0 ... 2"),
    ],
)
def test_a_plan_of_another_problem_is_refused(plan: Plan, words: str) -> None:
    with pytest.raises(PlanError, match=re.escape(words)):
        evaluate(hand(), plan)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"energy": "free"}, "energy is 'free'; expected 'expected' or 'unconditional'"),
        ({"link_rate": "max"}, "link_rate is 'max'"),
        ({"latency": "best"}, "latency is 'best'"),
        ({"max_load": 0.0}, "max_load is 0"),
        ({"max_load": float("nan")}, "max_load is nan"),
        ({"max_load": 1e-300}, "max_load is 1e-300; expected 1e-09 to 1e+09"),
        ({"max_load": 1e10}, "max_load is 10000000000.0; expected 1e-09 to 1e+09"),
        ({"application": {"accuracy": 1.1}}, "accuracy is 1.1"),
        ({"application": {"latency_s": 0.0}}, "latency_s is 0"),
        ({"application": {"latency_s": float("inf")}}, "latency_s is inf"),
        ({"application": {"rate_per_s": -1.0}}, "rate_per_s is -1"),
        ({"application": {"source": "phone"}}, "no device is named 'phone'"),
    ],
)
def test_a_problem_without_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        hand(**options)


def test_a_cluster_without_energy_is_refused() -> None:
    for key, named in (("power_w", "power"), ("energy_per_bit_j", "energy")):
        lame = replace(hand_cluster(), devices=(MOBILE, replace(EDGE, **{key: None}), CLOUD))
        with pytest.raises(ClusterError, match=f"device 'edge': {named}: missing; expected it, such as "):
            hand(cluster=lame)


def test_no_application_and_a_name_given_twice_are_refused() -> None:
    with pytest.raises(OptionError, match="no application"):
        Problem((), hand_cluster())
    twice = Application(NET, 0.0, 1.0)
    with pytest.raises(OptionError, match="twice: net"):
        Problem((twice, twice), hand_cluster())


def test_the_link_rule_is_the_clusters_own_unless_one_is_given() -> None:
    cluster = hand_cluster(link_rate=LinkRate.RECEIVER)
    assert hand(cluster=cluster).link_rate is LinkRate.RECEIVER
    assert hand(cluster=cluster, link_rate="min").link_rate is LinkRate.MIN
