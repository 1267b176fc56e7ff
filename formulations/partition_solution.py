"""Decisions into and out of a partition model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from formulations.partition_data import PartitionData, sum_modes


@dataclass(frozen=True)
class Choice:
    """What the model says of one operator: its mode, the units of each device, the channels of each in a reduce-scatter
    (or None)."""

    mode: str
    shares: tuple[int, ...]
    spread: tuple[int, ...] | None


def choices(m: pyo.ConcreteModel, data: PartitionData) -> tuple[Choice, ...]:
    """The decision in a solved model."""
    found = []
    for i, modes in enumerate(data.modes):
        mode = max(modes, key=lambda a: pyo.value(m.x[i, a]))
        shares = tuple(round(pyo.value(m.share[i, mode, j])) for j in m.J)
        scatters = mode in sum_modes(data, i) and pyo.value(m.scatter[i]) > 0.5
        spread = tuple(round(pyo.value(m.spread[i, j])) for j in m.J) if scatters else None
        found.append(Choice(mode, shares, spread))
    return tuple(found)


def fixings(m: pyo.ConcreteModel, data: PartitionData, decision: tuple[Choice, ...]) -> Iterator[tuple[Any, float]]:
    """Variables and values that make the model take a decision; the rest follows."""
    for i, choice in enumerate(decision):
        for a in data.modes[i]:
            yield m.x[i, a], a == choice.mode
            for j in m.J:
                units = choice.shares[j] if a == choice.mode else 0
                yield m.share[i, a, j], units
                yield m.part[i, a, j], units > 0
        if i in m.SUMS:
            yield m.scatter[i], choice.spread is not None
            for j in m.J:
                yield m.spread[i, j], choice.spread[j] if choice.spread else 0
