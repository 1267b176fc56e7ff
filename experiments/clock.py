"""How long a call takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
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
        before = os.times()
        began = time.perf_counter()
        call()
        wall, after = time.perf_counter() - began, os.times()
        times.append((wall, sum(after[:4]) - sum(before[:4])))
    return Seconds(*map(median, zip(*times, strict=True)))


def met(value: float, target: float | None, unit: str) -> str:
    """Target and verdict; empty without a target."""
    return "" if target is None else f"{target:g} {unit}: {'met' if value <= target else 'missed'}"
