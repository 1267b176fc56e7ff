"""How a device gathers the input of a convolution: as columns for a few rows of the output at a time.

A column is what one row of the kernel reads for one cell of the output. For output row t, row i of the kernel reads
input row `stride t + dilation i` (less the padding). So columns are gathered once for all rows of the kernel: sorted by
the remainder of the input row by the stride, its *phase*, each row of the kernel reads consecutive rows of one phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from iopt.graph import Operator
from iopt.graph.layers import ELEMENT_BYTES, Conv2d, Window

CELLS = 512
"""Output cells that keep a matrix product busy."""
SMALL_BYTES = 2**18
"""Columns that stay in a core's cache: a band of fewer is not worth its calls."""


class KernelRow(NamedTuple):
    """Where a row of the kernel finds its columns: in a phase, so many rows below those of the output."""

    phase: int
    shift: int


@dataclass(frozen=True)
class Layout:
    """`step`: input rows from one phase to the next; `phases`: how many there are; `depth`: rows of each that a band
    needs below its own; `kernel`: by row of the kernel."""

    step: int
    phases: int
    depth: int
    kernel: tuple[KernelRow, ...]

    @staticmethod
    def of(window: Window) -> Layout:
        stride = window.stride[0]
        step = math.gcd(window.dilation[0], stride)
        offsets = [row * window.dilation[0] for row in range(window.kernel[0])]
        kernel = tuple(KernelRow(offset % stride // step, offset // stride) for offset in offsets)
        return Layout(step, 1 + max(row.phase for row in kernel), kernel[-1].shift, kernel)


def band_rows(operator: Operator) -> int:
    """Rows of the pre tensor whose columns are gathered at once; a share of fewer rows has room for as many.

    The map is cut into bands as equal as can be, as few as have no more rows than make up `CELLS`, or columns of no
    more than `SMALL_BYTES`; nor columns larger than all that the operator has besides: input, pre tensor and weights.
    At least one row each.
    """
    before, pre = operator.input_shape, operator.pre_shape
    layout, row = _layout(operator)
    row *= before.channels // operator.groups
    enough = max(-(-CELLS // pre.width), SMALL_BYTES // row - layout.depth)
    besides = before.bytes + pre.bytes + operator.weight_elements * ELEMENT_BYTES
    most = max(1, min(enough, besides // row - layout.depth))
    return -(-pre.height // -(-pre.height // most))


def column_bytes(operator: Operator) -> int:
    """Bytes of the columns of one input channel, for a band.

    Zero where a convolution reads its input as it lies: pointwise ones, and depthwise ones, which are summed position
    by position. A group's columns make room for those of the next.
    """
    body = operator.body
    if not isinstance(body, Conv2d) or is_depthwise(operator) or is_pointwise(body):
        return 0
    layout, row = _layout(operator)
    return row * (band_rows(operator) + layout.depth)


def is_depthwise(operator: Operator) -> bool:
    return operator.groups > 1 and operator.groups == operator.input_shape.channels


def is_pointwise(body: Conv2d) -> bool:
    window = body.window
    return window.kernel == window.stride == (1, 1) and window.padding == (0, 0)


def _layout(operator: Operator) -> tuple[Layout, int]:
    """With the bytes of a row of every phase, of one input channel."""
    assert isinstance(operator.body, Conv2d)
    window = operator.body.window
    layout = Layout.of(window)
    return layout, layout.phases * window.kernel[1] * operator.pre_shape.width * ELEMENT_BYTES
