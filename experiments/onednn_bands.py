"""Convolutions by oneDNN, band by band, on weights that are packed once: what the executor could do instead.

oneDNN wants channels innermost. Two buffers are allocated besides the output: a band of the input, and one of what
oneDNN makes of it; so its scratch is a few KiB, which depend on the channels, the threads and the processor.

`python -m experiments.onednn_bands` prints bytes of packed weights and of scratch as JSON.
"""

from __future__ import annotations

import json
import os

import torch

from iopt.graph import INPUT, Operator
from iopt.graph.layers import ELEMENT_BYTES, Conv2d, Shape, Window
from iopt.partition.columns import band_rows
from iopt.partition.runtime.peak import peak_bytes

CHANNELS = ((64, 1), (64, 16), (64, 20), (64, 50), (64, 64), (64, 137), (512, 512))
"""Of input and output."""


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


def packing(inputs: int, outputs: int) -> dict[str, int]:
    """Bytes for a convolution of a map of 28 x 28 under 3 x 3."""
    shape = Shape(outputs, 28, 28)
    body = Conv2d("weight", Window((3, 3), padding=(1, 1)))
    operator = Operator("sample", body, (INPUT,), (Shape(inputs, 28, 28),), shape, shape, ())
    weight, image = torch.zeros(outputs, inputs, 3, 3), torch.zeros(inputs, 28, 28)
    packed = Packed(operator, weight, torch.zeros(outputs))
    found = {"input channels": inputs, "output channels": outputs, "weights": weight.nbytes}
    found["packed"] = packed.weight_bytes
    for threads in (1, os.cpu_count() or 1):
        torch.set_num_threads(threads)
        peak = peak_bytes(lambda: packed(image))
        found[f"scratch, threads: {threads}"] = peak - shape.bytes - packed.buffer_bytes
    return found


if __name__ == "__main__":
    with torch.inference_mode():
        print(json.dumps([packing(*each) for each in CHANNELS]))
