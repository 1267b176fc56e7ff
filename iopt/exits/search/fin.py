"""FIN: the least-energy path through the Feasible Inference Graph (INFOCOM 2024, arXiv 2404.08060).

Reconstructed from the paper's abstract and a public summary (docs/exits.md). Three stages. The *extended graph* has a
vertex for every block on every node that may run it: the arrays of `geometry`. The *feasible graph* drops what cannot
be part of an answer and replicates each vertex at depths 0 ... gamma, where a step of time t leads ceil(gamma t /
limit) deeper: a path that ends at depth gamma or above keeps the limit. The *least-energy path* is one sweep over it.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.search.resources import Ints

DEFAULT_GAMMA = 30
MOST_GAMMA = 100_000
"""The layered graph has to fit into memory; beyond, exact labels are faster by far."""
LONG = 300
"""Depths from which the steps of a layer are taken one by one: rows that long cost more than a call."""


def fin_path(
    geometry: Geometry, limits: Limits, gamma: int = DEFAULT_GAMMA, proximity: int = 0
) -> tuple[int, ...] | None:
    """Nodes of the least-energy path of the feasible graph; None where that has none.

    `proximity` (the paper's lambda): only paths that end at a depth of at least this are looked at; where there is
    none, all are. `limits`: a step that alone exceeds one is dropped; what several steps use together is not looked at.
    """
    feasible = geometry.within(limits)
    depths = _depths(feasible.time, feasible.longest_s, gamma)
    energy = np.where(depths <= gamma, feasible.energy, np.inf)
    table = _sweep(energy, np.minimum(depths, gamma + 1), geometry.source, gamma)
    last = table[-1]
    first = proximity if np.isfinite(last[:, proximity:]).any() else 0
    if not np.isfinite(last).any():
        return None
    node, depth = np.unravel_index(int(last[:, first:].argmin()), last[:, first:].shape)
    return _backtracked(table, energy, depths, geometry.source, int(node), int(depth) + first)


def _depths(time: Array, longest_s: float, gamma: int) -> Ints:
    """[L, N, N] how much deeper each step leads; gamma + 1 for one that takes longer than the limit.

    A quotient that is whole but for rounding stays whole.
    """
    with np.errstate(invalid="ignore"):
        steps = np.ceil(gamma * time / longest_s * (1 - 1e-12))
    return np.where(steps <= gamma, steps, gamma + 1).astype(np.int64)


def _sweep(energy: Array, depths: Ints, source: int, gamma: int) -> Array:
    """[L, N, gamma + 1] least energy of a path to block b on node n at every depth."""
    blocks, nodes = energy.shape[:2]
    table = np.full((blocks, nodes, gamma + 1), np.inf)
    first = np.flatnonzero(np.isfinite(energy[0, source]))
    table[0, first, depths[0, source, first]] = energy[0, source, first]
    extend = _by_slices if gamma >= LONG else _by_windows
    for block in range(1, blocks):
        node, before = np.nonzero(np.isfinite(energy[block].T))
        if not len(node):
            break
        extend(table[block], table[block - 1], node, before, energy[block, before, node], depths[block, before, node])
    return table


def _by_slices(least: Array, known: Array, node: Ints, before: Ints, energy: Array, depths: Ints) -> None:
    """Into `least` [N, gamma + 1], which is inf: what the steps, in order of `node`, make of `known`; one by one."""
    ahead, last = np.empty(known.shape[1]), -1
    for n, m, cost, deeper in zip(before.tolist(), node.tolist(), energy.tolist(), depths.tolist(), strict=True):
        row, above = least[m, deeper:], known[n, : len(ahead) - deeper]
        if m != last:
            np.add(above, cost, out=row)
        else:
            moved = ahead[deeper:]
            np.add(above, cost, out=moved)
            np.minimum(row, moved, out=row)
        last = m


def _by_windows(least: Array, known: Array, node: Ints, before: Ints, energy: Array, depths: Ints) -> None:
    """The same, all steps at once."""
    nodes, size = known.shape
    padded = np.full((nodes, 2 * size - 1), np.inf)
    padded[:, size - 1 :] = known
    shifted = sliding_window_view(padded, size, axis=1)  # [n, gamma - d]: the row of n, d deeper
    ahead = shifted[before, size - 1 - depths]
    ahead += energy[:, None]
    starts = np.flatnonzero(np.diff(node, prepend=-1))
    least[node[starts]] = np.minimum.reduceat(ahead, starts)


def _backtracked(table: Array, energy: Array, depths: Ints, source: int, node: int, depth: int) -> tuple[int, ...]:
    """The path that ends on this node at this depth: the predecessor is one whose energy adds up exactly."""
    path = [node]
    for block in range(len(table) - 1, 0, -1):
        above = depth - depths[block, :, node]
        known = np.where(above >= 0, table[block - 1, np.arange(len(above)), np.maximum(above, 0)], np.inf)
        before = int((known + energy[block, :, node]).argmin())
        node, depth = before, int(above[before])
        path.append(node)
    return tuple(reversed(path))
