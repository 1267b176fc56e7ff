"""Seconds of actions on a machine that may be busy: taken in turns, and again where they scatter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

SETTLED = 0.25
"""How far the quickest times of an action may lie above the quickest of all."""
FEWEST, MOST = 3, 6
"""Rounds, for each time that is to be kept: of an action whose times settle, and of one whose times do not."""


class Timed(NamedTuple):
    """`time_s`: the median of the quickest times; `scatter`: by what fraction the slowest of these exceeds the
    quickest."""

    time_s: float
    scatter: float

    @property
    def is_settled(self) -> bool:
        return self.scatter <= SETTLED


def quickest(times: Sequence[float], count: int) -> Timed:
    """Of the `count` quickest times: what slows a machine down only ever adds to them."""
    kept = sorted(times)[:count]
    return Timed(median(kept), kept[-1] / kept[0] - 1)


def timed(actions: Sequence[Callable[[], object]], repeat: int, on_time: Callable[[], None]) -> list[Timed]:
    """Each action by the `repeat` quickest of its times: of three times as many, and of more until these have settled.

    Actions take turns, so that a disturbance does not hit one of them alone, and none finds what it reads in the cache
    because it has just read it. A first round is not counted. `on_time` is called before each time that is taken.
    """
    times: list[list[float]] = [[] for _ in actions]
    for number in range(1 + MOST * repeat):
        for action, found in zip(actions, times, strict=True):
            if len(found) >= FEWEST * repeat and quickest(found, repeat).is_settled:
                continue
            on_time()
            began = time.perf_counter()
            action()
            took = time.perf_counter() - began
            if number:
                found.append(took)
    return [quickest(found, repeat) for found in times]


def spread(times: Sequence[float]) -> float:
    """By what fraction the upper quartile of at least two times exceeds the lower."""
    ordered = sorted(times)
    return ordered[-1 - len(ordered) // 4] / ordered[len(ordered) // 4] - 1
