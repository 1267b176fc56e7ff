"""Several applications with a method for one: one after another, each within what the others leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Limits

Path = tuple[int, ...]
PathFinder = Callable[[Geometry, Limits], Path | None]
"""The path of one application within these limits; None where it finds none."""


def one_after_another(
    geometries: Sequence[Geometry], limits: Limits, find: PathFinder, order: Sequence[int]
) -> list[Path | None]:
    """Paths in the order of the applications; `order` is that in which they are placed."""
    paths: list[Path | None] = [None] * len(geometries)
    left = limits
    for index in order:
        path = paths[index] = find(geometries[index], left)
        if path is not None:
            left = left - geometries[index].used(path)
    return paths


def by_deadline(geometries: Sequence[Geometry]) -> list[int]:
    """Tightest latency limit first."""
    return sorted(range(len(geometries)), key=lambda index: geometries[index].latency_s)


def by_need(geometries: Sequence[Geometry], needs: Sequence[float]) -> list[int]:
    """Largest need of energy first."""
    return sorted(range(len(geometries)), key=lambda index: -needs[index])
