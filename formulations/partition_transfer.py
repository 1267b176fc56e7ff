"""What is moved between the operators of a chain, and how long that takes: the transitions of `partition.py`.

The bytes of a transition follow from the axis before and the axis after it. For every pair of the two there is a copy
of the shares on both sides (zero unless the pair happens), so that each pair is linear in its own copies and their
relaxation is tight.

Sets
    c in C_i    how the tensor of transition i is held: rows, channels, partial (sums), source (i = 0: all on it)
    PAIRS       (i, c, a): the tensor of transition i is held as c and operator i takes mode a (SINK for i = n)

Variables
    y[p]                    1 if pair p happens
    share_of[p,j], part_of[p,j], first_of[p,t,j], last_of[p,t,j]   copies of the consumer's decision
    held_of[p,k]            rows or channels that k holds; sums_of[p,k]: 1 if k holds partial sums
    X[p,k,j]                rows or channels that j has of k's (k = j: of its own); of sums: what k sends j
    meet[p,k,j]             1 if what k holds may meet what j needs
    V[p]                    time of the bytes of the transition, if pair p happens                 (the only reals)
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from formulations import partition_footprint
from formulations.partition_data import (
    CHANNELS,
    PARTIAL,
    ROWS,
    SINK,
    AffineMap,
    Pair,
    PartitionData,
    clipped,
    held_as,
    longest,
    size_of,
    way,
)
from formulations.partition_decision import held, length, state
from formulations.partition_footprint import Lengths
from formulations.partition_phases import Flows, add_connections, add_reduce_scatter, add_volume


def add(m: Any, data: PartitionData) -> None:
    """Add every transition to a model that has the decision."""
    _sets(m, data)
    _pairs(m, data)
    _copies(m, data)
    _held(m, data)
    m.X = pyo.Var(m.MOVING, m.J, m.J, domain=pyo.NonNegativeIntegers)
    _aligned(m, data)
    _concatenated(m, data)
    _partial(m, data)
    m.V = pyo.Var(m.PAIRS, domain=pyo.NonNegativeReals)
    flows = Flows(
        moved=lambda p, k, j: m.X[p, k, j],
        need=lambda p, j: copy_length(m, p, j, data.modes[p[0]][p[2]].need),
        part=lambda p, j: m.part_of[p, j],
        held=lambda p, k: m.held_of[p, k],
        sums=lambda p, k: m.sums_of[p, k],
    )
    add_volume(m, data, m.PAIRS, lambda p, k, j: flows.bytes(data, p, k, j))
    add_reduce_scatter(m, data)
    add_connections(m, data, flows)
    partition_footprint.add(m, data, flows, Lengths(lambda p, j, rows: copy_length(m, p, j, rows), loose=False))


def _sets(m: Any, data: PartitionData) -> None:
    every = list(m.PAIRS)
    m.INTO = pyo.Set(initialize=[p for p in every if p[2] != SINK])
    m.HELD = pyo.Set(initialize=[p for p in every if p[1] in (ROWS, CHANNELS)])
    m.PARTIAL = pyo.Set(initialize=[p for p in every if p[1] == PARTIAL])
    m.ALIGNED = pyo.Set(initialize=[p for p in every if way(data, p) == "aligned"])
    m.CONCATENATED = pyo.Set(initialize=[p for p in every if way(data, p) == "concatenated"])
    m.SUMMED = pyo.Set(initialize=[p for p in every if way(data, p) == PARTIAL])
    m.MOVING = m.ALIGNED | m.CONCATENATED | m.SUMMED
    m.STATES = pyo.Set(initialize=sorted({(i, c) for i, c, _ in every if i > 0}))
    m.FIRST_OF = pyo.Set(initialize=[(*p, t) for p in m.INTO for t in clipped(data.modes[p[0]][p[2]], "start")])
    m.LAST_OF = pyo.Set(initialize=[(*p, t) for p in m.INTO for t in clipped(data.modes[p[0]][p[2]], "end")])


def _pairs(m: Any, data: PartitionData) -> None:
    """Which pair happens: one per transition, by the state before; by the mode after, as the copies of shares sum."""
    m.y = pyo.Var(m.PAIRS, domain=pyo.Binary)

    @m.Constraint(m.STATES)
    def pair_of_state(m: Any, i: int, c: str) -> Any:
        return sum(m.y[p] for p in m.PAIRS if p[:2] == (i, c)) == state(m, data, i - 1, c)


def _copies(m: Any, data: PartitionData) -> None:
    """The consumer's decision, once per pair."""
    m.share_of = pyo.Var(m.INTO, m.J, domain=pyo.NonNegativeIntegers)
    m.part_of = pyo.Var(m.INTO, m.J, domain=pyo.Binary)
    m.first_of = pyo.Var(m.FIRST_OF, m.J, domain=pyo.Binary)
    m.last_of = pyo.Var(m.LAST_OF, m.J, domain=pyo.Binary)

    @m.Constraint(m.IA, m.J)
    def shares_of_pairs(m: Any, i: int, a: str, j: int) -> Any:
        return sum(m.share_of[i, c, a, j] for c in held_as(data, i)) == m.share[i, a, j]

    @m.Constraint(m.IA, m.J)
    def parts_of_pairs(m: Any, i: int, a: str, j: int) -> Any:
        return sum(m.part_of[i, c, a, j] for c in held_as(data, i)) == m.part[i, a, j]

    @m.Constraint(m.FIRST, m.J)
    def firsts_of_pairs(m: Any, i: int, a: str, t: int, j: int) -> Any:
        return sum(m.first_of[i, c, a, t, j] for c in held_as(data, i)) == m.first[i, a, t, j]

    @m.Constraint(m.LAST, m.J)
    def lasts_of_pairs(m: Any, i: int, a: str, t: int, j: int) -> Any:
        return sum(m.last_of[i, c, a, t, j] for c in held_as(data, i)) == m.last[i, a, t, j]

    @m.Constraint(m.INTO)
    def share_sum_of_pair(m: Any, i: int, c: str, a: str) -> Any:
        return sum(m.share_of[i, c, a, j] for j in m.J) == data.modes[i][a].size * m.y[i, c, a]

    @m.Constraint(m.INTO, m.J)
    def share_of_part(m: Any, i: int, c: str, a: str, j: int) -> Any:
        return m.share_of[i, c, a, j] <= data.modes[i][a].size * m.part_of[i, c, a, j]

    @m.Constraint(m.INTO, m.J)
    def part_of_share(m: Any, i: int, c: str, a: str, j: int) -> Any:
        return m.part_of[i, c, a, j] <= m.share_of[i, c, a, j]

    @m.Constraint(m.INTO, m.J)
    def part_of_pair(m: Any, i: int, c: str, a: str, j: int) -> Any:
        return m.part_of[i, c, a, j] <= m.y[i, c, a]

    @m.Constraint(m.FIRST_OF, m.J)
    def first_of_part(m: Any, i: int, c: str, a: str, t: int, j: int) -> Any:
        return m.first_of[i, c, a, t, j] <= m.part_of[i, c, a, j]

    @m.Constraint(m.LAST_OF, m.J)
    def last_of_part(m: Any, i: int, c: str, a: str, t: int, j: int) -> Any:
        return m.last_of[i, c, a, t, j] <= m.part_of[i, c, a, j]


