"""What plans cost, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iopt.cluster import Charge
from iopt.partition.evaluation import evaluate
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from tests.instances import (
    chain,
    cluster,
    conv,
    linear,
    max_pool,
    norm,
)
from tests.partition.test_evaluation import bytes_of


def hand_problem(charge: Charge = Charge.PHASE, cap: int | None = None) -> Problem:
    """A convolution 1x4x4 -> 2x4x4 (3x3, padding 1) pooled to 2x2x2, then a linear operator 8 -> 3, on two devices.

    FLOPs: 2 * (2*1*9) * 16 = 576, that is 144 a pre row; 2 * 3*8 = 48.
    Bytes: input 64 (16 a row), pre 128 (32 a row, 64 a channel), pooled 32 (16 a row, 16 a channel), output 12.
    Parameter bytes: 4 * (18 + 2) = 80; 4 * (24 + 3) = 108.
    Device a: 100 FLOP/s, overhead 0.5 s, up 16, down 8 byte/s; b: 200 FLOP/s, 0.25 s, 32, 64. tau 0.125 s. From a to b.
    """
    graph = chain("hand", (1, 4, 4), [conv(2, 3, padding=1, pooling=max_pool(2)), linear(3)])
    devices = cluster(
        (100.0, 200.0),
        (16.0, 32.0),
        (8.0, 64.0),
        connection_s=0.125,
        overhead_s=(0.5, 0.25),
        memory_bytes=(cap, None),
        charge=charge,
        sink=1,
    )
    return Problem(graph, devices)


BOTH, FIRST = intervals_from((1, 1)), intervals_from((1, 0))


def test_rows_then_rows_of_a_linear_by_hand() -> None:
    """H (1, 1), then IC along rows (1, 1), direct.

    Input: b makes row 1 from pre rows 2, 3, these from input rows 1, 2, 3: 48 bytes,
    0.125 + max(48/16, 48/64) = 3.125 s.
    Convolution: 2 pre rows each, 288 FLOPs: max(0.5 + 2.88, 0.25 + 1.44) = 3.38 s.
    Into the linear operator: nothing moves. It costs 24 FLOPs each: max(0.5 + 0.24, 0.25 + 0.12) = 0.74 s.
    Output: a sends its partial sum, 12 bytes, to b: 0.125 + 12/16 = 0.875 s.
    Memory of each: parameters 80 + (4*12 + 12) = 140; convolution 48 (three input rows) + 64 (two pre rows) = 112;
    linear 16 + 12 = 28; 140 + 112 = 252.
    """
    plan = Plan((Split("op1", Axis.H, BOTH), Split("op2", Axis.IC, BOTH, "rows", Direct())))
    judged = evaluate(hand_problem(), plan)
    assert bytes_of(judged) == [("op1", "input", {(0, 1): 48}), ("op2", "output", {(0, 1): 12})]
    assert [phase.time_s for phase in judged.phases] == pytest.approx([3.125, 0.875])
    assert judged.compute_by_operator_s == pytest.approx((3.38, 0.74))
    assert judged.latency_s == pytest.approx(8.12)
    assert judged.memory_bytes == {"d0": 252, "d1": 252}
    assert (judged.bytes, judged.connections, judged.is_feasible) == (60, 2, True)


def test_channels_then_one_device_by_hand() -> None:
    """OC (1, 1), then OC (3, 0).

    Input: b needs all of it: 0.125 + 64/16 = 4.125 s. Convolution: half each, 3.38 s.
    Into the linear operator: a receives b's channel, 16 bytes: 0.125 + max(16/32, 16/8) = 2.125 s. It costs
    0.5 + 0.48 s.
    Output: 12 bytes, 0.875 s. Together 4.125 + 3.38 + 2.125 + 0.98 + 0.875 = 11.485 s.
    Memory of a: 40 + 108; convolution 64 + 64 = 128, linear 32 + 12: 276. Of b: 40 + 128 = 168.
    """
    plan = Plan((Split("op1", Axis.OC, BOTH), Split("op2", Axis.OC, intervals_from((3, 0)))))
    judged = evaluate(hand_problem(), plan)
    assert bytes_of(judged) == [
        ("op1", "input", {(0, 1): 64}),
        ("op2", "transfer", {(1, 0): 16}),
        ("op2", "output", {(0, 1): 12}),
    ]
    assert judged.latency_s == pytest.approx(11.485)
    assert (judged.compute_s, judged.transfer_s) == pytest.approx((4.36, 7.125))
    assert judged.memory_bytes == {"d0": 276, "d1": 168}


def test_scatter_then_input_channels_by_hand() -> None:
    """IC (1, 0) with scatter (1, 1), then IC (1, 1), direct.

    Convolution on a: 0.5 + 5.76 = 6.26 s. Scatter: b receives a channel of the pre tensor, 64 bytes,
    0.125 + 64/16 = 4.125 s.
    Linear: 0.74 s, nothing moves. Output: 0.875 s. Together 12.0 s.
    Memory of a: 80 + (48 + 12), convolution 64 + 128: 332. Of b: 60, linear 16 + 12: 88.
    """
    plan = Plan((Split("op1", Axis.IC, FIRST, None, Scatter(BOTH)), Split("op2", Axis.IC, BOTH, None, Direct())))
    judged = evaluate(hand_problem(), plan)
    assert bytes_of(judged) == [("op1", "scatter", {(0, 1): 64}), ("op2", "output", {(0, 1): 12})]
    assert judged.latency_s == pytest.approx(12.0)
    assert judged.memory_bytes == {"d0": 332, "d1": 88}


def test_via_the_source_by_hand() -> None:
    """H (1, 1) via the source, then OC (0, 3).

    Gather: b sends its row, 16 bytes, to a: 0.125 + max(16/32, 16/8) = 2.125 s. Then b needs everything, 32 bytes
    from a: 0.125 + 32/16 = 2.125 s, and computes 0.25 + 0.24 = 0.49 s.
    Together 3.125 + 3.38 + 2.125 + 2.125 + 0.49 = 11.245 s.
    """
    plan = Plan((Split("op1", Axis.H, BOTH, via="source"), Split("op2", Axis.OC, intervals_from((0, 3)))))
    judged = evaluate(hand_problem(), plan)
    assert bytes_of(judged) == [
        ("op1", "input", {(0, 1): 48}),
        ("op1", "gather", {(1, 0): 16}),
        ("op2", "transfer", {(0, 1): 32}),
    ]
    assert judged.latency_s == pytest.approx(11.245)


def test_a_peer_counts_once_whether_it_sends_or_receives() -> None:
    """Three devices pass channels around: each one's output goes to both others, so every device has two peers."""
    graph = chain("pair", (3, 1, 1), [linear(3), linear(3)])
    plan = Plan((Split("op1", Axis.OC, intervals_from((1, 1, 1))), Split("op2", Axis.OC, intervals_from((1, 1, 1)))))
    by_charge = {
        charge: evaluate(Problem(graph, cluster((1.0,) * 3, connection_s=100.0, charge=charge)), plan)
        for charge in Charge
    }
    assert [phase.time_s for phase in by_charge[Charge.PHASE].phases] == pytest.approx([124.0, 108.0, 108.0])
    assert [phase.time_s for phase in by_charge[Charge.PEER].phases] == pytest.approx([224.0, 208.0, 208.0])


