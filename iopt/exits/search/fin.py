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
MOST_CELLS = 2**27
"""Of the layered graph of an application, blocks x nodes x depths: 1 GiB of energies."""
LONG = 300
"""Depths from which steps are taken one by one; so they are where all into a block would not fit."""


def most_gamma(blocks: int, nodes: int) -> int:
    """The largest gamma whose layered graph fits."""
    return MOST_CELLS // (blocks * nodes) - 1


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
    is_long = gamma >= LONG or nodes * nodes * (gamma + 1) > MOST_CELLS
    (_fill_by_slices if is_long else _fill_by_windows)(table, energy, depths)
    return table


def _fill_by_windows(table: Array, energy: Array, depths: Ints) -> None:
    """Blocks from the second on, all steps into a block at once."""
    nodes, size = table.shape[1:]
    padded = np.full((nodes, 2 * size - 1), np.inf)
    shifted = sliding_window_view(padded, size, axis=1)  # [n, gamma - d]: the row of n, d deeper
    for block in range(1, len(table)):
        padded[:, size - 1 :] = table[block - 1]
        node, before = np.nonzero(np.isfinite(energy[block].T))
        if not len(node):
            break
        ahead = shifted[before, size - 1 - depths[block, before, node]]
        ahead += energy[block, before, node][:, None]
        starts = np.flatnonzero(np.diff(node, prepend=-1))
        table[block, node[starts]] = np.minimum.reduceat(ahead, starts)


def _fill_by_slices(table: Array, energy: Array, depths: Ints) -> None:
    """The same, step by step: rows that long cost more than a call."""
    size = table.shape[2]
    ahead, last = np.empty(size), (0, -1)
    at = np.argwhere(np.isfinite(energy[1:].transpose(0, 2, 1)))
    block, node, before = at[:, 0] + 1, at[:, 1], at[:, 2]
    steps = (block, node, before, energy[block, before, node], depths[block, before, node])
    for b, m, n, cost, deeper in zip(*(values.tolist() for values in steps), strict=True):
        row, above = table[b, m, deeper:], table[b - 1, n, : size - deeper]
        if (b, m) == last:
            np.add(above, cost, out=ahead[deeper:])
            np.minimum(row, ahead[deeper:], out=row)
        else:
            np.add(above, cost, out=row)
        last = (b, m)


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
