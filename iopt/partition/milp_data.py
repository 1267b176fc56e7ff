"""Between a partition problem and its formulations: the dimensionless data, and plans in the words of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulations.partition_data import (
    CHANNELS,
    IC,
    IC_ROWS,
    OC,
    ROWS,
    WHOLE,
    AffineMap,
    Footprint,
    H,
    Mode,
    PartitionData,
    Tensor,
)
from formulations.partition_solution import Choice
from iopt.cluster import Charge, Medium
from iopt.partition import geometry as codes
from iopt.partition.decisions import split_code
from iopt.partition.geometry import Geometry
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem

KEYS = {codes.H: H, codes.OC: OC, codes.IC: IC, codes.IC_ROWS: IC_ROWS}
EVERYTHING = AffineMap(scale=0, after=1)
"""Who has a share needs one whole."""


def partition_data(problem: Problem, reference_s: float) -> PartitionData:
    """`reference_s` is the unit of time, the order of magnitude of what the solver is to see as 1."""
    cluster, geometry = problem.cluster, Geometry.of(problem)
    network = cluster.network
    shared = network.medium is Medium.SHARED
    rates = [device.flops_per_s for device in cluster.devices]
    links = ((), ()) if shared else (network.up_bytes_per_s, network.down_bytes_per_s)
    return PartitionData(
        modes=tuple(_modes(problem, geometry, i, rates, reference_s) for i in range(len(problem.operators))),
        tensors=tuple(_tensor(geometry, i) for i in range(len(problem.operators) + 1)),
        overhead=tuple(device.overhead_s / reference_s for device in cluster.devices),
        up=tuple(1 / (rate * reference_s) for rate in links[0]),
        down=tuple(1 / (rate * reference_s) for rate in links[1]),
        channel=1 / (network.bandwidth_bytes_per_s * reference_s) if shared and network.bandwidth_bytes_per_s else None,
        connection=network.connection_s / reference_s,
        per_peer=network.charge is Charge.PEER,
        source=cluster.source,
        sink=cluster.sink,
        capped=tuple(j for j, device in enumerate(cluster.devices) if device.memory_bytes is not None),
        channels=tuple(operator.output_shape.channels for operator in problem.operators),
        footprint=_footprint(problem, geometry) if problem.memory == "runtime" else None,
    )


def _footprint(problem: Problem, geometry: Geometry) -> Footprint:
    unit = geometry.unit * geometry.columns_each
    return Footprint(
        byte=_byte(problem),
        columns=tuple(
            {key: (int(geometry.columns[i, code]), int(unit[i, code])) for code, key in KEYS.items()}
            for i in range(len(problem.operators))
        ),
        in_place=tuple(map(bool, geometry.in_place)),
        pools=tuple(map(bool, geometry.pools)),
        norms=tuple(map(int, geometry.norm_bytes)),
    )


def _byte(problem: Problem) -> tuple[float, ...]:
    """A byte in units of each device's cap."""
    return tuple(0.0 if device.memory_bytes is None else 1 / device.memory_bytes for device in problem.cluster.devices)


def _modes(problem: Problem, geometry: Geometry, i: int, rates: Sequence[float], reference_s: float) -> dict[str, Mode]:
    """The modes of operator i, by name."""
    shares = _byte(problem)
    need_counts = problem.memory != "paper"
    into, out = geometry.tensors[i : i + 1], geometry.tensors[i + 1 : i + 2]
    modes = {}
    for code, key in KEYS.items():
        size, unit = int(geometry.size[i, code]), int(geometry.unit[i, code])
        if size == 0:
            continue
        kind, need, region = _needs(geometry, i, code)
        work = (
            affine(geometry.pre_lo[i, :size], geometry.pre_hi[i, 1 : size + 1]) if code == codes.H else AffineMap(unit)
        )
        box = {ROWS: into.row_bytes, CHANNELS: into.channel_bytes, WHOLE: into.bytes}[kind]
        written = {codes.H: out.pre_row_bytes, codes.OC: out.pre_channel_bytes}.get(code, out.pre_bytes)
        modes[key] = Mode(
            size=size // unit,
            time=tuple(float(geometry.flops[i, code]) / (rate * reference_s) for rate in rates),
            work=work,
            weight=tuple(int(geometry.weight_bytes[i, code]) * unit * share for share in shares),
            resident=tuple(int(geometry.fixed_bytes[i, code]) * share for share in shares),
            need_memory=tuple(int(box[0]) * share * need_counts for share in shares),
            pre_memory=tuple(int(written[0]) * share for share in shares),
            need_kind=kind,
            need=need,
            region=region,
            holds=unit,
        )
    return modes


