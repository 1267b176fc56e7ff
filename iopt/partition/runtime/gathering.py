"""The columns of a convolution, copied from its input in as few pieces as the edges of the map leave it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch

from iopt.partition.runtime.windows import Reading


def gather(columns: torch.Tensor, tensor: torch.Tensor, down: Sequence[Reading], across: Sequence[Reading]) -> None:
    """Columns `input channels x kernel x rows x columns`; those of the map's edges have zeros where nothing is read.

    Positions of the kernel that read for the same outputs are next to each other, and copied at once.
    """
    *_, count, width = columns.shape
    if any(reading.length < count for reading in down) or any(reading.length < width for reading in across):
        columns.zero_()
    along = _runs(across)
    for above in _runs(down):
        for left in along:
            place = columns[:, _positions(above), _positions(left), above[0].written, left[0].written]
            place.copy_(_unfolded(_unfolded(tensor, 1, above), 2, left).permute(0, 3, 4, 1, 2))


def _runs(readings: Sequence[Reading]) -> list[list[Reading]]:
    """Those that read anything, together where they do so for the same outputs."""
    found = groupby(readings, lambda reading: (reading.written.start, reading.written.stop))
    return [list(run) for (start, stop), run in found if stop > start]


def _positions(run: Sequence[Reading]) -> slice:
    return slice(run[0].position, run[-1].position + 1)


def _unfolded(tensor: torch.Tensor, side: int, run: Sequence[Reading]) -> torch.Tensor:
    """A view with the outputs of the run in place of the cells of a side, and its positions as last dimension."""
    first, last = run[0].read.start, run[-1].read.start
    apart = run[1].read.start - first if len(run) > 1 else 1
    seen = tensor.narrow(side, first, run[-1].read.stop - first)
    return seen.unfold(side, last - first + 1, run[0].read.step)[..., ::apart]
