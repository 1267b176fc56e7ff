"""The decision of the partition formulations, its compute and its memory: constraints (1)-(6) of IOP. See
`partition.py`."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from formulations.partition_data import CHANNELS, OC, ROWS, AffineMap, H, PartitionData, clipped, pairs, sum_modes


def add_sets(m: Any, data: PartitionData) -> None:
    n = len(data.modes)
    m.I = pyo.RangeSet(0, n - 1)
    m.J = pyo.RangeSet(0, len(data.overhead) - 1)
    m.STEPS = pyo.RangeSet(0, n)
    m.PAIRS = pyo.Set(initialize=pairs(data))
    m.CAPPED = pyo.Set(initialize=list(data.capped))
    m.IA = pyo.Set(initialize=[(i, a) for i in range(n) for a in data.modes[i]])
    m.SUMS = pyo.Set(initialize=[i for i in range(n) if sum_modes(data, i)])
    m.FIRST = pyo.Set(initialize=[(i, a, t) for i, a in m.IA for t in clipped(data.modes[i][a], "start")])
    m.LAST = pyo.Set(initialize=[(i, a, t) for i, a in m.IA for t in clipped(data.modes[i][a], "end")])


def add_decision(m: Any, data: PartitionData) -> None:
    """Constraints (2)-(5) of the paper: one dimension per operator, shares sum to it."""
    size = {(i, a): data.modes[i][a].size for i, a in m.IA}
    m.x = pyo.Var(m.IA, domain=pyo.Binary)
    m.share = pyo.Var(m.IA, m.J, domain=pyo.NonNegativeIntegers, bounds=lambda m, i, a, j: (0, size[i, a]))
    m.part = pyo.Var(m.IA, m.J, domain=pyo.Binary)
    m.scatter = pyo.Var(m.SUMS, domain=pyo.Binary)
    m.spread = pyo.Var(m.SUMS, m.J, domain=pyo.NonNegativeIntegers, bounds=lambda m, i, j: (0, data.channels[i]))
    m.direct_part = pyo.Var(m.SUMS, m.J, domain=pyo.Binary)
    m.scatter_part = pyo.Var(m.SUMS, m.J, domain=pyo.Binary)

    @m.Constraint(m.I)
    def one_dimension(m: Any, i: int) -> Any:
        return sum(m.x[i, a] for a in data.modes[i]) == 1

    @m.Constraint(m.IA)
    def dimension_sum(m: Any, i: int, a: str) -> Any:
        return sum(m.share[i, a, j] for j in m.J) == size[i, a] * m.x[i, a]

    @m.Constraint(m.IA, m.J)
    def share_needs_part(m: Any, i: int, a: str, j: int) -> Any:
        return m.share[i, a, j] <= size[i, a] * m.part[i, a, j]

    @m.Constraint(m.IA, m.J)
    def part_needs_share(m: Any, i: int, a: str, j: int) -> Any:
        return m.part[i, a, j] <= m.share[i, a, j]

    @m.Constraint(m.IA, m.J)
    def part_needs_mode(m: Any, i: int, a: str, j: int) -> Any:
        return m.part[i, a, j] <= m.x[i, a]

    @m.Constraint(m.SUMS)
    def spread_sum(m: Any, i: int) -> Any:
        return sum(m.spread[i, j] for j in m.J) == data.channels[i] * m.scatter[i]

    @m.Constraint(m.SUMS, m.J)
    def sums_are_combined(m: Any, i: int, j: int) -> Any:
        return m.direct_part[i, j] + m.scatter_part[i, j] == sum(m.part[i, a, j] for a in sum_modes(data, i))

    @m.Constraint(m.SUMS, m.J)
    def combined_by_scatter(m: Any, i: int, j: int) -> Any:
        return m.scatter_part[i, j] <= m.scatter[i]

    @m.Constraint(m.SUMS, m.J)
    def combined_directly(m: Any, i: int, j: int) -> Any:
        return m.direct_part[i, j] <= summed(m, data, i) - m.scatter[i]


def summed(m: Any, data: PartitionData, i: int) -> Any:
    """1 if operator i leaves partial sums."""
    return sum(m.x[i, a] for a in sum_modes(data, i))


def add_corrections(m: Any, data: PartitionData) -> None:
    """Where the rows of a device start or end, as far as a window is clipped there."""
    m.first = pyo.Var(m.FIRST, m.J, domain=pyo.Binary)
    m.last = pyo.Var(m.LAST, m.J, domain=pyo.Binary)

    def start(i: int, a: str, j: int) -> Any:
        return sum(m.share[i, a, k] for k in range(j))

    def rest(i: int, a: str, j: int) -> Any:
        return sum(m.share[i, a, k] for k in m.J if k > j)

    @m.Constraint(m.IA, m.J)
    def starts_once(m: Any, i: int, a: str, j: int) -> Any:
        at = [m.first[i, a, t, j] for t in clipped(data.modes[i][a], "start")]
        return sum(at) <= m.part[i, a, j] if at else pyo.Constraint.Skip

    @m.Constraint(m.FIRST, m.J)
    def starts_not_after(m: Any, i: int, a: str, t: int, j: int) -> Any:
        size = data.modes[i][a].size
        return start(i, a, j) <= t + (size - t) * (1 - m.first[i, a, t, j]) if j else pyo.Constraint.Skip

    @m.Constraint(m.FIRST, m.J)
    def starts_not_before(m: Any, i: int, a: str, t: int, j: int) -> Any:
        return start(i, a, j) >= t * m.first[i, a, t, j] if t else pyo.Constraint.Skip

    @m.Constraint(m.IA, m.J)
    def ends_once(m: Any, i: int, a: str, j: int) -> Any:
        at = [m.last[i, a, t, j] for t in clipped(data.modes[i][a], "end")]
        return sum(at) <= m.part[i, a, j] if at else pyo.Constraint.Skip

    @m.Constraint(m.LAST, m.J)
    def ends_not_before(m: Any, i: int, a: str, t: int, j: int) -> Any:
        size = data.modes[i][a].size
        return rest(i, a, j) <= size - t + t * (1 - m.last[i, a, t, j]) if j < max(m.J) else pyo.Constraint.Skip

    @m.Constraint(m.LAST, m.J)
    def ends_not_after(m: Any, i: int, a: str, t: int, j: int) -> Any:
        size = data.modes[i][a].size
        return rest(i, a, j) >= (size - t) * m.last[i, a, t, j] if t < size else pyo.Constraint.Skip


def length(rows: AffineMap, share: Any, part: Any, first: Any, last: Any) -> Any:
    """Length of what a share maps to; `first`, `last`: variables by position."""
    clipped_off = sum(cut * first[t] for t, cut in rows.start.items()) + sum(
        cut * last[t] for t, cut in rows.end.items()
    )
    return rows.scale * share + (rows.before + rows.after) * part - clipped_off


def own_length(m: Any, i: int, a: str, j: int, rows: AffineMap) -> Any:
    first = {t: m.first[i, a, t, j] for t in rows.start}
    last = {t: m.last[i, a, t, j] for t in rows.end}
    return length(rows, m.share[i, a, j], m.part[i, a, j], first, last)


def state(m: Any, data: PartitionData, i: int, c: str) -> Any:
    """1 if the output of operator i is held as c."""
    sums = i in m.SUMS
    if c == ROWS:
        return m.x[i, H]
    if c == CHANNELS:
        return (m.x[i, OC] if OC in data.modes[i] else 0) + (m.scatter[i] if sums else 0)
    return summed(m, data, i) - m.scatter[i]


def held(m: Any, data: PartitionData, i: int, c: str, j: int) -> Any:
    """Rows or channels of the output of operator i on device j, where it is held as c."""
    if c == ROWS:
        return m.share[i, H, j]
    own = data.modes[i][OC].holds * m.share[i, OC, j] if OC in data.modes[i] else 0
    return own + (m.spread[i, j] if i in m.SUMS else 0)


def add_compute(m: Any, data: PartitionData) -> None:
    """Equation (6): the slowest device that takes part."""
    m.T = pyo.Var(m.IA, domain=pyo.NonNegativeReals)

    @m.Constraint(m.IA, m.J)
    def compute(m: Any, i: int, a: str, j: int) -> Any:
        mode = data.modes[i][a]
        work = own_length(m, i, a, j, mode.work)
        return m.T[i, a] >= data.overhead[j] * m.part[i, a, j] + mode.time[j] * work


def add_memory(m: Any, data: PartitionData, elastic: bool = False) -> None:
    """Constraint (1): resident parameters and the need box and pre box of any one operator fit, in units of the cap;
    of an executor also a convolution's columns (its exchanges: `partition_footprint.py`).

    `elastic`: by how much more memory, `extra[j]`.
    """
    m.extra = pyo.Var(m.CAPPED, domain=pyo.NonNegativeReals)
    if not elastic:
        m.extra.fix(0)
    executor = data.footprint
    norms = [] if executor is None else [i for i in m.SUMS if executor.norms[i]]
    m.norm_channels = pyo.Var(norms, m.CAPPED, domain=pyo.NonNegativeIntegers)

    def working(i: int, a: str, j: int) -> Any:
        boxes = data.modes[i][a].need_memory[j] * own_length(m, i, a, j, data.modes[i][a].need)
        if executor is None:
            return boxes + written(m, data, i, a, j)
        fixed, each = executor.columns[i][a]
        boxes += executor.byte[j] * (fixed * m.part[i, a, j] + each * m.share[i, a, j])
        return boxes if executor.in_place[i] else boxes + written(m, data, i, a, j)

    @m.Constraint(m.I, m.CAPPED)
    def memory(m: Any, i: int, j: int) -> Any:
        return resident(m, data, j) + sum(working(i, a, j) for a in data.modes[i]) <= 1 + m.extra[j]


def resident(m: Any, data: PartitionData, j: int) -> Any:
    """Parameters on device j, in units of its cap."""
    modes = ((i, a, data.modes[i][a]) for i, a in m.IA)
    own = sum(mode.weight[j] * m.share[i, a, j] + mode.resident[j] * m.part[i, a, j] for i, a, mode in modes)
    if data.footprint is None:
        return own
    byte, norms = data.footprint.byte[j], data.footprint.norms
    return own + sum(byte * norms[i] * m.norm_channels[i, k] for i, k in m.norm_channels if k == j)


def written(m: Any, data: PartitionData, i: int, a: str, j: int) -> Any:
    """The pre box that device j writes of operator i, in units of its cap."""
    mode = data.modes[i][a]
    amount = m.part[i, a, j] if a in sum_modes(data, i) else own_length(m, i, a, j, mode.work)
    return mode.pre_memory[j] * amount
