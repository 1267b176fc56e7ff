"""Convolutions of some rows of a map, that allocate their output and the columns of a band of rows, and nothing else.

Whatever the window: what lies outside of the map is zero in the columns, so that no input is padded by a copy.
"""

from __future__ import annotations

import torch

from iopt.graph import Operator
from iopt.graph.layers import ELEMENT_BYTES, Conv2d
from iopt.partition.columns import Layout, band_rows, column_bytes, is_depthwise
from iopt.partition.plan import Interval
from iopt.partition.runtime.gathering import gather
from iopt.partition.runtime.windows import readings, rows_above


def convolve(
    operator: Operator, tensor: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, rows: Interval
) -> torch.Tensor:
    """Rows `rows` of the pre tensor, of the output channels of `weight`, from the input rows that they read.

    `tensor` holds the input channels that belong to `weight`: all, those of its groups, or a part for a partial sum.
    `weight`: kernel rows x output channels x input channels of a group x kernel columns.
    """
    body, width = operator.body, operator.pre_shape.width
    assert isinstance(body, Conv2d)
    output = tensor.new_empty(weight.shape[1], rows[1] - rows[0], width)
    if column_bytes(operator):
        _by_columns(operator, tensor, weight, bias, output, rows)
        return output
    if is_depthwise(operator):
        _by_positions(operator, tensor, weight, output, rows)
    else:
        groups = len(tensor) // weight.shape[2]
        parts = (each.flatten(1).chunk(groups) for each in (weight[0], tensor, output))
        for factors, read, written in zip(*parts, strict=True):
            torch.mm(factors, read, out=written)
    return output if bias is None else output.add_(bias[:, None, None])


def _by_positions(
    operator: Operator, tensor: torch.Tensor, weight: torch.Tensor, output: torch.Tensor, rows: Interval
) -> None:
    """Each channel with its own kernels, one position of the kernel after the other."""
    body, channels = operator.body, len(tensor)
    assert isinstance(body, Conv2d)
    output.zero_()
    apart = output.view(channels, -1, *output.shape[1:])
    factors = weight.view(len(weight), channels, -1, weight.shape[3], 1, 1)
    down, across = readings(body.window, tensor, rows, operator.pre_shape.width)
    for above in down:
        for left in across:
            read = tensor[:, None, above.read, left.read]
            apart[:, :, above.written, left.written].addcmul_(read, factors[above.position, :, :, left.position])


def _by_columns(
    operator: Operator,
    tensor: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    output: torch.Tensor,
    rows: Interval,
) -> None:
    """Band by band, and in it group by group."""
    assert isinstance(operator.body, Conv2d)
    window, band, inputs = operator.body.window, band_rows(operator), weight.shape[2]
    layout, groups = Layout.of(window), len(tensor) // inputs
    room = tensor.new_empty(inputs * column_bytes(operator) // ELEMENT_BYTES)
    biases = [None] * groups if bias is None else bias[:, None].chunk(groups)
    parts = list(zip(tensor.chunk(groups), weight.chunk(groups, 1), biases, output.chunk(groups), strict=True))
    for first in range(0, output.shape[1], band):
        top = first * window.stride[0] - rows_above(window, rows)
        for read, factors, added, written in parts:
            here = written[:, first : first + band]
            columns = gather(room, window, read, top, *here.shape[1:])
            _multiply(layout, columns, factors, added, here.view(len(here), -1))


def _multiply(
    layout: Layout, columns: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, output: torch.Tensor
) -> None:
    """Into an output of channels x cells: the sum over the rows of the kernel, and the bias [channels, 1]."""
    cells, width = output.shape[1], columns.shape[4]
    by_phase = columns.view(layout.phases, -1, columns.shape[3] * width)
    for row, (phase, shift) in enumerate(layout.kernel):
        factors, read = weight[row].flatten(1), by_phase[phase, :, shift * width :][:, :cells]
        if row:
            output.addmm_(factors, read)
        elif bias is None:
            torch.mm(factors, read, out=output)
        else:
            torch.addmm(bias, factors, read, out=output)
