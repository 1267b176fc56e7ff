"""How much the library may take besides tensors while one convolution runs.

oneDNN takes a few KiB of its own. Where a tile is of another size than the one that weights were packed for, it may
want them in another order, and packs them anew for that call: then all of one layer's weights, with their channels
rounded up, are there a second time. No predictor counts this, since it depends on the processor.
"""

from __future__ import annotations

from collections.abc import Sequence

from iopt.graph.layers import ELEMENT_BYTES, Conv2d
from iopt.tiling.layers import Layer

USUAL_BYTES = 2**16
"""More than a convolution takes unless it packs weights anew; measured: 8 to 36 KiB."""
OUTPUTS, INPUTS = 64, 16
"""Channels of packed weights are whole multiples of so many, in every group of them."""


def scratch_limit_bytes(layers: Sequence[Layer]) -> int:
    """The most that any one convolution of these layers may take."""
    return USUAL_BYTES + max((packed_bytes(layer) for layer in layers if layer.kind == "conv"), default=0)


def packed_bytes(layer: Layer) -> int:
    """Of the weights of a convolution, packed with the widest rounding."""
    assert isinstance(layer.body, Conv2d)
    groups, (rows, columns) = layer.body.groups, layer.body.window.kernel
    outputs, inputs = layer.output.channels // groups, layer.input.channels // groups
    return groups * _up(outputs, OUTPUTS) * _up(inputs, INPUTS) * rows * columns * ELEMENT_BYTES


def _up(count: int, block: int) -> int:
    return -(-count // block) * block
