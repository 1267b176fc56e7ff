"""Sizes of a problem as arrays, one entry per operator, so that whole plans are judged by a few numpy calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iopt.graph import Operator
from iopt.graph.layers import ELEMENT_BYTES, BatchNorm, Identity, Linear, Shape
from iopt.partition.columns import column_bytes
from iopt.partition.plan import Axis
from iopt.partition.problem import Mode, Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

H, OC, IC, IC_ROWS = range(4)
"""Codes of the modes."""


def mode_code(mode: Mode) -> int:
    if mode.along == "rows":
        return IC_ROWS
    return {Axis.H: H, Axis.OC: OC, Axis.IC: IC}[mode.axis]


@dataclass(frozen=True)
class Tensors:
    """Tensors that are moved, [n] each: sizes of the tensor, and of the pre tensor that its partial sums have.

    `pre_lo[e, r]` is the first pre row that an interval of rows starting at r needs, `pre_hi[e, r]` one past the last
    that an interval ending at r needs.
    """

    rows: Ints
    channels: Ints
    row_bytes: Ints
    channel_bytes: Ints
    bytes: Ints
    pre_row_bytes: Ints
    pre_channel_bytes: Ints
    pre_bytes: Ints
    pre_lo: Ints
    pre_hi: Ints

    def __getitem__(self, part: slice) -> Tensors:
        return Tensors(*(getattr(self, name)[part] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Geometry:
    """`size`, `unit`, `flops`, `weight_bytes`, `fixed_bytes` are [n, 4] by mode: what can be shared out and its
    multiples, then FLOPs and parameter bytes per row or channel of a share (H: per pre row), and bytes that every
    participant holds.

    `pre_lo`, `pre_hi`, `in_lo`, `in_hi` [n, rows + 1]: pre rows and input rows that an interval of output rows needs,
    by where it starts and where it ends. `tensors` [n + 1]: the input of the network, then what each operator writes.

    Of the executor: `columns` and `columns_each` [n, 4] are bytes of a convolution's columns, for every participant and
    per row or channel of a share; `norm_bytes` [n] scale and shift of the batch norms that are applied to sums, per
    output channel; `pools` [n] whether the epilogue has a pooling; `in_place` [n] whether it is the whole operator.
    """

    size: Ints
    unit: Ints
    flops: Floats
    weight_bytes: Ints
    fixed_bytes: Ints
    pre_lo: Ints
    pre_hi: Ints
    in_lo: Ints
    in_hi: Ints
    in_channels: Ints
    oc_needs_all: NDArray[np.bool_]
    tensors: Tensors
    columns: Ints
    columns_each: Ints
    norm_bytes: Ints
    pools: NDArray[np.bool_]
    in_place: NDArray[np.bool_]

    @staticmethod
    def of(problem: Problem) -> Geometry:
        operators = problem.operators
        rows = 1 + max(max(op.output_shape.height, op.input_shape.height) for op in operators)
        tables = [_row_tables(op, rows) for op in operators]
        modes = [_mode_tables(op, modes) for op, modes in zip(operators, problem.modes, strict=True)]
        source = problem.graph.input_shape
        tensors = _tensors(
            [(source, source), *((op.output_shape, op.pre_shape) for op in operators)],
            [(np.arange(rows), np.arange(rows)), *(table[:2] for table in tables)],
        )
        size, unit, flops, weight, fixed = (np.array([mode[part] for mode in modes]) for part in range(5))
        pre_lo, pre_hi, in_lo, in_hi = (np.array([table[part] for table in tables]) for part in range(4))
        return Geometry(
            size=size,
            unit=unit,
            flops=flops,
            weight_bytes=weight,
            fixed_bytes=fixed,
            pre_lo=pre_lo,
            pre_hi=pre_hi,
            in_lo=in_lo,
            in_hi=in_hi,
            in_channels=np.array([op.input_shape.channels for op in operators]),
            oc_needs_all=np.array([op.is_weighted and op.groups == 1 for op in operators]),
            tensors=tensors,
            columns=np.array([_column_tables(op)[0] for op in operators]),
            columns_each=np.array([_column_tables(op)[1] for op in operators]),
            norm_bytes=np.array([_norm_bytes(op) for op in operators]),
            pools=np.array([op.pool is not None for op in operators]),
            in_place=np.array([isinstance(op.body, Identity) for op in operators]),
        )


def _row_tables(operator: Operator, rows: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Pre rows and input rows by the start and by the end of an interval of output rows (zero where there is no such
    row)."""
    pre_lo, pre_hi, in_lo, in_hi = (np.zeros(rows, dtype=np.int64) for _ in range(4))
    height = operator.output_shape.height
    for row in range(height):
        pre_lo[row], pre_hi[row + 1] = operator.pre_rows(row, row + 1)
        if not isinstance(operator.body, Linear):
            in_lo[row], in_hi[row + 1] = operator.input_rows(pre_lo[row], pre_hi[row + 1])
    return pre_lo, pre_hi, in_lo, in_hi


def _mode_tables(
    operator: Operator, modes: tuple[Mode, ...]
) -> tuple[list[int], list[int], list[float], list[int], list[int]]:
    size, unit, weight, fixed = ([0] * 4 for _ in range(4))
    flops = [0.0] * 4
    weights, per_channel = operator.weight_elements * ELEMENT_BYTES, operator.channel_elements * ELEMENT_BYTES
    for mode in modes:
        code = mode_code(mode)
        size[code], unit[code] = mode.size, mode.unit
        if code == H:
            flops[code], fixed[code] = operator.flops / operator.pre_shape.height, weights + per_channel
        elif code == OC:
            flops[code], weight[code] = operator.flops / mode.size, (weights + per_channel) // mode.size
        else:
            flops[code], weight[code], fixed[code] = operator.flops / mode.size, weights // mode.size, per_channel
    return size, unit, flops, weight, fixed


def _column_tables(operator: Operator) -> tuple[list[int], list[int]]:
    """By mode: bytes of columns of every participant, and per input channel of its share."""
    each = column_bytes(operator)
    whole = each * (operator.input_shape.channels // operator.groups)
    return [whole, whole, 0, 0], [0, 0, each, 0]


def _norm_bytes(operator: Operator) -> int:
    features = sum(2 * step.features for step in operator.epilogue if isinstance(step, BatchNorm) and not step.folded)
    return features // operator.output_shape.channels * ELEMENT_BYTES


def _tensors(shapes: list[tuple[Shape, Shape]], tables: list[tuple[Ints, Ints]]) -> Tensors:
    def sizes(part: int) -> tuple[Ints, Ints, Ints]:
        boxes = [pair[part] for pair in shapes]
        row = np.array([box.channels * box.width * ELEMENT_BYTES for box in boxes])
        channel = np.array([box.height * box.width * ELEMENT_BYTES for box in boxes])
        return row, channel, np.array([box.bytes for box in boxes])

    return Tensors(
        np.array([shape.height for shape, _ in shapes]),
        np.array([shape.channels for shape, _ in shapes]),
        *sizes(0),
        *sizes(1),
        np.array([table[0] for table in tables]),
        np.array([table[1] for table in tables]),
    )
