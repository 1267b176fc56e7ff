"""A window, position by position, as strided views of a tile: those outside the map are skipped, nothing is padded."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from iopt.graph.layers import Window


def views(
    window: Window, tile: torch.Tensor, output: torch.Tensor, before: tuple[int, int]
) -> Iterator[tuple[int, int, torch.Tensor, torch.Tensor]]:
    """Row and column in the window, the output cells whose cell there is inside, and those cells of the tile.

    `before`: rows above and columns left of the tile by which windows reach over it.
    """
    rows, columns = (
        _inside(window, side, before[side], tile.shape[side + 2], output.shape[side + 2]) for side in (0, 1)
    )
    for row, written_rows, read_rows in rows:
        for column, written_columns, read_columns in columns:
            written, read = output[:, :, written_rows, written_columns], tile[:, :, read_rows, read_columns]
            yield row, column, written, read


def _inside(window: Window, side: int, before: int, size: int, count: int) -> list[tuple[int, slice, slice]]:
    """For each position of the window along a side: the outputs that read inside there, and what they read."""
    found, stride = [], window.stride[side]
    for position in range(window.kernel[side]):
        offset = position * window.dilation[side] - before
        lo, hi = max(0, -(offset // stride)), min(count, (size - 1 - offset) // stride + 1)
        if lo < hi:
            first, last = lo * stride + offset, (hi - 1) * stride + offset
            found.append((position, slice(lo, hi), slice(first, last + 1, stride)))
    return found
