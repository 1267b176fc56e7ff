"""Every plan gives the output of the unsplit network, moves the bytes that were predicted, and holds its shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from iopt.graph import Graph
from iopt.graph.layers import BatchNorm, Conv2d, Pool
from iopt.importer import import_module
from iopt.partition.evaluation import Evaluator
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from iopt.partition.runtime.local import LocalRun
from iopt.partition.runtime.schedule import Compute, Exchange, schedule
from iopt.partition.runtime.weights import StateWeights
from iopt.partition.runtime.worker import Worker
from tests.instances import adaptive_pool, avg_pool, chain, cluster, conv, linear, max_pool, norm, pool
from tests.partition.runtime.cases import (
    Case,
    case,
    cases_over,
    difference,
    double_precision,
    predicted_bytes,
    predicted_resident,
    tiny_case,
)

FEW, MANY = 300, 6000


def carry_out(case: Case) -> None:
    """Run it in this process and hold it to output, bytes and parameters."""
    steps = schedule(case.problem, case.plan)
    with double_precision():
        precise = case.precise
        for overlap in (False, True):
            exact = LocalRun(steps, StateWeights(precise.state), overlap=overlap)
            assert difference(exact(precise.image)[0], precise) < 1e-10
    run = LocalRun(steps, StateWeights(case.state))
    output, moved = run(case.image)
    keeping = LocalRun(steps, StateWeights(case.state), keep=True)
    keeping(case.image * 2)
    again, largest = keeping(case.image)[0], float(output.abs().max())
    assert float((again - output).abs().max()) <= 1e-5 * max(largest, 1.0)
    assert [(step.operator, step.kind, pairs) for step, pairs in moved] == predicted_bytes(case)
    assert [worker.resident_bytes for worker in run.workers] == predicted_resident(case)


def features(case: Case) -> Iterator[str]:
    """What a case exercises."""
    cluster, kinds = case.problem.cluster, {kind for _, kind, _ in predicted_bytes(case)}
    yield from kinds
    if cluster.source != cluster.sink and len(case.plan.devices) > 1:
        yield "source and sink differ"
    if float(case.expected.abs().max()) > 0:
        yield "output is not zero"
    for split, operator in zip(case.plan.splits, case.problem.operators, strict=True):
        lengths = [hi - lo for lo, hi in split.intervals]
        yield f"{split.axis}{' along rows' if split.along else ''}{' via' if split.via else ''}"
        if 0 in lengths and sum(map(bool, lengths)) > 1:
            yield "zero share"
        if split.axis is Axis.H and len({*lengths}) > 1 and min(lengths) > 0:
            yield "uneven rows"
        if split.combine is not None:
            yield type(split.combine).__name__
        if isinstance(operator.body, Conv2d) and operator.groups > 1:
            yield "groups"
        if isinstance(operator.body, Pool):
            yield "pool alone"


def test_any_plan_of_any_tiny_network() -> None:
    seen: Counter[str] = Counter()
    for seed in range(FEW):
        drawn = tiny_case(seed)
        carry_out(drawn)
        seen.update(set(features(drawn)))
    expected = {
        *("H", "OC", "IC", "IC along rows", "H via", "OC via", "Direct", "Scatter", "zero share", "uneven rows"),
        *("input", "transfer", "scatter", "gather", "output", "groups", "pool alone", "source and sink differ"),
    }
    assert min(seen[name] for name in expected) >= 5, seen
    assert seen["output is not zero"] > 0.8 * FEW


def test_rows_that_need_no_halo_are_computed_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rows 2 to 4 of 6, with a kernel of 3, the middle one; without a halo to come, all of them."""
    graph = chain("rows", (2, 6, 6), [conv(3, 3, padding=1), conv(2, 3, padding=1), conv(2, 1)])
    parts = intervals_from((2, 3, 1))
    ahead = []
    compute_ahead = Worker.compute_ahead

    def noting(worker: Worker, exchange: Exchange, step: Compute) -> None:
        compute_ahead(worker, exchange, step)
        ahead.append((step.operator.name, worker.device, worker._ahead and worker._ahead[0]))

    monkeypatch.setattr(Worker, "compute_ahead", noting)
    drawn = deep(graph, 3, Plan(tuple(Split(f"op{number}", Axis.H, parts) for number in (1, 2, 3))))
    run = LocalRun(schedule(drawn.problem, drawn.plan), StateWeights(drawn.state), overlap=True)
    assert difference(run(drawn.image)[0], drawn) < 1e-5
    assert ahead == [
        *(("op1", 0, (0, 2)), ("op1", 1, None), ("op1", 2, None)),
        *(("op2", 0, (0, 1)), ("op2", 1, (3, 4)), ("op2", 2, None)),
        *(("op3", 0, (0, 2)), ("op3", 1, (2, 5)), ("op3", 2, (5, 6))),
    ]


def test_kept_buffers_are_allocated_once() -> None:
    kept = 0
    for seed in range(60):
        drawn = tiny_case(seed)
        run = LocalRun(schedule(drawn.problem, drawn.plan), StateWeights(drawn.state), keep=True)
        run(drawn.image)
        buffers = [{key: each.data_ptr() for key, each in worker._kept.items()} for worker in run.workers]
        run(drawn.image)
        assert [{key: each.data_ptr() for key, each in worker._kept.items()} for worker in run.workers] == buffers
        kept += sum(map(len, buffers))
    assert kept > 100


@pytest.mark.full
def test_many_plans_of_tiny_networks() -> None:
    for seed in range(FEW, MANY):
        carry_out(tiny_case(seed))