def _needs(geometry: Geometry, i: int, code: int) -> tuple[str, AffineMap, AffineMap]:
    """What a share needs of the input, and of the pre tensor behind it."""
    size, unit = int(geometry.size[i, code]), int(geometry.unit[i, code])
    if code in (codes.H, codes.IC_ROWS):
        rows = np.arange(size + 1)
        lo = geometry.in_lo[i, :size] if code == codes.H else rows[:-1]
        hi = geometry.in_hi[i, 1 : size + 1] if code == codes.H else rows[1:]
        before = geometry.tensors[i : i + 1]
        return ROWS, affine(lo, hi), affine(before.pre_lo[0, lo], before.pre_hi[0, hi])
    if code == codes.OC and geometry.oc_needs_all[i]:
        return WHOLE, EVERYTHING, EVERYTHING
    each = AffineMap(unit * int(geometry.in_channels[i]) // int(geometry.size[i, code]))
    return CHANNELS, each, each


def affine(lo: np.ndarray, hi: np.ndarray) -> AffineMap:
    """The map of intervals that start at `lo[start]` and end at `hi[end - 1]`: affine, with corrections where it is
    not."""
    size = len(lo)
    if size == 1:
        return AffineMap(int(hi[0] - lo[0]), before=int(-lo[0]), after=int(lo[0]))
    steps = np.concatenate([np.diff(lo), np.diff(hi)])
    scale = int(np.median(steps))
    starts, ends = np.arange(size), np.arange(1, size + 1)
    before = int((scale * starts - lo).max())
    after = int((hi - scale * ends).max())
    start = {int(t): int(lo[t] - scale * t + before) for t in starts if lo[t] != scale * t - before}
    end = {int(t): int(scale * t + after - hi[t - 1]) for t in ends if hi[t - 1] != scale * t + after}
    return AffineMap(scale, before, after, start, end)


def _tensor(geometry: Geometry, i: int) -> Tensor:
    part = geometry.tensors[i : i + 1]
    unit = {ROWS: part.row_bytes, CHANNELS: part.channel_bytes, WHOLE: part.bytes}
    pre_unit = {ROWS: part.pre_row_bytes, CHANNELS: part.pre_channel_bytes, WHOLE: part.pre_bytes}
    return Tensor(
        int(part.rows[0]),
        int(part.channels[0]),
        {kind: float(sizes[0]) for kind, sizes in unit.items()},
        {kind: float(sizes[0]) for kind, sizes in pre_unit.items()},
    )


def choices_of(plan: Plan, problem: Problem) -> tuple[Choice, ...]:
    """A plan in the words of the formulation."""
    found = []
    for split, modes in zip(plan.splits, problem.modes, strict=True):
        unit = next(mode.unit for mode in modes if (mode.axis, mode.along) == (split.axis, split.along))
        shares = tuple((hi - lo) // unit for lo, hi in split.intervals)
        spread = tuple(hi - lo for lo, hi in split.combine.intervals) if isinstance(split.combine, Scatter) else None
        found.append(Choice(KEYS[split_code(split)], shares, spread))
    return tuple(found)


def plan_of(decision: Sequence[Choice], problem: Problem, data: PartitionData) -> Plan:
    """The plan that the formulation decided on."""
    splits = []
    for i, (choice, operator) in enumerate(zip(decision, problem.operators, strict=True)):
        unit = data.modes[i][choice.mode].holds
        intervals = intervals_from([units * unit for units in choice.shares])
        if choice.mode in ("H", "OC"):
            splits.append(Split(operator.name, Axis(choice.mode), intervals))
            continue
        combine = Direct() if choice.spread is None else Scatter(intervals_from(choice.spread))
        splits.append(Split(operator.name, Axis.IC, intervals, "rows" if choice.mode == "IC_ROWS" else None, combine))
    return Plan(tuple(splits))
