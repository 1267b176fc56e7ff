"""How tensors lie on devices: what a split needs of the input of its operator, and what it leaves of the output."""

from __future__ import annotations

from typing import NamedTuple

from iopt.graph import Operator
from iopt.graph.layers import Shape
from iopt.partition.plan import Axis, Interval, Split
from iopt.partition.runtime.boxes import NOTHING, Box
from iopt.partition.transfer import CHANNELS, PARTIAL, ROWS, WHOLE


class Layout(NamedTuple):
    """How a tensor lies on the devices, or is needed there: `ROWS`, `CHANNELS`, `PARTIAL` sums or `WHOLE`, and the box
    of each device."""

    kind: int
    boxes: tuple[Box, ...]


def needs(operator: Operator, split: Split) -> Layout:
    """The box of the operator's input that each device needs for its share."""
    before, parts = operator.input_shape, split.intervals
    if split.axis is Axis.H:
        return Layout(ROWS, tuple(rows_of(before, operator.input_rows(*operator.pre_rows(*part))) for part in parts))
    if split.axis is Axis.IC:
        kind, box = (ROWS, rows_of) if split.along == "rows" else (CHANNELS, channels_of)
        return Layout(kind, tuple(box(before, part) for part in parts))
    if operator.is_weighted and operator.groups == 1:
        return Layout(WHOLE, tuple(Box.all_of(before) if hi > lo else NOTHING for lo, hi in parts))
    inputs, outputs = before.channels, operator.output_shape.channels
    return Layout(
        CHANNELS, tuple(channels_of(before, (lo * inputs // outputs, hi * inputs // outputs)) for lo, hi in parts)
    )


def leaves(operator: Operator, split: Split) -> Layout:
    """How the operator's output lies after its shares are computed; partial sums are of its pre tensor."""
    after = operator.output_shape
    if split.axis is Axis.H:
        return Layout(ROWS, tuple(rows_of(after, part) for part in split.intervals))
    if split.axis is Axis.OC:
        return Layout(CHANNELS, tuple(channels_of(after, part) for part in split.intervals))
    everything = Box.all_of(operator.pre_shape)
    return Layout(PARTIAL, tuple(everything if hi > lo else NOTHING for lo, hi in split.intervals))


def on_one(device: int, shape: Shape, devices: int) -> Layout:
    """The whole tensor on one of so many devices."""
    return Layout(WHOLE, tuple(Box.all_of(shape) if each == device else NOTHING for each in range(devices)))


def rows_of(shape: Shape, rows: Interval) -> Box:
    """All channels of some rows."""
    return Box((0, shape.channels), rows) if rows[1] > rows[0] else NOTHING


def channels_of(shape: Shape, channels: Interval) -> Box:
    """All rows of some channels."""
    return Box(channels, (0, shape.height)) if channels[1] > channels[0] else NOTHING
