"""Which labels of a layer no other label makes superfluous."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from iopt.exits.dominance import undominated_by_earlier
from iopt.exits.limits import Array
from iopt.exits.search.resources import Ints


def undominated_labels(node: Ints, energy: Array, time: Array, excess: Array) -> Ints:
    """Indices of the labels that stay, of K labels.

    One label dominates another on the same node if its energy, its time and its excess in every column of `excess`
    [K, R] are no larger; of equal ones the first stays. Energy and time alone would be wrong: a label that costs more
    may be the only one that leaves room where the path still has to go.
    """
    order = np.lexsort((time, energy, node))
    node, time, excess = node[order], time[order], excess[order]
    rank = np.empty(len(order), dtype=np.int64)
    rank[np.argsort(time, kind="stable")] = np.arange(len(order))
    loaded: NDArray[np.bool_] = np.any(excess, axis=1)
    staircase = rank - node * len(order)
    strong = np.where(loaded, len(order), staircase)
    best = np.empty_like(strong)
    best[:1] = len(order)
    np.minimum.accumulate(strong[:-1], out=best[1:])
    keep = staircase < best
    if not loaded.any():
        return order[keep]
    return order[_pairwise(np.flatnonzero(keep), node, time, excess, loaded)]


def _pairwise(kept: Ints, node: Ints, time: Array, excess: Array, loaded: NDArray[np.bool_]) -> Ints:
    """Node by node, those that stay among labels in order of energy."""
    stays = []
    for group in np.split(kept, np.flatnonzero(np.diff(node[kept])) + 1):
        if loaded[group].any():
            over = excess[group]
            group = group[undominated_by_earlier(np.column_stack((time[group], over[:, over.any(axis=0)])))]
        stays.append(group)
    return np.concatenate(stays)
