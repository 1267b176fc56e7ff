"""What the partition formulations are given: a chain of operators and a cluster, dimensionless.

Times are in units of a reference time, bytes of memory in units of each device's cap, so that no coefficient is a
microsecond or a gigabyte (HiGHS works with absolute tolerances near 1e-6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ROWS, CHANNELS, WHOLE = "rows", "channels", "whole"
Kind = str
"""One of these three."""

H, OC, IC, IC_ROWS = "H", "OC", "IC", "IC_ROWS"
PARTIAL, SOURCE, SINK = "partial", "source", "sink"
Pair = tuple[int, str, str]
"""(i, c, a): the tensor of transition i is held as c and operator i takes mode a, or it is the last and goes to the
sink."""


@dataclass(frozen=True)
class AffineMap:
    """Length and ends of the interval that a share `[lo, hi)` with lo < hi maps to:

        from  scale * lo - before + start.get(lo, 0)   to   scale * hi + after - end.get(hi, 0)

    The corrections are where a window is clipped at a border of the map (`start[0]`, `end[D]`, rarely more), or where
    an adaptive pooling is uneven. They are never negative.
    """

    scale: int
    before: int = 0
    after: int = 0
    start: dict[int, int] = field(default_factory=dict)
    end: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Mode:
    """One way to split an operator into `size` units.

    `time[j]`: device j's time for one unit of `work` (H: pre rows; else the share itself). `weight[j]`, `resident[j]`:
    parameters per unit and per participant; `need_memory[j]`, `pre_memory[j]`: one unit of `need` and one of what is
    written (`work`; the whole pre tensor for IC), all in units of device j's cap, 0 without a cap. `need`: what a share
    needs of the input, in rows or channels of it; `region`: the same in rows or channels of the pre tensor of the
    operator before. `holds`: rows or channels of the output that one unit leaves.
    """

    size: int
    time: tuple[float, ...]
    work: AffineMap
    weight: tuple[float, ...]
    resident: tuple[float, ...]
    need_memory: tuple[float, ...]
    pre_memory: tuple[float, ...]
    need_kind: Kind
    need: AffineMap
    region: AffineMap
    holds: int = 1


@dataclass(frozen=True)
class Tensor:
    """What flows between two operators: its rows and channels, and the time that one byte's worth of each takes.

    `unit[kind]`: bytes of one row, one channel or the whole; `pre_unit[kind]`: the same for the pre tensor behind it.
    """

    rows: int
    channels: int
    unit: dict[Kind, float]
    pre_unit: dict[Kind, float]


@dataclass(frozen=True)
class Footprint:
    """What an executor allocates besides the boxes of `Mode`, in bytes; `byte[j]`: a byte in units of device j's cap, 0
    without a cap.

    `columns[i][a]`: of a convolution, for every participant and per unit of a share. `in_place[i]`: operator i writes
    its pre box over its input. `pools[i]`: it ends with a pooling, from its pre box to its output. `norms[i]`: scale
    and shift per output channel on whoever adds up its partial sums.
    """

    byte: tuple[float, ...]
    columns: tuple[dict[str, tuple[int, int]], ...]
    in_place: tuple[bool, ...]
    pools: tuple[bool, ...]
    norms: tuple[int, ...]


@dataclass(frozen=True)
class PartitionData:
    """A chain. `tensors[i]` flows into operator i, `tensors[n]` out of the last one.

    `overhead[j]`, `up[j]`, `down[j]` (time of one byte through device j's link), `channel` (time of one byte on a
    shared medium, None on a switched one) and `connection` in units of the reference time; `per_peer`: connections are
    charged per peer of the busiest device, otherwise once per phase. `capped`: the devices with a cap.
    """

    modes: tuple[dict[str, Mode], ...]
    tensors: tuple[Tensor, ...]
    overhead: tuple[float, ...]
    up: tuple[float, ...]
    down: tuple[float, ...]
    channel: float | None
    connection: float
    per_peer: bool
    source: int
    sink: int
    capped: tuple[int, ...]
    channels: tuple[int, ...]
    """Output channels of each operator: what a reduce-scatter shares out."""
    footprint: Footprint | None = None
    """For the memory model of an executor; None: parameters and boxes alone."""


def sum_modes(data: PartitionData, i: int) -> list[str]:
    """The modes of operator i that leave partial sums."""
    return [a for a in (IC, IC_ROWS) if a in data.modes[i]]


def clipped(mode: Mode, end: Literal["start", "end"]) -> list[int]:
    """Where a share of rows has to start (end) for a correction of one of its maps to count."""
    return sorted({t for rows in (mode.work, mode.need, mode.region) for t in getattr(rows, end)})


def held_as(data: PartitionData, i: int) -> list[str]:
    """How the tensor of transition i can be held."""
    if i == 0:
        return [SOURCE]
    modes, sums = data.modes[i - 1], bool(sum_modes(data, i - 1))
    return [c for c, can in ((ROWS, H in modes), (CHANNELS, OC in modes or sums), (PARTIAL, sums)) if can]


def pairs(data: PartitionData) -> list[Pair]:
    """Every pair of every transition, the last one to the sink."""
    n = len(data.modes)
    inner = [(i, c, a) for i in range(n) for c in held_as(data, i) for a in data.modes[i]]
    return inner + [(n, c, SINK) for c in held_as(data, n)]


def way(data: PartitionData, pair: Pair) -> Literal["aligned", "concatenated", "partial", "source", "sink"]:
    """Which rule moves the bytes of a pair."""
    i, c, a = pair
    if a == SINK:
        return "sink"
    if c == SOURCE:
        return "source"
    if c == PARTIAL:
        return "partial"
    return "aligned" if data.modes[i][a].need_kind == c else "concatenated"


def size_of(tensor: Tensor, c: str) -> int:
    return tensor.rows if c == ROWS else tensor.channels


def longest(rows: AffineMap, size: int) -> int:
    """A bound on the length that any share of `size` units maps to."""
    return rows.scale * size + max(0, rows.before + rows.after)
