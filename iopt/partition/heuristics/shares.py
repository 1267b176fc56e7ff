"""Integer shares from real weights, by largest remainder."""

from __future__ import annotations

import numpy as np

from iopt.partition.geometry import Floats, Ints

_DIGITS = 9
"""Remainders that agree to this many decimals are tied: they differ by rounding alone."""


def round_shares(size: int, weights: Floats, unit: int = 1) -> Ints:
    """Share out `size` in proportion to `weights` [..., m]: integers [..., m], multiples of `unit`, that sum to `size`.

    Every device gets its quota rounded down, what is left goes to the largest remainders; ties go to the earlier
    device. A device of weight zero gets nothing. Weights are not negative and each row has a positive one; `unit`
    divides `size`.
    """
    scaled = weights / weights.max(axis=-1, keepdims=True)  # the sum of rates may be beyond all floats
    quota = np.round(scaled / scaled.sum(axis=-1, keepdims=True) * (size // unit), _DIGITS)
    shares = np.floor(quota).astype(np.int64)
    remainder = np.where(weights > 0, np.round(quota - shares, _DIGITS), -1.0)
    rank = np.argsort(np.argsort(-remainder, axis=-1, kind="stable"), axis=-1, kind="stable")
    left = size // unit - shares.sum(axis=-1, keepdims=True)
    rounded: Ints = (shares + (rank < left)) * unit
    return rounded


def earliest_shares(size: int, rates: Floats) -> Ints:
    """Share out `size` so that the last of the devices is done as early as possible: integers [..., m].

    Unit by unit to the device that is done with it first (D'Hondt); ties go to the earlier device. `rates` [..., m] as
    weights of `round_shares`. With few units this differs from proportion: 13 at rates 1, 2, 1.5, 4 are 1, 3, 2, 7.
    """
    scaled = rates / rates.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        done = np.round(np.arange(1, size + 1) / scaled[..., None], _DIGITS)
    order = np.argsort(done.reshape(*rates.shape[:-1], -1), axis=-1, kind="stable")[..., :size] // size
    earliest: Ints = (order[..., None] == np.arange(rates.shape[-1])).sum(axis=-2)
    return earliest
