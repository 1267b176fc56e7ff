"""Inequalities that no plan violates: they change no optimum, only how soon it is proved.

Most rest on *how many* devices take part, because a linear relaxation likes to give every device a hundredth of
everything:

    count[i,a,q]      1 if exactly q devices take part in operator i, mode a;   count_of[p,q] the same of pair p
    single_sums[p]    1 if exactly one device holds the partial sums of pair p
    kept[p,k], spread_kept[i,k]   what k needs of its own partial sums (it does not travel)
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from formulations.partition_data import (
    PARTIAL,
    SINK,
    Pair,
    PartitionData,
    held_as,
    longest,
    sum_modes,
    way,
)
from formulations.partition_transfer import copy_length
from formulations.partition_windows import always_overlap, makespan, union


def add(m: Any, data: PartitionData) -> None:
    """Add them all to a model with decision, transitions and phases."""
    _counts(m, data)
    _makespans(m, data)
    _sent_sums(m, data)
    _sent_spread(m, data)
    _forced_connections(m, data)


def _counts(m: Any, data: PartitionData) -> None:
    m.Q = pyo.RangeSet(1, len(data.overhead))
    m.count = pyo.Var(m.IA, m.Q, domain=pyo.Binary)
    m.count_of = pyo.Var(m.INTO, m.Q, domain=pyo.Binary)
    m.single_sums = pyo.Var(m.PARTIAL, domain=pyo.Binary)

    @m.Constraint(m.IA, m.Q)
    def counts_of_pairs(m: Any, i: int, a: str, q: int) -> Any:
        return sum(m.count_of[i, c, a, q] for c in held_as(data, i)) == m.count[i, a, q]

    @m.Constraint(m.INTO)
    def some_count_of_pair(m: Any, i: int, c: str, a: str) -> Any:
        return sum(m.count_of[i, c, a, q] for q in m.Q) == m.y[i, c, a]

    @m.Constraint(m.INTO)
    def count_parts_of_pair(m: Any, i: int, c: str, a: str) -> Any:
        return sum(q * m.count_of[i, c, a, q] for q in m.Q) == sum(m.part_of[i, c, a, j] for j in m.J)

    @m.Constraint(m.PARTIAL)
    def single_or_several(m: Any, i: int, c: str, a: str) -> Any:
        p = (i, c, a)
        return sum(m.sums_of[p, j] for j in m.J) >= 2 * m.y[p] - m.single_sums[p]

    @m.Constraint(sorted({p[0] for p in m.PARTIAL}))
    def single_sums_are_single(m: Any, i: int) -> Any:
        singles = sum(m.count[i - 1, a, 1] for a in sum_modes(data, i - 1))
        return sum(m.single_sums[p] for p in m.PARTIAL if p[0] == i) <= singles


def _makespans(m: Any, data: PartitionData) -> None:
    """Exactly q devices need at least the best whole-unit makespan of any q of them."""
    least = {(i, a, q): makespan(data, data.modes[i][a], q) for i, a in m.IA for q in m.Q}

    @m.Constraint(m.IA)
    def makespan_of_count(m: Any, i: int, a: str) -> Any:
        known = {q: time for q in m.Q if (time := least[i, a, q]) is not None}
        return m.T[i, a] >= sum(time * m.count[i, a, q] for q, time in known.items())

    @m.Constraint(m.IA, m.Q)
    def no_such_count(m: Any, i: int, a: str, q: int) -> Any:
        return m.count[i, a, q] == 0 if least[i, a, q] is None else pyo.Constraint.Skip


def _sent_sums(m: Any, data: PartitionData) -> None:
    """Who holds partial sums sends all that is needed of them, except what it needs itself."""
    m.kept = pyo.Var(m.SUMMED, m.J, domain=pyo.NonNegativeIntegers)

    def region(p: Any, j: int) -> Any:
        return copy_length(m, p, j, data.modes[p[0]][p[2]].region)

    @m.Constraint(m.SUMMED, m.J)
    def kept_is_needed(m: Any, i: int, c: str, a: str, k: int) -> Any:
        return m.kept[i, c, a, k] <= region((i, c, a), k)

    @m.Constraint(m.SUMMED, m.J)
    def sums_are_sent(m: Any, i: int, c: str, a: str, k: int) -> Any:
        mode, p = data.modes[i][a], (i, c, a)
        needed = union(mode.region, mode.size)
        sent = sum(m.X[p, k, j] for j in m.J if j != k)
        return sent >= needed * m.sums_of[p, k] - m.kept[p, k]

    @m.Constraint(m.SUMMED, m.J)
    def sums_are_received(m: Any, i: int, c: str, a: str, j: int) -> Any:
        mode, p = data.modes[i][a], (i, c, a)
        received = sum(m.X[p, k, j] for k in m.J if k != j)
        return received >= region(p, j) - longest(mode.region, mode.size) * m.single_sums[p]


def _sent_spread(m: Any, data: PartitionData) -> None:
    """The same in a reduce-scatter."""
    m.spread_kept = pyo.Var(m.SUMS, m.J, domain=pyo.NonNegativeIntegers)

    @m.Constraint(m.SUMS, m.J)
    def spread_kept_is_received(m: Any, i: int, k: int) -> Any:
        return m.spread_kept[i, k] <= m.spread[i, k]

    @m.Constraint(m.SUMS, m.J)
    def spread_is_sent(m: Any, i: int, k: int) -> Any:
        sent = sum(m.spread_from[i, k, j] for j in m.J if j != k)
        return sent >= data.channels[i] * m.scatter_part[i, k] - m.spread_kept[i, k]

    @m.Constraint(m.SUMS, m.J)
    def spread_is_received(m: Any, i: int, j: int) -> Any:
        single = sum(m.count[i, a, 1] for a in sum_modes(data, i))
        received = sum(m.spread_from[i, k, j] for k in m.J if k != j)
        return received >= m.spread[i, j] - data.channels[i] * single


def _forced_connections(m: Any, data: PartitionData) -> None:
    """Where bytes are certain to flow, a connection is open."""

    def spared(p: Any) -> Any:
        """1 if pair p may happen without bytes, although it is certain otherwise."""
        return m.single_sums[p] if p[1] == PARTIAL else m.count_of[p, 1]

    @m.Constraint(m.STEPS)
    def certain_connection(m: Any, i: int) -> Any:
        certain = [p for p in m.PAIRS if p[0] == i and _moves_surely(data, p)]
        return m.peers[i] >= sum(m.y[p] - spared(p) for p in certain) if certain else pyo.Constraint.Skip

    @m.Constraint(m.SUMS)
    def certain_scatter_connection(m: Any, i: int) -> Any:
        return m.scatter_peers[i] >= m.scatter[i] - sum(m.count[i, a, 1] for a in sum_modes(data, i))


def _moves_surely(data: PartitionData, p: Pair) -> bool:
    """Bytes flow in pair p whenever several devices need something (several hold partial sums of it)."""
    i, c, a = p
    if c == PARTIAL or a == SINK:
        return c == PARTIAL
    mode = data.modes[i][a]
    return way(data, p) != "aligned" or always_overlap(mode.need, mode.size)
