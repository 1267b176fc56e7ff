"""What a phase costs: equations (7) and (8) of IOP, for the transitions between operators and for reduce-scatters.

Variables
    V[..]                    time of the bytes of a transition (indexed as the variant that uses it wants)
    spread_from[i,k,j]       channels of partial sums that k sends j in the reduce-scatter of operator i
    S[i]                     time of its bytes
    opened[i,k,j]            1 if k and j connect in transition i (k = j = 0 for all, unless charged per peer)   binary
    scatter_opened[i,k,j]    the same in a reduce-scatter                                                        binary
    peers[i], scatter_peers[i]   connections charged: 1, or those of the busiest device
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from formulations.partition_data import CHANNELS, PARTIAL, WHOLE, Pair, PartitionData, longest, size_of, way

Amount = tuple[Any, float]
"""Something that is positive where bytes flow, and its largest value (0: none ever do)."""


@dataclass(frozen=True)
class Flows:
    """Where a variant keeps what a pair moves.

    `moved(p, k, j)`: rows or channels from k to j; `need(p, j)`: what j needs of the input, `part(p, j)`: 1 if it needs
    any; `held(p, k)`: what k holds, `sums(p, k)`: 1 if it holds partial sums.
    """

    moved: Callable[[Pair, int, int], Any]
    need: Callable[[Pair, int], Any]
    part: Callable[[Pair, int], Any]
    held: Callable[[Pair, int], Any]
    sums: Callable[[Pair, int], Any]

    def bytes(self, data: PartitionData, p: Pair, k: int, j: int) -> Any:
        """Bytes from k to j in the transition of pair p, 0 unless it happens."""
        (i, c, a), tensor = p, data.tensors[p[0]]
        match way(data, p):
            case "aligned" | "concatenated":
                return tensor.unit[c] * self.moved(p, k, j)
            case "partial":
                return tensor.pre_unit[data.modes[i][a].need_kind] * self.moved(p, k, j)
            case "source" if k == data.source:
                return tensor.unit[data.modes[i][a].need_kind] * self.need(p, j)
            case "sink" if j == data.sink:
                return tensor.pre_unit[WHOLE] * self.sums(p, k) if c == PARTIAL else tensor.unit[c] * self.held(p, k)
        return 0

    def amount(self, data: PartitionData, p: Pair, k: int, j: int) -> Amount:
        """Something that is positive where bytes go from k to j, and its largest value."""
        i, c, a = p
        match way(data, p):
            case "aligned" | "concatenated":
                return self.moved(p, k, j), size_of(data.tensors[i], c)
            case "partial":
                return self.moved(p, k, j), longest(data.modes[i][a].region, data.modes[i][a].size)
            case "source" if k == data.source:
                return self.part(p, j), 1
            case "sink" if j == data.sink:
                return (self.sums(p, k), 1) if c == PARTIAL else (self.held(p, k), size_of(data.tensors[i], c))
        return 0, 0


def phase_time(m: Any, data: PartitionData) -> Any:
    """Equations (7) and (8): the time of all bytes and of all connections."""
    volume = sum(m.V.values()) + sum(m.S.values())
    return volume + data.connection * (sum(m.peers.values()) + sum(m.scatter_peers.values()))


def add_volume(m: Any, data: PartitionData, index: Any, bytes_of: Callable[[Any, int, int], Any]) -> None:
    """Equation (7): V is the time of the busiest link of a switched network, of the sum of all bytes on a shared
    one."""
    if data.channel is not None:

        @m.Constraint(index)
        def volume(m: Any, *at: Any) -> Any:
            return m.V[at] >= data.channel * sum(bytes_of(at, k, j) for k in m.J for j in m.J if k != j)

        return

    @m.Constraint(index, m.J)
    def volume_sent(m: Any, *at_k: Any) -> Any:
        *at, k = at_k
        return m.V[tuple(at)] >= data.up[k] * sum(bytes_of(tuple(at), k, j) for j in m.J if j != k)

    @m.Constraint(index, m.J)
    def volume_received(m: Any, *at_j: Any) -> Any:
        *at, j = at_j
        return m.V[tuple(at)] >= data.down[j] * sum(bytes_of(tuple(at), k, j) for k in m.J if k != j)


def add_reduce_scatter(m: Any, data: PartitionData) -> None:
    """j gets its channels of the pre tensor from everybody else who has partial sums of it; (7) for these bytes."""
    m.spread_from = pyo.Var(m.SUMS, m.J, m.J, domain=pyo.NonNegativeIntegers)
    m.S = pyo.Var(m.SUMS, domain=pyo.NonNegativeReals)

    @m.Constraint(m.SUMS, m.J, m.J)
    def spread_from_all(m: Any, i: int, k: int, j: int) -> Any:
        if k == j:
            return pyo.Constraint.Skip
        absent = m.scatter[i] - m.scatter_part[i, k]
        return m.spread_from[i, k, j] >= m.spread[i, j] - data.channels[i] * absent

    def spread_bytes(i: int, k: int, j: int) -> Any:
        return data.tensors[i + 1].pre_unit[CHANNELS] * m.spread_from[i, k, j]

    if data.channel is not None:

        @m.Constraint(m.SUMS)
        def scatter_volume(m: Any, i: int) -> Any:
            return m.S[i] >= data.channel * sum(spread_bytes(i, k, j) for k in m.J for j in m.J if k != j)

        return

    @m.Constraint(m.SUMS, m.J)
    def scatter_sent(m: Any, i: int, k: int) -> Any:
        return m.S[i] >= data.up[k] * sum(spread_bytes(i, k, j) for j in m.J if j != k)

    @m.Constraint(m.SUMS, m.J)
    def scatter_received(m: Any, i: int, j: int) -> Any:
        return m.S[i] >= data.down[j] * sum(spread_bytes(i, k, j) for k in m.J if k != j)


def connection(data: PartitionData, i: int, k: int, j: int) -> tuple[int, int, int]:
    """The connection that bytes from k to j need in step i: one for everybody, or one per pair of devices."""
    return (i, min(k, j), max(k, j)) if data.per_peer else (i, 0, 0)


def add_connections(m: Any, data: PartitionData, flows: Flows) -> None:
    """Equation (8): a connection is open where bytes flow."""
    ends = [(k, j) for k in m.J for j in m.J if k < j] if data.per_peer else [(0, 0)]
    m.opened = pyo.Var(m.STEPS, ends, domain=pyo.Binary)
    m.scatter_opened = pyo.Var(m.SUMS, ends, domain=pyo.Binary)
    m.peers = pyo.Var(m.STEPS, domain=pyo.NonNegativeIntegers)
    m.scatter_peers = pyo.Var(m.SUMS, domain=pyo.NonNegativeIntegers)

    def of_device(i: int, k: int) -> list[tuple[int, int, int]]:
        return [connection(data, i, k, j) for j in m.J if j != k] if data.per_peer else [(i, 0, 0)]

    @m.Constraint(m.STEPS, m.J)
    def busiest_peer(m: Any, i: int, k: int) -> Any:
        return m.peers[i] >= sum(m.opened[e] for e in of_device(i, k))

    @m.Constraint(m.SUMS, m.J)
    def busiest_scatter_peer(m: Any, i: int, k: int) -> Any:
        return m.scatter_peers[i] >= sum(m.scatter_opened[e] for e in of_device(i, k))

    @m.Constraint(m.PAIRS, m.J, m.J)
    def bytes_need_connection(m: Any, i: int, c: str, a: str, k: int, j: int) -> Any:
        amount, most = flows.amount(data, (i, c, a), k, j) if k != j else (0, 0)
        return amount <= most * m.opened[connection(data, i, k, j)] if most else pyo.Constraint.Skip

    @m.Constraint(m.SUMS, m.J, m.J)
    def scatter_needs_connection(m: Any, i: int, k: int, j: int) -> Any:
        if k == j:
            return pyo.Constraint.Skip
        return m.spread_from[i, k, j] <= data.channels[i] * m.scatter_opened[connection(data, i, k, j)]
