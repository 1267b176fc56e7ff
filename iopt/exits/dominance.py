"""Rows of values that no other row makes superfluous; less is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK = 256
"""Rows that are compared with each other at once."""


def undominated(values: Floats) -> Ints:
    """Indices, rising, of the rows of `values` [K, V] that no other row equals or undercuts in every value; of equal
    rows the first stays."""
    order = np.lexsort(values.T[::-1])  # what dominates a row comes before it
    return np.sort(order[undominated_by_earlier(values[order])])


def undominated_by_earlier(values: Floats) -> Ints:
    """Indices, rising, of the rows of `values` [K, V] that no earlier row equals or undercuts in every value."""
    values = values.T.copy()
    front = np.zeros(0, dtype=np.int64)
    for start in range(0, values.shape[1], CHUNK):
        fresh = np.arange(start, min(start + CHUNK, values.shape[1]))
        fresh = fresh[~_no_larger(values[:, front], values[:, fresh]).any(axis=0)]
        fresh = fresh[~np.triu(_no_larger(values[:, fresh], values[:, fresh]), 1).any(axis=0)]
        front = np.concatenate((front, fresh))
    return front


def _no_larger(left: Floats, right: Floats) -> NDArray[np.bool_]:
    """[A, B] whether column a of `left` [V, A] is in no value larger than column b of `right` [V, B]."""
    result: NDArray[np.bool_] = left[0][:, None] <= right[0]
    for ours, theirs in zip(left[1:], right[1:], strict=True):
        result &= ours[:, None] <= theirs
    return result
