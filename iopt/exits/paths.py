"""Least-weight paths through the blocks of an application: one dynamic programme for every additive weight."""

from __future__ import annotations

import numpy as np

from iopt.exits.limits import Array


def completions(weights: Array) -> Array:
    """[..., L, N]: least weight of the steps after block b on node n; `weights` [..., L, N, N], inf: no step."""
    least = np.zeros(weights.shape[:-1])
    for block in range(weights.shape[-3] - 2, -1, -1):
        step = weights[..., block + 1, :, :] + least[..., block + 1, None, :]
        least[..., block, :] = step.min(axis=-1)
    return least


def least_path(weights: Array, source: int) -> tuple[tuple[int, ...], float] | None:
    """Nodes of a path from the source with the least weight, and that; None where there is no path."""
    least = completions(weights)
    nodes, before = [], source
    for block in range(weights.shape[0]):
        ahead = weights[block, before] + least[block]
        before = int(ahead.argmin())
        if not np.isfinite(ahead[before]):
            return None
        nodes.append(before)
    return tuple(nodes), path_weight(weights, source, nodes)


def path_weight(weights: Array, source: int, nodes: list[int] | tuple[int, ...]) -> float:
    """Weight of a path."""
    return float(sum(weights[block, n, m] for block, (n, m) in enumerate(zip((source, *nodes), nodes, strict=False))))


def through(weights: Array, source: int) -> Array:
    """[L, N, N] least weight of a path that takes each step."""
    before = np.full(weights.shape[1], np.inf)
    before[source] = 0.0
    least = np.empty_like(weights)
    for block, step in enumerate(weights):
        least[block] = before[:, None] + step
        before = least[block].min(axis=0)
    least += completions(weights)[:, None, :]
    return least
