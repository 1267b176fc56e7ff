"""Convolutions of some rows of a map, that allocate their output and the columns of a band of rows, and nothing else.

Whatever the window: what lies outside of the map is zero in the columns, so that no input is padded by a copy.
"""

from __future__ import annotations

import torch

from iopt.graph import Operator
from iopt.graph.layers import Conv2d
from iopt.partition.columns import band_rows, is_depthwise, is_pointwise
from iopt.partition.plan import Interval
from iopt.partition.runtime.gathering import gather
from iopt.partition.runtime.windows import readings


def convolve(
    operator: Operator, tensor: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, rows: Interval
) -> torch.Tensor:
    """Rows `rows` of the pre tensor, of the output channels of `weight`, from the input rows that they read.

    `tensor` holds the input channels that belong to `weight`: all, those of its groups, or a part for a partial sum.
    """
    body, width = operator.body, operator.pre_shape.width
    assert isinstance(body, Conv2d)
    output = tensor.new_empty(len(weight), rows[1] - rows[0], width)
    groups = len(tensor) // weight.shape[1]
    if is_depthwise(operator):
        _by_positions(operator, tensor, weight, output, rows)
    elif is_pointwise(body):
        for matrix, read, written in zip(weight.chunk(groups), tensor.chunk(groups), output.chunk(groups), strict=True):
            torch.mm(matrix.flatten(1), read.flatten(1), out=written.flatten(1))
    else:
        _by_columns(operator, tensor, weight, output, rows)
    return output if bias is None else output.add_(bias[:, None, None])


def _by_positions(
    operator: Operator, tensor: torch.Tensor, weight: torch.Tensor, output: torch.Tensor, rows: Interval
) -> None:
    """Each channel with its own kernels, one position of the kernel after the other."""
    body, channels = operator.body, len(tensor)
    assert isinstance(body, Conv2d)
    output.zero_()
    apart = output.view(channels, -1, *output.shape[1:])
    factors = weight.view(channels, -1, *weight.shape[2:], 1, 1)
    down, across = readings(body.window, tensor, rows, operator.pre_shape.width)
    for above in down:
        for left in across:
            read = tensor[:, None, above.read, left.read]
            apart[:, :, above.written, left.written].addcmul_(read, factors[:, :, above.position, left.position])


def _by_columns(
    operator: Operator, tensor: torch.Tensor, weight: torch.Tensor, output: torch.Tensor, rows: Interval
) -> None:
    """A matrix product for each group and band of rows."""
    body, width, band = operator.body, operator.pre_shape.width, band_rows(operator)
    assert isinstance(body, Conv2d)
    (outputs, inputs, *kernel), groups = weight.shape, len(tensor) // weight.shape[1]
    room = tensor.new_empty(inputs * kernel[0] * kernel[1] * band * width)
    down, across = readings(body.window, tensor, rows, width)
    each = outputs // groups
    for first in range(0, rows[1] - rows[0], band):
        count = min(band, rows[1] - rows[0] - first)
        columns = room[: inputs * kernel[0] * kernel[1] * count * width].view(inputs, *kernel, count, width)
        here = [reading.between(first, first + count, body.window.stride[0]) for reading in down]
        for group in range(groups):
            gather(columns, tensor[group * inputs : (group + 1) * inputs], here, across)
            part = slice(group * each, (group + 1) * each)
            written = output[part, first : first + count].view(each, -1)
            torch.mm(weight[part].view(each, -1), columns.view(-1, count * width), out=written)
