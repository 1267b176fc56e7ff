"""Boxes along the dimension of operators: put together, and taken apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from iopt.partition.transfer import Boxes


def chosen(condition: NDArray[np.bool_], one: Boxes, other: Boxes) -> Boxes:
    """`one` where the condition [..., n] holds, else `other`."""
    wide = condition[..., None]
    return Boxes(
        np.where(condition, one.kind, other.kind), np.where(wide, one.lo, other.lo), np.where(wide, one.hi, other.hi)
    )


def put_before(first: Boxes, rest: Boxes) -> Boxes:
    """`first` put ahead of `rest` in the dimension of operators."""
    return _joined(_like(first, rest), rest)


def put_after(rest: Boxes, last: Boxes) -> Boxes:
    """`last` put behind `rest` in the dimension of operators."""
    return _joined(rest, _like(last, rest))


def parted(boxes: Boxes) -> tuple[Boxes, Boxes]:
    """Without the last, and without the first in the dimension of operators."""
    kind, lo, hi = boxes
    return Boxes(kind[..., :-1], lo[..., :-1, :], hi[..., :-1, :]), Boxes(kind[..., 1:], lo[..., 1:, :], hi[..., 1:, :])


def _like(one: Boxes, many: Boxes) -> Boxes:
    """The boxes of one tensor with the leading dimensions of those of many."""
    kind, lo, hi = many.kind[..., :1].shape, many.lo[..., :1, :].shape, many.hi[..., :1, :].shape
    return Boxes(np.broadcast_to(one.kind, kind), np.broadcast_to(one.lo, lo), np.broadcast_to(one.hi, hi))


def _joined(first: Boxes, second: Boxes) -> Boxes:
    return Boxes(
        np.concatenate([first.kind, second.kind], axis=-1),
        np.concatenate([first.lo, second.lo], axis=-2),
        np.concatenate([first.hi, second.hi], axis=-2),
    )
