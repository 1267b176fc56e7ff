"""LARAC: Lagrangian relaxation of the latency limit (Juettner, Szviatovszki, Mecs, Rajko: INFOCOM 2001)."""

from __future__ import annotations

from dataclasses import dataclass

from iopt.exits.geometry import Geometry
from iopt.exits.paths import least_path, path_weight

ROUNDING = 1e-12
"""Weights that differ by this part are the same."""


@dataclass(frozen=True)
class Relaxed:
    """`path`: the best within the limit that was met on the way, None if there is none at all. `bound`: no path within
    the limit needs less energy. `price`: joule per second at which the bound is reached."""

    path: tuple[int, ...] | None
    bound: float
    price: float


def larac(geometry: Geometry) -> Relaxed:
    """Least energy + price x time, the price set so that the cheapest and the fastest path known cost the same."""
    source, limit = geometry.source, geometry.longest_s
    cheap = least_path(geometry.energy, source)
    fast = least_path(geometry.time, source)
    if cheap is None or fast is None or fast[1] > limit:
        return Relaxed(None, float("inf"), float("inf"))
    slow, slow_energy = cheap
    slow_time = path_weight(geometry.time, source, slow)
    if slow_time <= limit:
        return Relaxed(slow, slow_energy, 0.0)
    best, best_time = fast
    best_energy = path_weight(geometry.energy, source, best)
    while True:
        price = (best_energy - slow_energy) / (slow_time - best_time)
        found = least_path(geometry.priced(price), source)
        assert found is not None
        path, weight = found
        energy, time = path_weight(geometry.energy, source, path), path_weight(geometry.time, source, path)
        if path in (best, slow) or weight >= (best_energy + price * best_time) * (1 - ROUNDING):
            return Relaxed(best, min(best_energy, weight - price * limit), price)
        if time <= limit:
            best, best_energy, best_time = path, energy, time
        else:
            slow, slow_energy, slow_time = path, energy, time
