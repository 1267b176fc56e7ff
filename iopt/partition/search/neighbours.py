"""The neighbourhood of a plan: its axes, and shares that differ from its own by a move between two devices."""

from __future__ import annotations

import itertools

import numpy as np

from iopt.partition.decisions import split_code
from iopt.partition.geometry import OC, Geometry, Ints
from iopt.partition.plan import Interval, Plan, Scatter
from iopt.partition.search.candidates import Candidates, distinct


def neighbours(geometry: Geometry, plan: Plan, part: float) -> tuple[Candidates, ...]:
    """For every operator the shares of `plan` and those where one device hands another `part` of the whole (at least
    one unit, at most what it has); the scattered channels of an IC split likewise."""
    found = []
    for index, split in enumerate(plan.splits):
        own: Candidates = {}
        vectors = {split_code(split): split.intervals}
        if isinstance(split.combine, Scatter):
            vectors[OC] = split.combine.intervals
        for code, intervals in sorted(vectors.items()):
            unit = int(geometry.unit[index, code])
            step = max(1, round(int(geometry.size[index, code]) // unit * part)) * unit
            own[code] = _moved(intervals, step)
        found.append(own)
    return tuple(found)


def _moved(intervals: tuple[Interval, ...], step: int) -> Ints:
    shares = np.array([hi - lo for lo, hi in intervals])
    rows = [shares]
    for giver, taker in itertools.permutations(np.arange(len(shares)), 2):
        amount = min(step, int(shares[giver]))
        row = shares.copy()
        row[giver] -= amount
        row[taker] += amount
        rows.append(row)
    return distinct(np.array(rows))
