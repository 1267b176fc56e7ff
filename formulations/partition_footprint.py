"""Constraint (1) for an executor: whatever it has at once in any step fits, exchanges and poolings included.

The steps and what each has are those of docs/partition.md, model `runtime`; all are linear in shares, in what is moved,
and in whether a device just keeps what it holds.

Variables
    stays[p,j]           1 if what j holds is what it needs, and pair p happens                     binary
    spared[p,j]          rows or channels of its need that j then does not allocate again, p aligned      integer
    norm_channels[i,j]   output channels whose batch norm j has only to apply it to sums of others      integer
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from formulations.partition_data import (
    CHANNELS,
    OC,
    PARTIAL,
    ROWS,
    SINK,
    SOURCE,
    WHOLE,
    AffineMap,
    Footprint,
    H,
    Pair,
    PartitionData,
    longest,
    size_of,
    way,
)
from formulations.partition_decision import held, resident, state, written
from formulations.partition_phases import Flows


@dataclass(frozen=True)
class Lengths:
    """Where a variant keeps what a device needs in the pairs of a transition.

    `of(p, j, rows)`: length of what j's share maps to, if pair p happens; it may be wrong by no more than `longest`
    where the tensor is held otherwise than in pair p, and `loose` says so.
    """

    of: Callable[[Pair, int, AffineMap], Any]
    loose: bool


def add(m: Any, data: PartitionData, flows: Flows, lengths: Lengths) -> None:
    """Add them all to a model with decision, memory and transitions; nothing for a model without a footprint."""
    if data.footprint is None:
        return
    _staying(m, data, flows, lengths)
    _pooling(m, data, data.footprint)
    _exchanges(m, data, flows, lengths, data.footprint)
    _sums(m, data, lengths, data.footprint)
    _scatters(m, data, data.footprint)
    _norms(m, data, lengths)


def _pairs(m: Any, i: int, partial: bool) -> list[Pair]:
    return [p for p in m.PAIRS if p[0] == i and (p[1] == PARTIAL) is partial]


def _once(pairs: list[Pair], loose: bool) -> list[Pair]:
    """Pairs over which lengths add up: where they do not depend on how the tensor is held, one for each mode."""
    return list({p[2]: p for p in pairs}.values()) if loose else pairs


def _is_partial(m: Any, data: PartitionData, i: int) -> Any:
    """1 if the tensor of transition i is held as partial sums."""
    return state(m, data, i - 1, PARTIAL) if i > 0 and i - 1 in m.SUMS else 0


def _needed(m: Any, data: PartitionData, lengths: Lengths, p: Pair, j: int) -> Any:
    """Bytes that j needs of the tensor, if pair p happens."""
    i, c, a = p
    if a == SINK:
        return data.tensors[i].unit[WHOLE] * state(m, data, i - 1, c) if j == data.sink else 0
    mode = data.modes[i][a]
    return data.tensors[i].unit[mode.need_kind] * lengths.of(p, j, mode.need)


def _region(m: Any, data: PartitionData, lengths: Lengths, p: Pair, j: int) -> Any:
    """Bytes of the pre tensor from which j makes what it needs, if pair p happens."""
    i, c, a = p
    if a == SINK:
        return data.tensors[i].pre_unit[WHOLE] * state(m, data, i - 1, c) if j == data.sink else 0
    mode = data.modes[i][a]
    return data.tensors[i].pre_unit[mode.need_kind] * lengths.of(p, j, mode.region)


def _most(data: PartitionData, i: int) -> float:
    """A bound on the bytes of any need and of the region under it, in transition i."""
    modes = [] if i == len(data.modes) else list(data.modes[i].values())
    tensor = data.tensors[i]
    needs = [tensor.unit[mode.need_kind] * longest(mode.need, mode.size) for mode in modes]
    regions = [tensor.pre_unit[mode.need_kind] * longest(mode.region, mode.size) for mode in modes]
    return max([tensor.unit[WHOLE], *needs]) + max([tensor.pre_unit[WHOLE], *regions])


def _staying(m: Any, data: PartitionData, flows: Flows, lengths: Lengths) -> None:
    """A device that holds what it needs allocates nothing for it."""
    kept = [(p, j) for p in m.PAIRS for j in m.CAPPED if p[1] in (ROWS, CHANNELS) and (p[2] != SINK or j == data.sink)]
    m.IN_PART = pyo.Set(initialize=[(*p, j) for p, j in kept if way(data, p) == "aligned"])
    m.WHOLLY = pyo.Set(initialize=[(*p, j) for p, j in kept if way(data, p) != "aligned"])
    m.stays = pyo.Var(m.IN_PART | m.WHOLLY, domain=pyo.Binary)
    m.spared = pyo.Var(m.IN_PART, domain=pyo.NonNegativeIntegers)

    def need(p: Pair, j: int) -> Any:
        return lengths.of(p, j, data.modes[p[0]][p[2]].need)

    @m.Constraint(m.IN_PART)
    def stays_if_needed(m: Any, i: int, c: str, a: str, j: int) -> Any:
        p, mode = (i, c, a), data.modes[i][a]
        return need(p, j) <= flows.moved(p, j, j) + longest(mode.need, mode.size) * (1 - m.stays[p, j])

    @m.Constraint(m.IN_PART)
    def stays_if_held(m: Any, i: int, c: str, a: str, j: int) -> Any:
        p = (i, c, a)
        return flows.held(p, j) <= flows.moved(p, j, j) + size_of(data.tensors[i], c) * (1 - m.stays[p, j])

    @m.Constraint(m.IN_PART)
    def spared_if_stays(m: Any, i: int, c: str, a: str, j: int) -> Any:
        mode = data.modes[i][a]
        return m.spared[i, c, a, j] <= longest(mode.need, mode.size) * m.stays[i, c, a, j]

    @m.Constraint(m.IN_PART)
    def spared_is_needed(m: Any, i: int, c: str, a: str, j: int) -> Any:
        return m.spared[i, c, a, j] <= need((i, c, a), j)

    @m.Constraint(m.WHOLLY)
    def stays_if_all_is_held(m: Any, i: int, c: str, a: str, j: int) -> Any:
        return size_of(data.tensors[i], c) * m.stays[i, c, a, j] <= flows.held((i, c, a), j)

    @m.Constraint(m.WHOLLY)
    def stays_if_all_is_needed(m: Any, i: int, c: str, a: str, j: int) -> Any:
        if a == SINK:
            return pyo.Constraint.Skip
        kind = data.modes[i][a].need_kind
        everything = 1 if kind == WHOLE else size_of(data.tensors[i], kind)
        return everything * m.stays[i, c, a, j] <= need((i, c, a), j)


def _pooling(m: Any, data: PartitionData, footprint: Footprint) -> None:
    """A pooling has the pre box and what it makes of it."""

    def output(i: int, a: str, j: int) -> Any:
        units, byte = data.tensors[i + 1].unit, footprint.byte[j]
        if a not in (H, OC):
            return 0
        return byte * units[ROWS if a == H else CHANNELS] * data.modes[i][a].holds * m.share[i, a, j]

    @m.Constraint([i for i in m.I if footprint.pools[i]], m.CAPPED)
    def memory_pooling(m: Any, i: int, j: int) -> Any:
        boxes = sum(written(m, data, i, a, j) + output(i, a, j) for a in data.modes[i])
        return resident(m, data, j) + boxes <= 1 + m.extra[j]


def _exchanges(m: Any, data: PartitionData, flows: Flows, lengths: Lengths, footprint: Footprint) -> None:
    """What is held, sent as copies, received apart, and needed."""

    def messages(p: Pair, j: int) -> Any:
        i, c, a = p
        by_rows = a != SINK and data.modes[i][a].need_kind == ROWS
        packs = by_rows and c != CHANNELS
        in_place = c == SOURCE or (c == CHANNELS and not by_rows)
        others = [k for k in m.J if k != j]
        sent = sum(flows.bytes(data, p, j, k) for k in others) if packs else 0
        return sent + (0 if in_place else sum(flows.bytes(data, p, k, j) for k in others))

    def spared(p: Pair, j: int) -> Any:
        i, _, a = p
        if (*p, j) in m.IN_PART:
            return data.tensors[i].unit[data.modes[i][a].need_kind] * m.spared[p, j]
        return data.tensors[i].unit[WHOLE] * m.stays[p, j] if (*p, j) in m.WHOLLY else 0

    def has(i: int, j: int) -> Any:
        unit = data.tensors[i].unit
        return sum(unit[c] * held(m, data, i - 1, c, j) for c in (ROWS, CHANNELS) if (i, c) in states)

    states = {p[:2] for p in m.PAIRS if p[0] > 0}

    @m.Constraint(m.STEPS, m.CAPPED)
    def memory_exchange(m: Any, i: int, j: int) -> Any:
        pairs = _pairs(m, i, partial=False)
        total = has(i, j) + sum(messages(p, j) - spared(p, j) for p in pairs)
        ends = [p for p in pairs if p[2] == SINK]
        inner = _once([p for p in pairs if p[2] != SINK], lengths.loose)
        total += sum(_needed(m, data, lengths, p, j) for p in [*ends, *inner])
        if lengths.loose and inner:
            total -= _most(data, i) * _is_partial(m, data, i)
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]

    @m.Constraint([i for i in m.STEPS if i - 1 in m.SUMS], m.CAPPED)
    def memory_sums(m: Any, i: int, j: int) -> Any:
        total = data.tensors[i].pre_unit[WHOLE] * m.direct_part[i - 1, j]
        total += sum(messages(p, j) for p in _pairs(m, i, partial=True))
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]


def _sums(m: Any, data: PartitionData, lengths: Lengths, footprint: Footprint) -> None:
    """Who has partial sums and receives none copies its region; then the sums are pooled."""
    after = [i for i in m.STEPS if i - 1 in m.SUMS]

    @m.Constraint(after, m.CAPPED)
    def memory_own_sums(m: Any, i: int, j: int) -> Any:
        own = m.direct_part[i - 1, j]
        region = sum(_region(m, data, lengths, p, j) for p in _pairs(m, i, partial=True))
        total = data.tensors[i].pre_unit[WHOLE] * own + region - _most(data, i) * (1 - own)
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]

    @m.Constraint([i for i in after if footprint.pools[i - 1]], m.CAPPED)
    def memory_pooling_sums(m: Any, i: int, j: int) -> Any:
        pairs = _pairs(m, i, partial=True)
        total = sum(_region(m, data, lengths, p, j) + _needed(m, data, lengths, p, j) for p in pairs)
        if lengths.loose and i < len(data.modes):
            total -= _most(data, i) * (1 - _is_partial(m, data, i))
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]


def _scatters(m: Any, data: PartitionData, footprint: Footprint) -> None:
    """The same in a reduce-scatter."""

    def sums(i: int, j: int) -> Any:
        return data.tensors[i + 1].pre_unit[WHOLE] * m.scatter_part[i, j]

    @m.Constraint(m.SUMS, m.CAPPED)
    def memory_scatter(m: Any, i: int, j: int) -> Any:
        received = sum(m.spread_from[i, k, j] for k in m.J if k != j)
        total = sums(i, j) + data.tensors[i + 1].pre_unit[CHANNELS] * received
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]

    @m.Constraint(m.SUMS, m.CAPPED)
    def memory_own_spread(m: Any, i: int, j: int) -> Any:
        region = m.spread[i, j] - data.channels[i] * (1 - m.scatter_part[i, j])
        total = sums(i, j) + data.tensors[i + 1].pre_unit[CHANNELS] * region
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]

    @m.Constraint([i for i in m.SUMS if footprint.pools[i]], m.CAPPED)
    def memory_pooling_spread(m: Any, i: int, j: int) -> Any:
        tensor = data.tensors[i + 1]
        total = (tensor.pre_unit[CHANNELS] + tensor.unit[CHANNELS]) * m.spread[i, j]
        return resident(m, data, j) + footprint.byte[j] * total <= 1 + m.extra[j]


def _norms(m: Any, data: PartitionData, lengths: Lengths) -> None:
    """Who adds up sums and has none of its own holds scale and shift of the channels that it needs."""
    index = pyo.Set(initialize=list(m.norm_channels))

    def channels(p: Pair, j: int) -> Any:
        i, c, a = p
        every = data.channels[i - 1]
        if a == SINK:
            return every * state(m, data, i - 1, c) if j == data.sink else 0
        mode = data.modes[i][a]
        each = AffineMap(scale=0, after=every)
        return lengths.of(p, j, mode.need if mode.need_kind == CHANNELS else each)

    @m.Constraint(index)
    def norms_of_sums(m: Any, i: int, j: int) -> Any:
        needed = sum(channels(p, j) for p in _pairs(m, i + 1, partial=True))
        if lengths.loose and i + 1 < len(data.modes):
            needed -= data.channels[i] * (1 - _is_partial(m, data, i + 1))
        return m.norm_channels[i, j] >= needed - data.channels[i] * m.direct_part[i, j]

    @m.Constraint(index)
    def norms_of_spread(m: Any, i: int, j: int) -> Any:
        return m.norm_channels[i, j] >= m.spread[i, j] - data.channels[i] * m.scatter_part[i, j]
