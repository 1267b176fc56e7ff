"""Maps and tiles as tensors: 1 x C x H x W in fp32, stored row by row with the channels last."""

from __future__ import annotations

import torch

from iopt.tiling.tiles import Padding, Region


def empty(channels: int, height: int, width: int) -> torch.Tensor:
    """A dense map without values."""
    return torch.empty((1, channels, height, width), dtype=torch.float32, memory_format=torch.channels_last)


def part(tensor: torch.Tensor, region: Region, origin: Region | None = None) -> torch.Tensor:
    """A view of a region; `origin`: the region that the tensor holds, None for a whole map."""
    top, left = (0, 0) if origin is None else (origin.rows.lo, origin.columns.lo)
    rows, columns = region
    return tensor[:, :, rows.lo - top : rows.hi - top, columns.lo - left : columns.hi - left]


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself where it is dense, else a copy."""
    return tensor.contiguous(memory_format=torch.channels_last)


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A dense copy."""
    copy = empty(*tensor.shape[1:])
    return copy.copy_(tensor)


def padded(tensor: torch.Tensor, padding: Padding, value: float) -> torch.Tensor:
    """A dense copy with cells of `value` around it."""
    (top, bottom, left, right), (channels, height, width) = padding, tensor.shape[1:]
    copy = empty(channels, height + top + bottom, width + left + right)
    copy.fill_(value)
    copy[:, :, top : top + height, left : left + width] = tensor
    return copy