CHAINS = [
    chain(
        "windows",
        (3, 17, 11),
        [
            conv(4, (3, 5), stride=(2, 1), padding=(2, 3), dilation=(1, 2), pooling=max_pool(3, 2, 1)),
            conv(6, 3, padding=2, dilation=2, pooling=avg_pool(3, 2, 1, ceil_mode=True)),
            linear(5),
        ],
    ),
    chain("wide pools", (2, 13, 6), [conv(3, 1, pooling=max_pool((5, 2), (1, 1), (2, 1))), conv(2, 2, stride=3)]),
    chain("ceil", (2, 12, 12), [conv(3, 3, pooling=max_pool(3, 2, ceil_mode=True)), pool(avg_pool(2, 3, 1, True))]),
    chain("grows", (2, 5, 3), [conv(4, 3, padding=1), pool(adaptive_pool((8, 4), "max")), conv(2, 3), linear(3)]),
    chain("adaptive", (2, 11, 7), [conv(4, 2, pooling=adaptive_pool((4, 3))), linear(6), linear(2)]),
    chain("groups", (4, 9, 9), [conv(8, 3, padding=1, groups=2), conv(8, 3, padding=1, groups=8), conv(12, 1), norm()]),
    chain("global", (3, 8, 8), [conv(5, 3, padding=1), pool(adaptive_pool(1)), linear(7), linear(3)]),
]


class Folding(nn.Sequential):
    """Batch norms that are folded, that are not, and over the features of a flatten; with and without weights."""

    def __init__(self) -> None:
        super().__init__(
            *(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
            *(nn.Conv2d(6, 4, 3, padding=1), nn.BatchNorm2d(4, affine=False), nn.Tanh(), nn.BatchNorm2d(4)),
            *(nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.Flatten(), nn.BatchNorm1d(4 * 3 * 3), nn.GELU()),
            *(nn.Linear(36, 8, bias=False), nn.BatchNorm1d(8), nn.Softplus(2.0), nn.Linear(8, 5)),
        )


class Divisors(nn.Sequential):
    """Average poolings by each of their rules, alone and fused."""

    def __init__(self) -> None:
        super().__init__(
            *(nn.Conv2d(2, 3, 2, stride=2, padding=1), nn.AvgPool2d(3, 2, 1, ceil_mode=True, divisor_override=5)),
            nn.AvgPool2d((3, 2), (1, 1), (1, 1), count_include_pad=False),
            *(nn.Conv2d(3, 2, 1), nn.AvgPool2d(2, 2, 1, ceil_mode=True, count_include_pad=False), nn.Flatten()),
            nn.Linear(24, 3),
        )


MODULES = [
    import_module(Folding(), torch.empty(1, 3, 11, 11), "folding"),
    import_module(Divisors(), torch.empty(1, 2, 21, 13), "divisors"),
]
GRAPHS = {graph.name: graph for graph in (*CHAINS, *MODULES)}


@pytest.mark.parametrize("name", GRAPHS)
def test_awkward_networks(name: str) -> None:
    assert name != "folding" or any(isinstance(step, BatchNorm) for op in GRAPHS[name] for step in op.epilogue)
    for devices in (2, 3, 5):
        for drawn in cases_over(GRAPHS[name], devices, 15, devices):
            carry_out(drawn)


def deep(graph: Graph, devices: int, split: Plan, source: int = 0, sink: int = 0) -> Case:
    given = cluster((1.0,) * devices, source=source, sink=sink)
    return case(Problem(graph, given), split, 7)


def test_rows_of_one_each_with_halos_from_beyond_the_neighbour() -> None:
    """Kernels of 5 over shares of one row: halos come from two devices on each side."""
    graph = chain("thin", (2, 6, 6), [conv(3, 5, padding=2), conv(2, 5, padding=2)])
    ones = intervals_from((1,) * 6)
    drawn = deep(graph, 6, Plan((Split("op1", Axis.H, ones), Split("op2", Axis.H, ones))), 2, 4)
    into = {kind: pairs for _, kind, pairs in predicted_bytes(drawn)}["transfer"]
    assert {(0, 2), (1, 3), (4, 2), (5, 3)} <= set(into)
    carry_out(drawn)


@pytest.mark.parametrize("combine", [Direct(), Scatter(intervals_from((1, 0, 2)))])
def test_the_bias_is_added_once_and_before_the_non_linearity(combine: Direct | Scatter) -> None:
    graph = chain("sums", (3, 4, 4), [conv(3, 3, padding=1, pooling=max_pool(2)), linear(2)])
    first = Split("op1", Axis.IC, intervals_from((0, 1, 2)), None, combine)
    rows = Split("op2", Axis.IC, intervals_from((1, 1, 0)), "rows", Direct())
    carry_out(deep(graph, 3, Plan((first, rows)), 1, 2))


def test_who_adds_up_sums_needs_the_batch_norm_behind_the_activation() -> None:
    """The smallest plan where a device needs parameters without a part of the operator: device 1 only receives sums,
    and must scale and shift them behind the activation: 2 numbers for each of 3 channels. `live` counts parts alone."""
    graph = chain("gap", (1, 2, 2), [conv(3, 1, bias=False, norm=True)])
    split = Split("op1", Axis.IC, intervals_from((1, 0)), None, Scatter(intervals_from((0, 3))))
    drawn = deep(graph, 2, Plan((split,)))
    assert predicted_resident(drawn) == [4 * (3 + 6), 4 * 6]
    assert [*Evaluator(drawn.problem)(drawn.plan).memory_bytes.values()] == [4 * (3 + 6) + 4 * (4 + 12), 0]
    run = LocalRun(schedule(drawn.problem, drawn.plan), StateWeights(drawn.state))
    assert [worker.resident_bytes for worker in run.workers] == predicted_resident(drawn)
    assert difference(run(drawn.image)[0], drawn) < 1e-5
