"""Convolutions on dense maps, with their folded batch norm; weights are packed when they are loaded.

Convolutions of one channel are summed position by position: oneDNN 3.12, which torch 2.13 brings, reads memory that it
has not written where they give few columns (a 3x4 kernel of stride 1x3 on 4 columns gives NaN).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch.nn import functional

from iopt.graph.layers import Conv2d, Window
from iopt.tiling.executor import maps, positions
from iopt.tiling.executor.steps import State
from iopt.tiling.executor.weights import folded
from iopt.tiling.layers import Layer
from iopt.tiling.predictors import own_padding
from iopt.tiling.tiles import Padding, TileStep

Convolve = Callable[[torch.Tensor, tuple[int, int]], torch.Tensor]
"""Of a dense map and the padding on both ends of rows and columns."""


class Convolution:
    """`own`: pads itself what it can; else a copy pads."""

    def __init__(self, layer: Layer, state: State, own: bool, size: tuple[int, int]) -> None:
        assert isinstance(layer.body, Conv2d)
        self.layer, self.own, self.window = layer, own, layer.body.window
        weight, bias = folded(layer, state)
        if layer.input.channels == 1:
            self._convolve = _by_positions(layer.body.window, weight, bias)
        else:
            self._convolve = _packed(layer.body, weight, bias, (layer.input.channels, *size))

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        return self._convolve(tensor, self.window.padding)

    def ready(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        (top, bottom, left, right), (rows, columns) = step.padding, self._own(step.padding)
        rest = Padding(top - rows, max(bottom - rows, 0), left - columns, max(right - columns, 0))
        return maps.padded(tile, rest, 0.0) if any(rest) else maps.dense(tile)

    def tile(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        return self._convolve(tile, self._own(step.padding))

    def _own(self, padding: Padding) -> tuple[int, int]:
        if not self.own:
            return 0, 0
        rows, columns = (own_padding(self.layer, side, *padding[2 * side : 2 * side + 2]) for side in (0, 1))
        return int(rows), int(columns)


def _packed(body: Conv2d, weight: torch.Tensor, bias: torch.Tensor | None, shape: tuple[int, int, int]) -> Convolve:
    """The convolution on weights in the order that oneDNN wants for inputs of this shape; without oneDNN, torch's."""
    window, groups = body.window, body.groups
    stride, dilation = list(window.stride), list(window.dilation)
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # pragma: no cover - no oneDNN here
        return lambda tensor, padding: functional.conv2d(tensor, weight, bias, stride, padding, dilation, groups)
    dense = weight.contiguous()
    packed = torch.ops.mkldnn._reorder_convolution_weight(  # noqa: SLF001 - oneDNN's packing has no public name
        dense, list(window.padding), stride, dilation, groups, [1, *shape]
    )
    call = torch.ops.mkldnn._convolution_pointwise.default  # noqa: SLF001 - neither has the convolution that takes it

    def convolve(tensor: torch.Tensor, padding: tuple[int, int]) -> torch.Tensor:
        output: torch.Tensor = call(tensor, packed, bias, list(padding), stride, dilation, groups, "none", [], "")
        return output

    return convolve


def _by_positions(window: Window, weight: torch.Tensor, bias: torch.Tensor | None) -> Convolve:
    """The convolution of one channel, as a sum over the positions of its window."""
    bare = replace(window, padding=(0, 0))
    factors = weight.permute(2, 3, 1, 0)[..., None, None].contiguous()

    def convolve(tensor: torch.Tensor, padding: tuple[int, int]) -> torch.Tensor:
        height, width = (bare.positions(side, tensor.shape[side + 2] + 2 * padding[side]) for side in (0, 1))
        output = maps.empty(len(weight), height, width)
        if bias is None:
            output.zero_()
        else:
            output.copy_(bias[:, None, None])
        for row, column, written, read in positions.views(window, tensor, output, padding):
            written.addcmul_(read, factors[row, column])
        return output

    return convolve
