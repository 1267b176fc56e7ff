"""Windows position by position, and poolings of some rows of a map that allocate nothing but their output.

Every function takes a tensor `channels x rows x columns` whose rows are those that the wanted positions read, clipped
to the map, and needs to know where in the map they lie. What is outside of the map is skipped: nothing is padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from iopt.graph.layers import Pool, Shape, Window
from iopt.partition.geometry import Ints
from iopt.partition.plan import Interval


class Reading(NamedTuple):
    """Along one side, for one position of the window: the outputs that read a cell inside there, and these cells."""

    position: int
    written: slice
    read: slice


def readings(window: Window, tensor: torch.Tensor, rows: Interval, columns: int) -> tuple[list[Reading], list[Reading]]:
    """Along rows `rows` of the output, then along all its columns."""
    return (
        along(offsets(window, 0, rows_above(window, rows)), window.stride[0], tensor.shape[1], rows[1] - rows[0]),
        along(offsets(window, 1, window.padding[1]), window.stride[1], tensor.shape[2], columns),
    )


def rows_above(window: Window, rows: Interval) -> int:
    """Rows that the window of the first of these outputs has above the first that is read."""
    return max(window.padding[0] - rows[0] * window.stride[0], 0)


def along(starts: Sequence[int], stride: int, size: int, count: int) -> list[Reading]:
    """Of `count` outputs along a side with `size` cells; `starts`: the cell that each position reads for the first
    output, negative before the first cell."""
    found = []
    for position, offset in enumerate(starts):
        lo = min(max(0, -(offset // stride)), count)
        hi = max(min(count, (size - 1 - offset) // stride + 1), lo)
        first = lo * stride + offset
        found.append(Reading(position, slice(lo, hi), slice(first, first + max((hi - lo - 1) * stride + 1, 0), stride)))
    return found


def offsets(window: Window, side: int, before: int) -> list[int]:
    """Where each position reads for the first output, which has so many cells of its window before the first cell."""
    return [position * window.dilation[side] - before for position in range(window.kernel[side])]


def pool(tensor: torch.Tensor, layer: Pool, rows: Interval, before: Shape, after: Shape) -> torch.Tensor:
    """Rows of a pooling from a map of shape `before` to one of shape `after`."""
    output = tensor.new_empty(len(tensor), rows[1] - rows[0], after.width)
    if layer.window is None:
        return _adaptive(tensor, output, layer, rows, before, after)
    output.fill_(-torch.inf if layer.reduce == "max" else 0.0)
    down, across = readings(layer.window, tensor, rows, after.width)
    for above in down:
        for left in across:
            written, read = output[:, above.written, left.written], tensor[:, above.read, left.read]
            if layer.reduce == "max":
                torch.maximum(written, read, out=written)
            else:
                written.add_(read)
    return output if layer.reduce == "max" else _divided(output, *_divisors(layer, layer.window, rows, before, after))


def _divided(sums: torch.Tensor, down: Ints, across: Ints) -> torch.Tensor:
    """Sums over cells, divided by how many they are, along rows and along columns, in place.

    The divisors are numpy's: a number of Python's would become a tensor in PyTorch's memory.
    """
    kind = np.float64 if sums.dtype == torch.float64 else np.float32
    rows, columns = (torch.from_numpy(counts.astype(kind)).to(sums.device) for counts in (down, across))
    return sums.div_(rows[:, None]).div_(columns)


def _divisors(layer: Pool, window: Window, rows: Interval, before: Shape, after: Shape) -> tuple[Ints, Ints]:
    """By PyTorch's rules for the edges of a map."""
    if layer.divisor_override is not None:
        return np.array([layer.divisor_override]), np.ones(1, dtype=np.int64)
    down = _counts(window, 0, rows, before.height, layer.count_include_pad)
    return down, _counts(window, 1, (0, after.width), before.width, layer.count_include_pad)


def _counts(window: Window, side: int, positions: Interval, size: int, count_padding: bool) -> Ints:
    """Cells that each position counts: those of the map, with or without its padding, but nothing beyond."""
    padding, kernel = window.padding[side], window.kernel[side]
    first = np.arange(*positions) * window.stride[side] - padding
    last = np.minimum(first + kernel, size + padding)
    if not count_padding:
        first, last = np.maximum(first, 0), np.minimum(last, size)
    return last - first


def _adaptive(
    tensor: torch.Tensor, output: torch.Tensor, layer: Pool, rows: Interval, before: Shape, after: Shape
) -> torch.Tensor:
    """Cell by cell: output row i covers rows floor(i H / h) ... ceil((i + 1) H / h), columns likewise."""
    reduce = torch.amax if layer.reduce == "max" else torch.sum
    (top, bottom), (left, right) = (
        _parts(rows, before.height, after.height),
        _parts((0, after.width), before.width, after.width),
    )
    for row in range(len(top)):
        for column in range(after.width):
            cell = tensor[:, top[row] - top[0] : bottom[row] - top[0], left[column] : right[column]]
            reduce(cell, dim=(1, 2), out=output[:, row, column])
    return output if layer.reduce == "max" else _divided(output, bottom - top, right - left)


def _parts(outputs: Interval, size: int, count: int) -> tuple[Ints, Ints]:
    """Where the parts `outputs` of `size` cells begin and end, if there are `count`."""
    at = np.arange(*outputs)
    return at * size // count, -(-(at + 1) * size // count)
