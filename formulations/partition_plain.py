"""The reference variant of `partition.py`: IOP's constraints (1)-(8) one after another, products linearised by big-M,
no copies, no cuts.

It has the same optimum and a weaker relaxation. Variables beyond those of the decision and the phases:
    X[p,k,j]     rows or channels that j has of k's (k = j: of its own); of sums: what k sends j
    meet[p,k,j]  1 if what k holds may meet what j needs      binary
    V[i]         time of the bytes of transition i
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from formulations import partition_footprint
from formulations.partition_data import PartitionData, longest, size_of, way
from formulations.partition_decision import (
    add_compute,
    add_corrections,
    add_decision,
    add_memory,
    add_sets,
    held,
    own_length,
    state,
)
from formulations.partition_footprint import Lengths
from formulations.partition_phases import Flows, add_connections, add_reduce_scatter, add_volume, phase_time


def build(data: PartitionData) -> pyo.ConcreteModel:
    """The model; `latency` is minimised, in units of the reference time."""
    m = pyo.ConcreteModel("partition_plain")
    add_sets(m, data)
    add_decision(m, data)
    add_corrections(m, data)
    add_memory(m, data)
    add_compute(m, data)
    moving = [p for p in m.PAIRS if way(data, p) in ("aligned", "concatenated", "partial")]
    m.X = pyo.Var(moving, m.J, m.J, domain=pyo.NonNegativeIntegers)
    _aligned(m, data)
    _concatenated(m, data)
    _partial(m, data)
    m.V = pyo.Var(m.STEPS, domain=pyo.NonNegativeReals)
    flows = Flows(
        moved=lambda p, k, j: m.X[p, k, j],
        need=lambda p, j: own_length(m, p[0], p[2], j, data.modes[p[0]][p[2]].need),
        part=lambda p, j: m.part[p[0], p[2], j],
        held=lambda p, k: held(m, data, p[0] - 1, p[1], k),
        sums=lambda p, k: m.direct_part[p[0] - 1, k],
    )
    add_volume(m, data, m.STEPS, lambda i, k, j: sum(flows.bytes(data, p, k, j) for p in m.PAIRS if p[0] == i[0]))
    add_reduce_scatter(m, data)
    add_connections(m, data, flows)
    own = Lengths(lambda p, j, rows: own_length(m, p[0], p[2], j, rows), loose=True)
    partition_footprint.add(m, data, flows, own)
    m.latency = pyo.Objective(expr=sum(m.T.values()) + phase_time(m, data))
    return m


def _aligned(m: Any, data: PartitionData) -> None:
    """Rows meet a row need, or channels a channel need; `need_is_met` is void unless the tensor is held so."""
    aligned = pyo.Set(initialize=[p for p in m.PAIRS if way(data, p) == "aligned"])
    m.ALIGNED = aligned
    m.meet = pyo.Var(aligned, m.J, m.J, domain=pyo.Binary)

    @m.Constraint(aligned, m.J)
    def need_is_met(m: Any, i: int, c: str, a: str, j: int) -> Any:
        mode = data.modes[i][a]
        need = own_length(m, i, a, j, mode.need)
        return sum(m.X[i, c, a, k, j] for k in m.J) >= need - longest(mode.need, mode.size) * (
            1 - state(m, data, i - 1, c)
        )

    @m.Constraint(aligned, m.J, m.J)
    def from_what_is_held(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        return m.X[i, c, a, k, j] <= held(m, data, i - 1, c, k)

    @m.Constraint(aligned, m.J, m.J)
    def only_where_they_meet(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        return m.X[i, c, a, k, j] <= size_of(data.tensors[i], c) * m.meet[i, c, a, k, j]

    @m.Constraint(aligned, m.J, m.J)
    def meet_below_need(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        """X <= (end of the need) - (start of what is held)."""
        need = data.modes[i][a].need
        end = need.scale * sum(m.share[i, a, g] for g in range(j + 1)) + need.after
        end -= sum(cut * m.last[i, a, t, j] for t, cut in need.end.items())
        start = sum(held(m, data, i - 1, c, g) for g in range(k))
        slack = size_of(data.tensors[i], c) - min(0, need.after)
        return m.X[i, c, a, k, j] <= end - start + slack * (1 - m.meet[i, c, a, k, j])

    @m.Constraint(aligned, m.J, m.J)
    def meet_above_need(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        """X <= (end of what is held) - (start of the need)."""
        need, whole = data.modes[i][a].need, size_of(data.tensors[i], c)
        start = need.scale * sum(m.share[i, a, g] for g in range(j)) - need.before
        start += sum(cut * m.first[i, a, t, j] for t, cut in need.start.items())
        end = sum(held(m, data, i - 1, c, g) for g in range(k + 1))
        slack = max(whole, need.scale * data.modes[i][a].size - need.before)
        return m.X[i, c, a, k, j] <= end - start + slack * (1 - m.meet[i, c, a, k, j])


def _concatenated(m: Any, data: PartitionData) -> None:
    """Any other pair of axes: who takes part receives all that the others hold."""

    @m.Constraint([p for p in m.PAIRS if way(data, p) == "concatenated"], m.J, m.J)
    def from_all_that_is_held(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        absent = size_of(data.tensors[i], c) * (1 - m.part[i, a, j])
        return m.X[i, c, a, k, j] >= held(m, data, i - 1, c, k) - absent


def _partial(m: Any, data: PartitionData) -> None:
    """Partial sums combined directly: j gets its region of the pre tensor from everybody else who has sums of it."""

    @m.Constraint([p for p in m.PAIRS if way(data, p) == "partial"], m.J, m.J)
    def region_from_all(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        mode = data.modes[i][a]
        absent = longest(mode.region, mode.size) * (1 - m.direct_part[i - 1, k])
        return m.X[i, c, a, k, j] >= own_length(m, i, a, j, mode.region) - absent
