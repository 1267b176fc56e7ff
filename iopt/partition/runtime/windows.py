"""Convolutions and poolings of some rows of a map: padding only where the map ends, whatever the window.

Every function takes a tensor `channels x rows x columns` whose rows are those that the wanted positions read, clipped
to the map, and needs to know where in the map they lie.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from iopt.graph.layers import Pool, Shape, Window
from iopt.partition.plan import Interval


def margins(window: Window, rows: Interval, height: int) -> tuple[int, int]:
    """Rows above and below a map of `height` rows that the positions `rows` of the window reach."""
    first = rows[0] * window.stride[0] - window.padding[0]
    last = (rows[1] - 1) * window.stride[0] - window.padding[0] + window.reach(0)
    return max(-first, 0), max(last - height, 0)


def convolve(
    tensor: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: Window,
    groups: int,
    rows: Interval,
    height: int,
) -> torch.Tensor:
    """Rows of a convolution over a map of `height` rows."""
    above, below = margins(window, rows, height)
    if above != below:
        tensor, above = functional.pad(tensor, (0, 0, above, below)), 0
    padding = (above, window.padding[1])
    return functional.conv2d(tensor, weight, bias, window.stride, padding, window.dilation, groups)


def pool(tensor: torch.Tensor, layer: Pool, rows: Interval, before: Shape, after: Shape) -> torch.Tensor:
    """Rows of a pooling from a map of shape `before` to one of shape `after`."""
    if layer.window is None:
        return _adaptive(tensor, layer, rows, before, after)
    above, below = margins(layer.window, rows, before.height)
    window, across = layer.window, (0, layer.window.padding[1])
    if layer.reduce == "max":
        if above or below:
            tensor = functional.pad(tensor, (0, 0, above, below), value=-torch.inf)
        return functional.max_pool2d(tensor, window.kernel, window.stride, across, window.dilation, layer.ceil_mode)
    if above or below:
        tensor = functional.pad(tensor, (0, 0, above, below))
    total = functional.avg_pool2d(tensor, window.kernel, window.stride, across, layer.ceil_mode, divisor_override=1)
    divisor = _divisor(layer, window, rows, before, after)
    return total.div_(divisor.to(total.device) if isinstance(divisor, torch.Tensor) else divisor)


def _divisor(layer: Pool, window: Window, rows: Interval, before: Shape, after: Shape) -> torch.Tensor | int:
    """What the sums under the window are divided by, by PyTorch's rules for its edges."""
    if layer.divisor_override is not None:
        return layer.divisor_override
    down = _counts(window, 0, rows, before.height, layer.count_include_pad)
    across = _counts(window, 1, (0, after.width), before.width, layer.count_include_pad)
    return down[:, None] * across


def _counts(window: Window, side: int, positions: Interval, size: int, count_padding: bool) -> torch.Tensor:
    """Cells that each position counts: those of the map, with or without its padding, but nothing beyond."""
    padding, kernel = window.padding[side], window.kernel[side]
    first = torch.arange(*positions) * window.stride[side] - padding
    last = (first + kernel).clamp(max=size + padding)
    if not count_padding:
        first, last = first.clamp(min=0), last.clamp(max=size)
    return (last - first).to(torch.float32)


def _adaptive(tensor: torch.Tensor, layer: Pool, rows: Interval, before: Shape, after: Shape) -> torch.Tensor:
    reduce = functional.adaptive_max_pool2d if layer.reduce == "max" else functional.adaptive_avg_pool2d
    if rows == (0, after.height):
        return reduce(tensor, (after.height, after.width))
    start = rows[0] * before.height // after.height
    result = tensor.new_empty(tensor.shape[0], rows[1] - rows[0], after.width)
    for row in range(*rows):
        top, bottom = row * before.height // after.height, -(-(row + 1) * before.height // after.height)
        result[:, row - rows[0] : row - rows[0] + 1] = reduce(tensor[:, top - start : bottom - start], (1, after.width))
    return result
