"""What darknet computes of a tile: all positions of the window over the tile with the layer's own padding around it.

The cells beyond those that are wanted are cropped afterwards. Source: DeepThings' code; the published peaks count them.
"""

from __future__ import annotations

from typing import Any

from iopt.graph.layers import Pool
from iopt.tiling.layers import Layer


def rim_cells(layer: Layer, height: Any, width: Any) -> Any:
    """Output cells of a tile of `height` x `width` input cells (numbers or arrays)."""
    return _positions(layer, 0, height) * _positions(layer, 1, width)


def _positions(layer: Layer, side: int, size: Any) -> Any:
    assert layer.window is not None
    stride, padding = layer.window.stride[side], layer.window.padding[side]
    room = size + 2 * padding - layer.window.reach(side)
    if not (isinstance(layer.body, Pool) and layer.body.ceil_mode):
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - ((count - 1) * stride >= size + padding)
