"""The columns of a convolution, copied from its input in as few pieces as the edges of the map leave it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import torch

from iopt.graph.layers import Window
from iopt.partition.columns import Layout
from iopt.partition.runtime.windows import Reading, along, offsets


def gather(room: torch.Tensor, window: Window, tensor: torch.Tensor, top: int, count: int, width: int) -> torch.Tensor:
    """The columns of `count` output rows, phases x input channels x kernel columns x rows x columns, in `room`; zero
    where nothing is read. `top`: the row of the tensor that the first window begins with, negative above it.

    Phases, or columns of the kernel, that read for the same outputs are next to each other, and copied at once.
    """
    layout, stride, size = Layout.of(window), window.stride, tensor.shape[1:]
    shape = (layout.phases, len(tensor), window.kernel[1], count + layout.depth, width)
    columns = room[: math.prod(shape)].view(shape)
    down = along([top + phase * layout.step for phase in range(layout.phases)], stride[0], size[0], shape[3])
    across = along(offsets(window, 1, window.padding[1]), stride[1], size[1], width)
    _clear(columns.movedim(3, 1), down)
    _clear(columns.movedim((2, 4), (0, 1)), across)
    runs = _runs(across)
    for above in _runs(down):
        for left in runs:
            place = columns[_positions(above), :, _positions(left), above[0].written, left[0].written]
            place.copy_(_unfolded(_unfolded(tensor, 1, above), 2, left).permute(3, 0, 4, 1, 2))
    return columns


def _clear(columns: torch.Tensor, readings: Sequence[Reading]) -> None:
    """Zeros where the outputs of a side read nothing; columns `positions x outputs x ...`."""
    for reading in readings:
        for rest in (slice(0, reading.written.start), slice(reading.written.stop, columns.shape[1])):
            if rest.stop > rest.start:
                columns[reading.position, rest].zero_()


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
