"""Arithmetic of windows and whole units that the inequalities of the partition rest on: plain numbers, no model."""

from __future__ import annotations

from bisect import bisect_left
from math import inf

from formulations.partition_data import AffineMap, Mode, PartitionData


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
    """A lower bound on the time of exactly q devices that compute `mode` in whole units; None with too few units.

    It is the time of some device for some number of units, to the last digit: a bound a little below would leave the
    solver with differences near its tolerances.
    """
    if q > mode.size:
        return None
    clipped_off = max(mode.work.start.values(), default=0) + max(mode.work.end.values(), default=0)
    free = mode.work.before + mode.work.after - clipped_off
    devices = tuple(zip(data.overhead, mode.time, strict=True))

    def least(device: tuple[float, float], units: int) -> float:
        overhead, each = device
        return overhead + each * max(0, mode.work.scale * units + free)

    def room(device: tuple[float, float], time: float) -> int:
        """Units that a device finds time for, at most."""
        if least(device, 1) > time:
            return 0
        overhead, each = device
        per_unit = each * mode.work.scale
        units = mode.size if per_unit == 0 else min(mode.size, int((time - overhead - each * free) / per_unit) + 1)
        while least(device, units) > time:
            units -= 1
        return units

    def fits(time: float) -> bool:
        best = sorted((room(device, time) for device in devices), reverse=True)[:q]
        return best[-1] >= 1 and sum(best) >= mode.size

    def fitting(device: tuple[float, float]) -> float:
        """The least time of so many units of a device that fits."""
        units = 1 + bisect_left(range(1, mode.size + 1), True, key=lambda units: fits(least(device, units)))
        return least(device, units) if units <= mode.size else inf

    return min(map(fitting, devices))


def compute_bound(data: PartitionData) -> float:
    """A lower bound on the latency of every plan, at once: the sum of the least makespans of the operators."""
    counts = range(1, len(data.overhead) + 1)
    spans = [[makespan(data, mode, q) for mode in modes.values() for q in counts] for modes in data.modes]
    return sum(min(span for span in found if span is not None) for found in spans)
