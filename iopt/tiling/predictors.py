"""How many bytes a tile needs at a layer, and how many exist besides: the predictors of docs/tiling.md.

Each function takes numbers, or arrays of them for many tiles at once. Of a tile at a layer: `i` bytes of the maps alive
when it begins, its input among them, `d` of those that it drops as soon as it has a copy, `q` of that copy, padded or
made dense, `o` of output, `x` of scratch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import SOURCE, Layer, map_shape

Predictor = Literal["lean", "torch", "bound", "plain11", "mafat"]
"""`lean`, `torch`: what our executors allocate, to the byte. `bound`: whole input and output map of a group and the
largest i + o + x; `plain11`: the same, but an untiled group copies nothing. `mafat`: a bias, the largest i + o + x."""
Backend = Literal["implicit", "im2col"]
Weights = Literal["resident", "streamed", "none"]

EXECUTORS = ("lean", "torch")
INDEX_BYTES = 8
"""Of an index of torch's max-pool on the CPU, one per output element."""

_COPYING = {"torch": ("conv", "max", "average"), "lean": ("conv",)}
"""Kinds of layers for which an executor copies tiles."""

Bytes = Any
"""A whole number, or an array of them."""
Sides = tuple[Bytes, Bytes, Bytes, Bytes]
"""Cells of padding at top, bottom, left and right."""


def copier(predictor: Predictor) -> Predictor:
    """The executor whose copies a latency counts: the predictor's own; `lean`, the default one, where the predictor is
    of memory alone."""
    return predictor if predictor in EXECUTORS else "lean"


def copied_bytes(
    predictor: Predictor,
    backend: Backend,
    layer: Layer,
    held: Bytes,
    height: Bytes,
    width: Bytes,
    padding: Sides,
) -> Bytes:
    """q of a tile that reads `height` x `width` cells: 0 where the layer reads them as they are.

    `held`: columns of the map of which those cells are a view: of a whole map at the first layer of a group, of a tile
    that another layer reads more of, or `width`. Executors copy to pad, and because kernels of torch read dense memory:
    maps are stored row by row, channels last, so whole rows or part of one are dense. im2col gathers its columns from
    any view, and `lean` pools through views.
    """
    if predictor not in EXECUTORS or layer.kind not in _COPYING[predictor]:
        return np.multiply(height, 0)
    sides = [_explicit(predictor, layer, side, *padding[2 * side : 2 * side + 2]) for side in (0, 1)]
    copied = layer.input.channels * (height + sides[0]) * (width + sides[1]) * ELEMENT_BYTES
    reads_views = layer.kind == "conv" and backend == "im2col"
    is_strided = np.less(width, held) & np.greater(height, 1) & (not reads_views)
    return np.where((sides[0] + sides[1] > 0) | is_strided, copied, 0)


def _explicit(predictor: Predictor, layer: Layer, side: int, before: Bytes, after: Bytes) -> Bytes:
    """Cells that a copy has to pad at a side: all of them, or for `lean` what the layer's own padding leaves over."""
    if predictor == "torch":
        return np.add(before, after)
    own = own_padding(layer, side, before, after)
    return np.add(before, after) - own - np.minimum(own, after)


def own_padding(layer: Layer, side: int, before: Bytes, after: Bytes) -> Bytes:
    """Cells that a convolution itself may pad on both ends of a side, so that less is padded by a copy.

    As many as both ends have, or all of those before if the surplus after them is too little for one more position.
    """
    assert layer.window is not None
    surplus = np.subtract(before, after)
    fits = (surplus >= 0) & (surplus < layer.window.stride[side])
    return np.where(fits, before, np.minimum(before, after))


def scratch_bytes(predictor: Predictor, backend: Backend, layer: Layer, cells: Bytes) -> Bytes:
    """x for `cells` output cells: im2col's columns, and the indices of torch's max-pool."""
    x = layer.column_bytes * cells if backend == "im2col" else np.multiply(cells, 0)
    if predictor == "torch" and layer.kind == "max":
        x = x + layer.output.channels * cells * INDEX_BYTES
    return x


def tile_bytes(predictor: Predictor, i: Bytes, d: Bytes, view: Bytes, q: Bytes, o: Bytes, x: Bytes) -> Bytes:
    """The most that one tile has at one layer. `view`: bytes that it reads of the group's whole input map, which cost
    executors nothing.

    Executors copy first (i and q exist), then drop d where there is a copy, then compute.
    """
    if predictor not in EXECUTORS:
        return i + view + o + x
    return np.maximum(i + q, np.where(q > 0, i - d + q, i) + o + x)


def assembly_bytes(computed: Bytes, held: Bytes) -> Bytes:
    """The most while an odd tile puts its own part and strips together: the part and the new map. The strips count
    among those alive."""
    return computed + held


def maps_bytes(predictor: Predictor, layers: Sequence[Layer], first: int, last: int) -> int:
    """What exists besides a tile while a tiled group runs: input and output map, and the network's input if held."""
    if predictor == "mafat":
        return 0
    both = layers[first].input.bytes + layers[last].output.bytes
    return both + (layers[0].input.bytes if predictor == "torch" and first > 0 else 0)


def untiled_bytes(predictor: Predictor, layers: Sequence[Layer], index: int, alive: Iterable[int], x: int) -> int:
    """The most while a layer of an untiled group runs. `alive`: the maps that it or a later layer reads. `bound` adds
    the maps of the group, `maps_bytes`."""
    held = {*alive, SOURCE} if predictor == "torch" else alive
    return sum(map_shape(layers, name).bytes for name in held) + layers[index].output.bytes + x


def untiled_maps_bytes(predictor: Predictor, layers: Sequence[Layer], first: int, last: int) -> int:
    """What exists besides while an untiled group runs."""
    return maps_bytes(predictor, layers, first, last) if predictor == "bound" else 0
