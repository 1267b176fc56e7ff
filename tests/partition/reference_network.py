"""What the referee knows of networks: cells, windows, FLOPs, parameters, derived anew.

A tensor is the set of its cells `(channel, row)`; a cell weighs `width * 4` bytes.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from iopt.graph import Operator
from iopt.graph.layers import BatchNorm, Conv2d, Linear, Pool, Shape

Cells = set[tuple[int, int]]


class Tensor(NamedTuple):
    """What each device has or wants of a tensor, and along what: `rows`, `channels`, `partial`, `whole` or `source`.

    `source` has the whole tensor on one device and sends each need from there (the network input, and `via`).
    """

    kind: str
    cells: list[Cells]


def cell_bytes(shape: Shape) -> int:
    return shape.width * 4


def all_cells(shape: Shape) -> Cells:
    return {(channel, row) for channel in range(shape.channels) for row in range(shape.height)}


def of_rows(shape: Shape, rows: set[int]) -> Cells:
    return {(channel, row) for channel, row in all_cells(shape) if row in rows}


def of_channels(shape: Shape, channels: set[int]) -> Cells:
    return {(channel, row) for channel, row in all_cells(shape) if channel in channels}


def hull(rows: set[int]) -> set[int]:
    return set(range(min(rows), max(rows) + 1)) if rows else set()


def read_by(layer: Conv2d | Pool, row: int, size: int, rows_out: int) -> set[int]:
    """Rows of a map of `size` rows that one row of the result is made from."""
    if layer.window is None:
        first = math.floor(Fraction(row * size, rows_out))
        return set(range(first, math.ceil(Fraction((row + 1) * size, rows_out))))
    window = layer.window
    top = row * window.stride[0] - window.padding[0]
    spans = window.dilation[0] * (window.kernel[0] - 1) + 1
    return {top + offset for offset in range(spans) if 0 <= top + offset < size}


def pre_rows_for(operator: Operator, rows: set[int]) -> set[int]:
    """Rows of the pre tensor that rows of the output need."""
    found: set[int] = set()
    pools = [step for step in operator.epilogue if isinstance(step, Pool)]
    for row in rows:
        if pools:
            found |= read_by(pools[0], row, operator.pre_shape.height, operator.output_shape.height)
        else:
            found |= {row}
    return hull(found)


def input_rows_for(operator: Operator, pre_rows: set[int]) -> set[int]:
    """Rows of the input that rows of the pre tensor need."""
    found: set[int] = set()
    for row in pre_rows:
        if isinstance(operator.body, Conv2d | Pool):
            found |= read_by(operator.body, row, operator.input_shapes[0].height, operator.pre_shape.height)
        else:
            found |= {row}
    return hull(found)


def operations(
    operator: Operator, out_channels: int, in_channels: int, pre_rows: int, in_rows: int | None = None
) -> int:
    """FLOPs of a part of an operator, 2 for each multiply and add. `in_channels`: what one output channel reads."""
    body, before = operator.body, operator.input_shapes[0]
    if isinstance(body, Conv2d):
        kernel = body.window.kernel[0] * body.window.kernel[1]
        return 2 * out_channels * in_channels * kernel * pre_rows * operator.pre_shape.width
    if isinstance(body, Linear):
        rows = before.height if in_rows is None else in_rows
        return 2 * out_channels * in_channels * rows * before.width
    return 0


def weights(operator: Operator, out_channels: int, in_channels: int, in_rows: int | None = None) -> int:
    """Number of weights of a part of an operator."""
    body, before = operator.body, operator.input_shapes[0]
    if isinstance(body, Conv2d):
        return out_channels * in_channels * body.window.kernel[0] * body.window.kernel[1]
    if isinstance(body, Linear):
        rows = before.height if in_rows is None else in_rows
        return out_channels * in_channels * rows * before.width
    return 0


def channel_parameters(operator: Operator, out_channels: int) -> int:
    """Bias of so many output channels, and scale and shift of a batch norm that is not folded."""
    norms = [step for step in operator.epilogue if isinstance(step, BatchNorm)]
    biased = isinstance(operator.body, Conv2d | Linear) and (
        operator.body.bias is not None or any(step.folded for step in norms)
    )
    count = out_channels if biased else 0
    for step in norms:
        if not step.folded:
            count += 2 * step.features * out_channels // operator.output_shape.channels
    return count
