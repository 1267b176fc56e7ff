"""How long a call takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from typing import NamedTuple


class Seconds(NamedTuple):
    """`wall` as on a clock; `processor`: what the call, and what it started and waited for, computed of that."""

    wall: float
    processor: float


def timed(call: Callable[[], object], repeat: int = 5) -> Seconds:
    """Medians, after one call that is not counted."""
    call()
    times = []
    for _ in range(repeat):
        began, before = time.perf_counter(), _processor()
        call()
        times.append((time.perf_counter() - began, _processor() - before))
    return Seconds(*map(median, zip(*times, strict=True)))


def _processor() -> float:
    spent = [getrusage(which) for which in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def met(value: float, target: float | None, unit: str) -> str:
    """Target and verdict; empty without a target."""
    return "" if target is None else f"{target:g} {unit}: {'met' if value <= target else 'missed'}"