def _held(m: Any, data: PartitionData) -> None:
    """What the producer left, once per pair."""
    m.held_of = pyo.Var(m.HELD, m.J, domain=pyo.NonNegativeIntegers)
    m.sums_of = pyo.Var(m.PARTIAL, m.J, domain=pyo.Binary)

    @m.Constraint(m.STATES, m.J)
    def held_of_pairs(m: Any, i: int, c: str, j: int) -> Any:
        if c == PARTIAL:
            return sum(m.sums_of[p, j] for p in m.PARTIAL if p[0] == i) == m.direct_part[i - 1, j]
        return sum(m.held_of[p, j] for p in m.HELD if p[:2] == (i, c)) == held(m, data, i - 1, c, j)

    @m.Constraint(m.HELD)
    def held_sum_of_pair(m: Any, i: int, c: str, a: str) -> Any:
        return sum(m.held_of[i, c, a, j] for j in m.J) == size_of(data.tensors[i], c) * m.y[i, c, a]

    @m.Constraint(m.PARTIAL, m.J)
    def sums_of_pair(m: Any, i: int, c: str, a: str, j: int) -> Any:
        return m.sums_of[i, c, a, j] <= m.y[i, c, a]

    @m.Constraint(m.PARTIAL)
    def sums_exist(m: Any, i: int, c: str, a: str) -> Any:
        return sum(m.sums_of[i, c, a, j] for j in m.J) >= m.y[i, c, a]


