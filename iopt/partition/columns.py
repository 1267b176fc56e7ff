"""How a device gathers the input of a convolution: as columns for a few rows of the output at a time."""

from __future__ import annotations

from iopt.graph import Operator
from iopt.graph.layers import ELEMENT_BYTES, Conv2d

CELLS = 128
"""Output cells that keep a matrix product busy: a band has so many if the map and the memory allow it."""


def band_rows(operator: Operator) -> int:
    """Rows of the pre tensor whose columns are gathered at once; a share of fewer rows has room for as many.

    At least one; else no more than make `CELLS`, or columns as large as input and pre tensor of the operator together.
    """
    before, pre = operator.input_shape, operator.pre_shape
    enough = -(-CELLS // pre.width)
    one = _row_bytes(operator) * (before.channels // operator.groups)
    return min(pre.height, enough, max(1, (before.bytes + pre.bytes) // one))


def column_bytes(operator: Operator) -> int:
    """Bytes of the columns of one input channel: `kernel cells x cells of a band`.

    Zero where a convolution reads its input as it lies: pointwise ones, and depthwise ones, which are summed position
    by position. A group's columns make room for those of the next.
    """
    body = operator.body
    if not isinstance(body, Conv2d) or is_depthwise(operator) or is_pointwise(body):
        return 0
    return _row_bytes(operator) * band_rows(operator)


def is_depthwise(operator: Operator) -> bool:
    return operator.groups > 1 and operator.groups == operator.input_shape.channels


def is_pointwise(body: Conv2d) -> bool:
    window = body.window
    return window.kernel == window.stride == (1, 1) and window.padding == (0, 0)


def _row_bytes(operator: Operator) -> int:
    """Columns of one input channel and one row of the pre tensor."""
    assert isinstance(operator.body, Conv2d)
    rows, columns = operator.body.window.kernel
    return rows * columns * operator.pre_shape.width * ELEMENT_BYTES
