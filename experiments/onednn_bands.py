"""Convolutions by oneDNN, band by band, on weights that are packed once: what the executor could do instead.

oneDNN wants channels innermost. Two buffers are allocated besides the output: a band of the input, and one of what
oneDNN makes of it; so its scratch is a few KiB, which depend on the channels, the threads and the processor.
"""

from __future__ import annotations

import torch

from iopt.graph import Operator
from iopt.graph.layers import ELEMENT_BYTES, Conv2d
from iopt.partition.columns import band_rows


class Packed:
    """A convolution on whole maps with rows and columns padded alike; `weight` as PyTorch lays it out."""

    def __init__(self, operator: Operator, weight: torch.Tensor, bias: torch.Tensor) -> None:
        assert isinstance(operator.body, Conv2d)
        self.operator, self.bias, self.window = operator, bias, operator.body.window
        self.band = band_rows(operator)
        channels, _, width = operator.input_shape
        self.options = ([0, self.window.padding[1]], list(self.window.stride), [1, 1], 1)
        before = [1, channels, self._rows(self.band), width]
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(weight, *self.options, before)  # noqa: SLF001

    @property
    def weight_bytes(self) -> int:
        """What the packed weights take."""
        return int(torch.ops.mkldnn._nbytes(self.weight))  # noqa: SLF001

    @property
    def buffer_bytes(self) -> int:
        """The bands of input and output."""
        before, pre = self.operator.input_shape, self.operator.pre_shape
        rows = self._rows(self.band) * before.width * before.channels + self.band * pre.width * pre.channels
        return rows * ELEMENT_BYTES

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        pre, height, width = self.operator.pre_shape, *tensor.shape[1:]
        output = tensor.new_empty(tuple(pre))
        inputs = tensor.new_empty(self._rows(self.band), width, len(tensor))
        outputs = tensor.new_empty(self.band, pre.width, pre.channels)
        for first in range(0, pre.height, self.band):
            count = min(self.band, pre.height - first)
            rows, top = self._rows(count), first * self.window.stride[0] - self.window.padding[0]
            lo, hi = max(top, 0), min(top + rows, height)
            inputs[: lo - top].zero_()
            inputs[hi - top : rows].zero_()
            inputs[lo - top : hi - top].copy_(tensor[:, lo:hi].permute(1, 2, 0))
            sums = outputs[:count].copy_(self.bias)
            torch.ops.mkldnn._convolution_pointwise_.binary(
                *(each.permute(2, 0, 1)[None] for each in (sums, inputs[:rows])),
                *(self.weight, None, *self.options, "add", 1.0, None, [], ""),
            )
            output[:, first : first + count].copy_(sums.permute(2, 0, 1))
        return output

    def _rows(self, count: int) -> int:
        """Input rows under so many output rows."""
        return (count - 1) * self.window.stride[0] + self.window.kernel[0]
