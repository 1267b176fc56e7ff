"""Tiny partition problems drawn at random.

`tiny_problem(seed, ...)` is deterministic; `problems(...)` and `plans(...)` are the same draws for hypothesis.
Rates are drawn relative to the work of the network and caps relative to what plans need, so that splitting pays and
caps bind; `tests/test_instances.py` holds the generator to that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Literal

import numpy as np
from hypothesis import strategies as st

from iopt.cluster import Charge, Cluster
from iopt.graph import Graph, Operator
from iopt.graph.layers import Linear, Shape, Window
from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Costs, Evaluator
from iopt.partition.plan import Axis, Direct, Interval, Plan, Scatter, Split
from iopt.partition.problem import MemoryModel, Problem
from tests.instances.by_hand import (
    Layer,
    Pooling,
    adaptive_pool,
    avg_pool,
    chain,
    cluster,
    conv,
    linear,
    max_pool,
    norm,
    pool,
)
from tests.instances.counting import cuts, plan_count

Caps = Literal["none", "loose", "tight", "infeasible", "any"]


def _often(rng: Random, chance: float) -> bool:
    return rng.randrange(100) < 100 * chance


def _draw_pooling(rng: Random, height: int, width: int) -> Pooling | None:
    """A pooling that fits a map of that size and changes it; None if there is none among those tried."""
    for _ in range(8):
        if _often(rng, 0.3):
            size = (rng.randint(1, height + 2), rng.randint(1, width))
            uneven = [rows for rows in range(2, height) if height % rows]
            if uneven and _often(rng, 0.5):
                size = (rng.choice(uneven), size[1])
            if size != (height, width):
                return adaptive_pool(size, rng.choice(("max", "average")))
            continue
        kernel, stride = rng.choice(((2, 2), (3, 2), (3, 1), (2, 1), (3, 3), (2, 3)))
        padding, ceil_mode = rng.choice((0, 0, kernel // 2)), _often(rng, 0.3)
        columns = kernel if kernel <= width else 1
        shape = (kernel, columns), (stride, min(stride, columns)), (padding, padding if columns > 1 else 0), ceil_mode
        if kernel == 2 and height > 2 and _often(rng, 0.4):
            return max_pool((2, 1), (stride, 1), (padding, 0), ceil_mode, dilation=(2, 1))
        if kernel <= height + 2 * padding:
            return rng.choice((max_pool, avg_pool))(*shape)
    return None


def _draw_conv(rng: Random, shape: Shape, widest: int) -> Layer | None:
    kernel, stride, dilation = rng.choice((1, 2, 3, 3, 4, 5)), rng.choice((1, 1, 1, 2, 2, 3)), rng.choice((1, 1, 1, 2))
    reach = dilation * (kernel - 1) + 1
    padding = rng.choice((0, reach // 2, rng.randint(0, reach - 1)))
    if shape.height + 2 * padding < reach:
        return None
    columns = kernel if shape.width + 2 * padding >= reach else 1
    across = padding if columns > 1 else 0
    window = Window((kernel, columns), (stride, rng.choice((1, stride))), (padding, across), (dilation, dilation))
    height, width = (window.positions(side, shape[side + 1]) for side in (0, 1))
    channels, groups = rng.randint(1, widest), 1
    if shape.channels > 1 and _often(rng, 0.3):
        groups = min(g for g in range(2, shape.channels + 1) if shape.channels % g == 0)
        groups = rng.choice((groups, groups, shape.channels))
        channels = groups * rng.choice((1, 1, 2, 3))
    pooling = _draw_pooling(rng, height, width) if _often(rng, 0.4) else None
    bias, norm = _often(rng, 0.6), _often(rng, 0.15)
    return conv(channels, window.kernel, window.stride, window.padding, dilation, groups, bias, pooling, norm)


def _draw_layer(rng: Random, shape: Shape, before: Operator | None, widest: int) -> Layer | None:
    """One more layer; None where the draw does not fit."""
    if before is not None and (isinstance(before.body, Linear) or shape.height == shape.width == 1):
        return linear(rng.randint(1, widest), _often(rng, 0.6), _often(rng, 0.1))
    linears = 15 if shape.height == 1 else 60 if before is not None and shape.height > 2 else 40
    kind = rng.choices(("conv", "linear", "pool", "norm"), (50, linears, 6, 2))[0]
    if kind == "conv":
        return _draw_conv(rng, shape, widest)
    if kind == "linear":
        return linear(rng.randint(1, widest), _often(rng, 0.6), _often(rng, 0.1))
    if kind == "norm":
        return norm()
    pooling = _draw_pooling(rng, shape.height, shape.width)
    return None if pooling is None else pool(pooling)


def _draw_start(rng: Random, operators: int, tallest: int) -> tuple[tuple[int, int, int], list[Layer]]:
    """Shape of the input and first layers, most often none; those favour a split that is seldom best otherwise."""
    style, bias = rng.randrange(100), _often(rng, 0.5)
    if style < 14 and operators > 1:  # rows of a tall map feed a linear operator
        shape = (rng.randint(1, 2), rng.randint(4, 8), rng.randint(4, 8))
        return shape, [conv(rng.randint(1, 2), 3, padding=1, bias=bias), linear(rng.randint(1, 4))]
    if style < 28:  # sums over many wide channels, pooled to one cell
        shape = (rng.randint(3, 6), rng.randint(1, 2), rng.randint(4, 8))
        return shape, [conv(rng.randint(2, 4), (1, 3), bias=bias, pooling=adaptive_pool(1)), linear(rng.randint(2, 4))]
    if style < 64:  # few rows, which leave little to share out
        return (rng.choice((2, 3, 4, 4, 6, 6)), rng.randint(1, 3), rng.randint(1, 8)), []
    return (rng.randint(1, 4), rng.randint(1, tallest), rng.randint(1, 8)), []


def draw_graph(rng: Random, devices: int, operators: int, plan_limit: int) -> Graph:
    """A chain of up to `operators` operators that has at most `plan_limit` plans on that many devices."""
    widest, tallest = (6, 12) if devices < 3 else (4, 8)
    share = plan_limit ** (1 / operators)
    shape, start = _draw_start(rng, operators, tallest)
    while cuts(shape[0], 1, devices) ** 2 > share and shape[0] > 1:
        shape = (shape[0] - 1, *shape[1:])
    layers: list[Layer] = []
    graph: Graph | None = None
    for attempt in range(20 * operators):
        if len(layers) == operators:
            break
        last = None if graph is None else graph.operators[-1]
        before = Shape(*shape) if last is None else last.output_shape
        layer = start[attempt] if attempt < len(start) else _draw_layer(rng, before, last, widest)
        if layer is None:
            continue
        longer = chain("tiny", shape, [*layers, layer])
        room = share ** (len(layers) + 1) if len(layers) + 1 < operators else plan_limit
        if plan_count(Problem(longer, cluster((1.0,) * devices))) <= room:
            graph, layers = longer, [*layers, layer]
    return graph or chain("tiny", (1, 2, 2), [conv(1, 1)])


def _spread(rng: Random, low: float, high: float) -> float:
    """Log-uniform between two positive numbers."""
    return low * math.exp(math.log(high / low) * rng.randrange(10_001) / 10_000)


def draw_cluster(rng: Random, graph: Graph, devices: int) -> Cluster:
    """Devices that take about a second for the whole network, links that take from nothing to a second for a tensor."""
    flops = max(graph.flops, 1)
    tensor = sum(operator.output_shape.bytes for operator in graph) / len(graph)
    ideal = _spread(rng, 2.0, 1000.0) * tensor
    alike = _often(rng, 0.15)
    rates = [flops * _spread(rng, 0.5, 2.0) for _ in range(devices)]
    up, down = ([ideal * _spread(rng, 0.3, 3.0) for _ in range(devices)] for _ in range(2))
    if alike:
        rates, up, down = [rates[0]] * devices, [up[0]] * devices, [up[0]] * devices
    if _often(rng, 0.15):
        down[rng.randrange(devices)] *= 0.05
    overheads = [_spread(rng, 1e-3, 0.1) for _ in range(devices)] if _often(rng, 0.4) else [0.0] * devices
    return cluster(
        rates,
        up,
        down,
        bandwidth=ideal * devices if _often(rng, 0.3) else None,
        connection_s=rng.choice((0.0, 0.0, 1e-3, 0.02, 0.3)),
        overhead_s=overheads,
        charge=rng.choice((Charge.PHASE, Charge.PEER)),
        source=rng.randrange(devices),
        sink=rng.randrange(devices),
    )


def _draw_intervals(rng: Random, size: int, unit: int, devices: int) -> tuple[Interval, ...]:
    pieces = size // unit
    points = sorted(rng.randint(0, pieces) for _ in range(devices - 1))
    if _often(rng, 0.2):
        points = [rng.choice((0, pieces))] * (devices - 1)
    bounds = [0, *points, pieces]
    return tuple((lo * unit, hi * unit) for lo, hi in itertools.pairwise(bounds))


def draw_split(rng: Random, problem: Problem, index: int, via: bool = False) -> Split:
    """Any decision for one operator; with `via`, its output may go through the source."""
    operator, devices = problem.operators[index], len(problem.cluster)
    mode = rng.choice(problem.modes[index])
    intervals = _draw_intervals(rng, mode.size, mode.unit, devices)
    combine: Direct | Scatter | None = None
    if mode.axis is Axis.IC:
        scattered = Scatter(_draw_intervals(rng, operator.output_shape.channels, 1, devices))
        combine = Direct() if _often(rng, 0.5) else scattered
    through = via and not isinstance(combine, Direct) and _often(rng, 0.3)
    return Split(operator.name, mode.axis, intervals, mode.along, combine, "source" if through else None)


def draw_plan(rng: Random, problem: Problem, via: bool = False) -> Plan:
    return Plan(tuple(draw_split(rng, problem, index, via) for index in range(len(problem.operators))))


def batch(problem: Problem, plans: Sequence[Plan]) -> Costs:
    """Costs of many plans in one call of the evaluator."""
    splits = [split for plan in plans for split in plan.splits]
    flat = Decisions.of_splits(splits, len(problem.cluster))
    parts = (getattr(flat, name) for name in Decisions.__dataclass_fields__)
    shape = (len(plans), len(problem.operators))
    return Evaluator(problem).costs(Decisions(*(part.reshape(*shape, *part.shape[1:]) for part in parts)))


def draw_caps(rng: Random, problem: Problem, kind: Caps, samples: int = 300) -> tuple[int | None, ...]:
    """Caps from what sampled plans need.

    `loose`: a plan is known that keeps them, its caps drawn at or little above its need. `tight`: besides, the fastest
    plan of the sample breaks them. `infeasible`: well below the need of the most even plan of the sample (now and then
    some plan keeps them).
    """
    source = Random(rng.randrange(2**32))
    costs = batch(problem, [draw_plan(source, problem) for _ in range(samples)])
    memory, latency = costs.memory_bytes, costs.latency_s
    fastest, even = int(latency.argmin()), int(memory.max(axis=-1).argmin())
    if kind == "infeasible":
        factor = _spread(rng, 0.3, 0.8)
        return tuple(max(1, int(memory[even].max() * factor)) for _ in problem.cluster.devices)
    busiest = int(memory[fastest].argmax())
    below = memory[:, busiest] < memory[fastest, busiest] * _spread(rng, 0.6, 0.999)
    witness = int(np.where(below, latency, np.inf).argmin()) if below.any() else even
    if kind == "loose":
        witness = rng.randrange(samples)
    slack = [rng.choice((1.0, 1.0, 1.05, 1.3)) for _ in problem.cluster.devices]
    caps: list[int | None] = [max(1, int(need * factor)) for need, factor in zip(memory[witness], slack, strict=True)]
    for device in range(len(caps)):
        if device != busiest and _often(rng, 0.3):
            caps[device] = None
    if below.any() and kind == "tight":
        caps[busiest] = max(1, int(memory[witness, busiest]))
    return tuple(caps)


def draw_problem(
    rng: Random,
    devices: int | Sequence[int] = (1, 2, 2, 2, 2, 3, 3, 3, 3, 3),
    operators: int | Sequence[int] = (1, 2, 2, 3, 3, 3, 4, 4),
    caps: Caps = "any",
    plan_limit: int = 300_000,
    memory: MemoryModel | None = None,
    along_rows: bool | None = None,
) -> Problem:
    count = devices if isinstance(devices, int) else rng.choice(devices)
    length = operators if isinstance(operators, int) else rng.choice(operators)
    graph = draw_graph(rng, count, length, plan_limit)
    problem = Problem(
        graph,
        draw_cluster(rng, graph, count),
        not _often(rng, 0.1) if along_rows is None else along_rows,
        rng.choice(("live", "live", "live", "live", "paper")) if memory is None else memory,
    )
    kind = rng.choices(("none", "loose", "tight", "infeasible"), (30, 15, 40, 15))[0] if caps == "any" else caps
    if kind == "none":
        return problem
    return replace(problem, cluster=problem.cluster.with_memory(draw_caps(rng, problem, kind)))


def tiny_problem(
    seed: int,
    devices: int | Sequence[int] = (1, 2, 2, 2, 2, 3, 3, 3, 3, 3),
    operators: int | Sequence[int] = (1, 2, 2, 3, 3, 3, 4, 4),
    caps: Caps = "any",
    plan_limit: int = 300_000,
    memory: MemoryModel | None = None,
    along_rows: bool | None = None,
) -> Problem:
    """A deterministic tiny problem, with at most `plan_limit` plans.

    `devices` and `operators`: a number, or numbers to choose from (a chain may end up shorter);
    `caps`: see `draw_caps`; `memory` and `along_rows` are drawn where they are None.
    """
    return draw_problem(Random(seed), devices, operators, caps, plan_limit, memory, along_rows)


def problems(
    devices: int | Sequence[int] = (1, 2, 2, 2, 2, 3, 3, 3, 3, 3),
    operators: int | Sequence[int] = (1, 2, 2, 3, 3, 3, 4, 4),
    caps: Caps = "any",
    plan_limit: int = 300_000,
    memory: MemoryModel | None = None,
    along_rows: bool | None = None,
) -> st.SearchStrategy[Problem]:
    """`tiny_problem` as a hypothesis strategy."""
    randoms = st.randoms(use_true_random=False)
    return randoms.map(lambda rng: draw_problem(rng, devices, operators, caps, plan_limit, memory, along_rows))


def plans(problem: Problem, via: bool = False) -> st.SearchStrategy[Plan]:
    """Any plan of a problem."""
    return st.randoms(use_true_random=False).map(lambda rng: draw_plan(rng, problem, via))
