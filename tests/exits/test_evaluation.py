"""The evaluator by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iopt.cluster import Link, LinkRate
from iopt.exits.evaluation import Evaluation, evaluate
from iopt.exits.network import Exit
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from tests.exits.by_hand import CLOUD, EDGE, MOBILE, NET, hand, hand_cluster


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
