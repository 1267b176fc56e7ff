"""All on one node of a tier: what people do without an optimiser."""

from __future__ import annotations

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.paths import path_weight


def tier_path(geometry: Geometry, nodes: list[int]) -> tuple[int, ...] | None:
    """Every block on the best of these nodes, block 1 on the source where it must be; None where none can be reached.

    Best: within the latency limit, then of least energy.
    """
    candidates = []
    for node in nodes:
        for first in (node, geometry.source):
            path = (first, *(node,) * (geometry.depth - 1))
            energy, time = (path_weight(weights, geometry.source, path) for weights in (geometry.energy, geometry.time))
            if np.isfinite(energy):
                candidates.append((time > geometry.longest_s, energy, path))
                break
    return min(candidates)[2] if candidates else None
