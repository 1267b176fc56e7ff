"""A second judge of plans, slow and literal: docs/partition.md but for its methods, with sets of cells and plain loops.

A tensor is the set of its cells `(channel, row)`; a cell weighs `width * 4` bytes. What a device holds or needs is a
set of cells. Nothing here comes from the evaluator: windows, FLOPs, parameters and moves are derived anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from iopt.graph import Operator
from iopt.graph.layers import Conv2d, Linear, Shape
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split
from iopt.partition.problem import Problem
from tests.partition.reference_network import (
    Cells,
    Tensor,
    all_cells,
    cell_bytes,
    channel_parameters,
    input_rows_for,
    of_channels,
    of_rows,
    operations,
    pre_rows_for,
    weights,
)


class Exchange(NamedTuple):
    operator: str
    kind: str
    time_s: float
    bytes: dict[tuple[int, int], int]
    """Bytes from device k to device j, only where there are some."""


@dataclass(frozen=True)
class Judgement:
    latency_s: float
    compute_s: list[float]
    phases: list[Exchange]
    memory_bytes: list[int]


# Decision: what a share computes, needs and leaves


def share(interval: tuple[int, int]) -> set[int]:
    return set(range(*interval))


def reads_per_channel(operator: Operator) -> int:
    """Input channels that one output channel reads."""
    groups = operator.body.groups if isinstance(operator.body, Conv2d) else 1
    return operator.input_shapes[0].channels // groups


def input_channels_for(operator: Operator, channels: set[int]) -> set[int]:
    """Input channels that output channels read."""
    body, before = operator.body, operator.input_shapes[0]
    if not isinstance(body, Conv2d | Linear):
        return channels
    if isinstance(body, Linear) or body.groups == 1:
        return set(range(before.channels)) if channels else set()
    found: set[int] = set()
    for channel in channels:
        group = channel // (operator.output_shape.channels // body.groups)
        size = before.channels // body.groups
        found |= {group * size + offset for offset in range(size)}
    return found


def needs(operator: Operator, split: Split) -> Tensor:
    """Cells of the input that each device needs."""
    before = operator.input_shapes[0]
    parts = [share(interval) for interval in split.intervals]
    if split.axis is Axis.H:
        rows = [input_rows_for(operator, pre_rows_for(operator, part)) for part in parts]
        return Tensor("rows", [of_rows(before, part) for part in rows])
    if split.axis is Axis.IC and split.along == "rows":
        return Tensor("rows", [of_rows(before, part) for part in parts])
    if split.axis is Axis.IC:
        return Tensor("channels", [of_channels(before, part) for part in parts])
    full = isinstance(operator.body, Linear) or (isinstance(operator.body, Conv2d) and operator.body.groups == 1)
    channels = [input_channels_for(operator, part) for part in parts]
    return Tensor("whole" if full else "channels", [of_channels(before, part) for part in channels])


def leaves(operator: Operator, split: Split) -> Tensor:
    """How the output is held after compute and reduce-scatter; `partial`: cells of the pre tensor to be summed."""
    after = operator.output_shape
    if split.axis is Axis.H:
        return Tensor("rows", [of_rows(after, share(interval)) for interval in split.intervals])
    if split.axis is Axis.OC:
        return Tensor("channels", [of_channels(after, share(interval)) for interval in split.intervals])
    if isinstance(split.combine, Scatter):
        return Tensor("channels", [of_channels(after, share(interval)) for interval in split.combine.intervals])
    return partial_sums(operator, split)


def partial_sums(operator: Operator, split: Split) -> Tensor:
    pre = operator.pre_shape
    return Tensor("partial", [all_cells(pre) if share(interval) else set() for interval in split.intervals])


def flops_of(operator: Operator, split: Split, part: set[int]) -> int:
    pre, channels, reads = operator.pre_shape, operator.output_shape.channels, reads_per_channel(operator)
    if split.axis is Axis.H:
        return operations(operator, channels, reads, len(pre_rows_for(operator, part)))
    if split.axis is Axis.OC:
        return operations(operator, len(part), reads, pre.height)
    if split.along == "rows":
        return operations(operator, channels, reads, pre.height, in_rows=len(part))
    return operations(operator, channels, len(part), pre.height)


def parameter_bytes_of(operator: Operator, split: Split, part: set[int]) -> int:
    channels, reads = operator.output_shape.channels, reads_per_channel(operator)
    if not part:
        return 0
    if split.axis is Axis.H:
        count = weights(operator, channels, reads) + channel_parameters(operator, channels)
    elif split.axis is Axis.OC:
        count = weights(operator, len(part), reads) + channel_parameters(operator, len(part))
    elif split.along == "rows":
        count = weights(operator, channels, reads, in_rows=len(part)) + channel_parameters(operator, channels)
    else:
        count = weights(operator, channels, len(part)) + channel_parameters(operator, channels)
    return 4 * count


def written(operator: Operator, split: Split, part: set[int]) -> Cells:
    """Cells of the pre tensor that a device writes."""
    if split.axis is Axis.H:
        return of_rows(operator.pre_shape, pre_rows_for(operator, part))
    if split.axis is Axis.OC:
        return of_channels(operator.pre_shape, part)
    return all_cells(operator.pre_shape) if part else set()


# Transfers


def region(producer: Operator, kind: str, need: Cells) -> Cells:
    """Cells of the pre tensor from which a device makes the cells of the output that it needs."""
    if not need:
        return set()
    if kind == "rows":
        return of_rows(producer.pre_shape, pre_rows_for(producer, {row for _, row in need}))
    if kind == "channels":
        return of_channels(producer.pre_shape, {channel for channel, _ in need})
    return all_cells(producer.pre_shape)


def transfer(shape: Shape, producer: Operator | None, held: Tensor, need: Tensor) -> dict[tuple[int, int], int]:
    """Bytes from k to j. `producer` is None for the input of the network."""
    devices = range(len(need.cells))
    found: dict[tuple[int, int], int] = {}
    for j in devices:
        if not need.cells[j]:
            continue
        for k in devices:
            if k == j or not held.cells[k]:
                continue
            if held.kind == "partial":
                assert producer is not None
                count = len(region(producer, need.kind, need.cells[j])) * cell_bytes(producer.pre_shape)
            elif held.kind in (need.kind, "source"):
                count = len((need.cells[j] - held.cells[j]) & held.cells[k]) * cell_bytes(shape)
            else:
                count = len((all_cells(shape) - held.cells[j]) & held.cells[k]) * cell_bytes(shape)
            if count:
                found[k, j] = count
    return found


def phase_time(problem: Problem, moved: dict[tuple[int, int], int]) -> float:
    if not moved:
        return 0.0
    network, devices = problem.cluster.network, range(len(problem.cluster.devices))
    connections = 1
    if network.charge == "peer":
        peers = [{j for k, j in moved if k == d} | {k for k, j in moved if j == d} for d in devices]
        connections = max(len(each) for each in peers)
    if network.medium == "shared":
        assert network.bandwidth_bytes_per_s is not None
        volume = sum(moved.values()) / network.bandwidth_bytes_per_s
    else:
        volume = 0.0
        for d in devices:
            sent = sum(count for (k, _), count in moved.items() if k == d)
            received = sum(count for (_, j), count in moved.items() if j == d)
            volume = max(volume, sent / network.up_bytes_per_s[d], received / network.down_bytes_per_s[d])
    return network.connection_s * connections + volume


# Latency and memory


def judge(problem: Problem, plan: Plan) -> Judgement:
    devices = range(len(problem.cluster.devices))
    source, sink = problem.cluster.source, problem.cluster.sink
    shape = problem.graph.input_shape
    held, producer = _on(source, "source", shape, len(devices)), None
    phases: list[Exchange] = []
    compute: list[float] = []

    def exchange(operator: Operator, kind: str, moved: dict[tuple[int, int], int]) -> None:
        if moved:
            phases.append(Exchange(operator.name, kind, phase_time(problem, moved), moved))

    for operator, split in zip(problem.operators, plan.splits, strict=True):
        moved = transfer(shape, producer, held, needs(operator, split))
        exchange(operator, "input" if producer is None else "transfer", moved)
        seconds = []
        for device, interval in zip(problem.cluster.devices, split.intervals, strict=True):
            part = share(interval)
            busy = device.overhead_s if part else 0.0
            seconds.append(busy + flops_of(operator, split, part) / device.flops_per_s)
        compute.append(max(seconds))
        shape, producer, held = operator.output_shape, operator, leaves(operator, split)
        if isinstance(split.combine, Scatter):
            exchange(operator, "scatter", transfer(shape, operator, partial_sums(operator, split), held))
        if split.via == "source":
            assert not isinstance(split.combine, Direct)
            everything = _on(source, "whole", shape, len(devices))
            exchange(operator, "gather", transfer(shape, operator, held, everything))
            held = _on(source, "source", shape, len(devices))
    assert producer is not None
    exchange(producer, "output", transfer(shape, producer, held, _on(sink, "whole", shape, len(devices))))
    latency = sum(compute) + sum(phase.time_s for phase in phases)
    return Judgement(latency, compute, phases, [memory_of(problem, plan, device) for device in devices])


def _on(device: int, kind: str, shape: Shape, devices: int) -> Tensor:
    """The whole tensor on one device."""
    return Tensor(kind, [all_cells(shape) if each == device else set() for each in range(devices)])


def memory_of(problem: Problem, plan: Plan, device: int) -> int:
    resident, busiest = 0, 0
    for operator, split in zip(problem.operators, plan.splits, strict=True):
        part = share(split.intervals[device])
        resident += parameter_bytes_of(operator, split, part)
        box = len(written(operator, split, part)) * cell_bytes(operator.pre_shape)
        if problem.memory == "live":
            box += len(needs(operator, split).cells[device]) * cell_bytes(operator.input_shapes[0])
        busiest = max(busiest, box)
    return resident + busiest


def keeps_caps(problem: Problem, judgement: Judgement) -> bool:
    return all(
        device.memory_bytes is None or need <= device.memory_bytes
        for device, need in zip(problem.cluster.devices, judgement.memory_bytes, strict=True)
    )