def copy_length(m: Any, p: Pair, j: int, rows: AffineMap) -> Any:
    """Length of what device j's share maps to, in the copies of pair p."""
    first = {t: m.first_of[p, t, j] for t in rows.start}
    last = {t: m.last_of[p, t, j] for t in rows.end}
    return length(rows, m.share_of[p, j], m.part_of[p, j], first, last)


def _aligned(m: Any, data: PartitionData) -> None:
    """Rows meet a row need, or channels a channel need: what k holds and j needs overlaps, and no more can come from
    k."""
    m.meet = pyo.Var(m.ALIGNED, m.J, m.J, domain=pyo.Binary)

    @m.Constraint(m.ALIGNED, m.J)
    def need_is_met(m: Any, i: int, c: str, a: str, j: int) -> Any:
        need = copy_length(m, (i, c, a), j, data.modes[i][a].need)
        return sum(m.X[i, c, a, k, j] for k in m.J) == need

    @m.Constraint(m.ALIGNED, m.J, m.J)
    def from_what_is_held(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        return m.X[i, c, a, k, j] <= m.held_of[i, c, a, k]

    @m.Constraint(m.ALIGNED, m.J, m.J)
    def only_where_they_meet(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        return m.X[i, c, a, k, j] <= size_of(data.tensors[i], c) * m.meet[i, c, a, k, j]

    @m.Constraint(m.ALIGNED, m.J, m.J)
    def meet_below_need(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        """X <= (end of the need) - (start of what is held)."""
        need, y = data.modes[i][a].need, m.y[i, c, a]
        if k == 0:
            return pyo.Constraint.Skip
        end = need.scale * sum(m.share_of[i, c, a, g] for g in range(j + 1)) + need.after * y
        end -= sum(cut * m.last_of[i, c, a, t, j] for t, cut in need.end.items())
        start = sum(m.held_of[i, c, a, g] for g in range(k))
        slack = size_of(data.tensors[i], c) - min(0, need.after)
        return m.X[i, c, a, k, j] <= end - start + slack * (y - m.meet[i, c, a, k, j])

    @m.Constraint(m.ALIGNED, m.J, m.J)
    def meet_above_need(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        """X <= (end of what is held) - (start of the need)."""
        need, y = data.modes[i][a].need, m.y[i, c, a]
        if k == max(m.J):
            return pyo.Constraint.Skip
        start = need.scale * sum(m.share_of[i, c, a, g] for g in range(j)) - need.before * y
        start += sum(cut * m.first_of[i, c, a, t, j] for t, cut in need.start.items())
        end = sum(m.held_of[i, c, a, g] for g in range(k + 1))
        slack = max(size_of(data.tensors[i], c), need.scale * data.modes[i][a].size - need.before)
        return m.X[i, c, a, k, j] <= end - start + slack * (y - m.meet[i, c, a, k, j])


def _concatenated(m: Any, data: PartitionData) -> None:
    """Any other pair of axes: who takes part needs all of the tensor (the concatenation that IOP avoids)."""

    @m.Constraint(m.CONCATENATED, m.J)
    def need_everything(m: Any, i: int, c: str, a: str, j: int) -> Any:
        whole = size_of(data.tensors[i], c)
        return sum(m.X[i, c, a, k, j] for k in m.J) == whole * m.part_of[i, c, a, j]

    @m.Constraint(m.CONCATENATED, m.J, m.J)
    def from_all_that_is_held(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        return m.X[i, c, a, k, j] <= m.held_of[i, c, a, k]


def _partial(m: Any, data: PartitionData) -> None:
    """Partial sums combined directly: j gets its region of the pre tensor from everybody else who has sums of it."""

    @m.Constraint(m.SUMMED, m.J, m.J)
    def region_from_all(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        if k == j:
            return pyo.Constraint.Skip
        mode = data.modes[i][a]
        region = copy_length(m, (i, c, a), j, mode.region)
        return m.X[i, c, a, k, j] >= region - longest(mode.region, mode.size) * (m.y[i, c, a] - m.sums_of[i, c, a, k])
