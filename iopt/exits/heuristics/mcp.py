"""MCP: a path that weighs energy and time by the larger of the two, as the baseline that FIN is compared with.

The paper does not print its baseline; this reconstruction follows the greedy approximation of Xue, Zhang, Tang and
Thulasiraman (IEEE/ACM ToN 2008) for paths with several additive weights: each weight of a step is divided by what the
path may have of it, and the shortest path for the larger quotient is taken. What the path may have is the latency limit
and, for energy, which has no limit, what the fastest path needs.
"""

from __future__ import annotations

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.paths import least_path, path_weight


def mcp_path(geometry: Geometry) -> tuple[int, ...] | None:
    """Nodes of the path; it may well break the latency limit. None where there is no path at all."""
    fastest = least_path(geometry.time, geometry.source)
    if fastest is None:
        return None
    budget = path_weight(geometry.energy, geometry.source, fastest[0])
    weights = geometry.time / geometry.latency_s
    if budget > 0:
        weights = np.maximum(weights, geometry.energy / budget)
    found = least_path(weights, geometry.source)
    return None if found is None else found[0]