def test_a_shared_medium_carries_the_sum_of_all_bytes() -> None:
    """12 bytes to each of two devices: 24 bytes at 8 byte/s."""
    graph = chain("one", (3, 1, 1), [linear(3)])
    plan = Plan((Split("op1", Axis.OC, intervals_from((1, 1, 1))),))
    judged = evaluate(Problem(graph, cluster((1.0,) * 3, bandwidth=8.0)), plan)
    assert [phase.time_s for phase in judged.phases] == pytest.approx([3.0, 1.0])


def test_a_broken_cap_is_named_in_words_and_the_plan_is_still_judged() -> None:
    plan = Plan((Split("op1", Axis.H, BOTH), Split("op2", Axis.IC, BOTH, "rows", Direct())))
    kept, broken = evaluate(hand_problem(cap=252), plan), evaluate(hand_problem(cap=251), plan)
    assert kept.is_feasible
    assert broken.violations == ("d0 needs 252 bytes of memory and has 251",)
    assert not broken.is_feasible
    assert broken.latency_s == kept.latency_s


def test_the_paper_counts_parameters_and_the_largest_share_of_a_pre_tensor() -> None:
    """140 bytes of parameters, and two pre rows of 32 bytes."""
    plan = Plan((Split("op1", Axis.H, BOTH), Split("op2", Axis.IC, BOTH, "rows", Direct())))
    assert evaluate(replace(hand_problem(), memory="paper"), plan).memory_bytes == {"d0": 204, "d1": 204}


def test_a_batch_norm_of_its_own_has_two_parameters_a_channel_and_no_flops() -> None:
    """Three channels, of which one on the first device: 8 bytes of parameters, 16 read and 16 written."""
    problem = Problem(chain("net", (3, 2, 2), [norm()]), cluster((1.0, 1.0)))
    judged = evaluate(problem, Plan((Split("op1", Axis.OC, intervals_from((1, 2))),)))
    assert judged.memory_bytes == {"d0": 40, "d1": 80}
    assert judged.compute_s == 0.0
