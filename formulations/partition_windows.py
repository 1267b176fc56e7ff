"""Arithmetic of windows and whole units that the inequalities of the partition rest on: plain numbers, no model."""

from __future__ import annotations

from formulations.partition_data import AffineMap, Mode, PartitionData, longest


def interval(rows: AffineMap, lo: int, hi: int) -> tuple[int, int]:
    """What a share `[lo, hi)`, lo < hi, maps to."""
    start = rows.scale * lo - rows.before + rows.start.get(lo, 0)
    end = rows.scale * hi + rows.after - rows.end.get(hi, 0)
    return start, end


def union(rows: AffineMap, size: int) -> int:
    """How much all shares of `size` units need together at least, however they are cut: what the units need, once."""
    return len({cell for unit in range(size) for cell in range(*interval(rows, unit, unit + 1))})


def always_overlap(rows: AffineMap, size: int) -> bool:
    """Whether two neighbouring shares need something in common, wherever the cut between them is."""
    return all(interval(rows, cut - 1, cut)[1] > interval(rows, cut, cut + 1)[0] for cut in range(1, size))


def makespan(data: PartitionData, mode: Mode, q: int) -> float | None:
    """A lower bound on the time of exactly q devices that compute `mode` in whole units; None with too few units."""
    if q > mode.size:
        return None
    clipped_off = max(mode.work.start.values(), default=0) + max(mode.work.end.values(), default=0)
    free = mode.work.before + mode.work.after - clipped_off

    def room(overhead: float, each: float, time: float) -> float:
        """Units that a device finds time for, at most."""
        if time < overhead:
            return 0
        if each == 0 or mode.work.scale == 0:
            return mode.size
        return min(mode.size, ((time - overhead) / each - free) / mode.work.scale)

    def fits(time: float) -> bool:
        rooms = [int(room(o, t, time) + 1e-9) for o, t in zip(data.overhead, mode.time, strict=True)]
        best = sorted(rooms, reverse=True)[:q]
        return best[-1] >= 1 and sum(best) >= mode.size

    low, high = 0.0, max(o + t * longest(mode.work, mode.size) for o, t in zip(data.overhead, mode.time, strict=True))
    if fits(low):
        return 0.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return low


def compute_bound(data: PartitionData) -> float:
    """A lower bound on the latency of every plan, at once: the sum of the least makespans of the operators."""
    counts = range(1, len(data.overhead) + 1)
    spans = [[makespan(data, mode, q) for mode in modes.values() for q in counts] for modes in data.modes]
    return sum(min(span for span in found if span is not None) for found in spans)
