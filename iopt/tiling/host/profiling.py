"""Seconds of every layer by the size of its tile, on this host: what a latency model is made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import ceil

import torch

from iopt.graph import Graph
from iopt.tiling.executor import maps
from iopt.tiling.executor.kernels import Executor, Kernel, load
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.layers import Layer, chain
from iopt.tiling.tiles import Padding, Region, Span, Step

PARTS = (1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 12, 16)
"""Tiles are measured at 1/n of the rows and columns of a layer's output; densely where maps are large, since a map that
is no longer kept in a cache, or by the allocator, takes several times as long per cell."""
OTHERS_BYTES = 2**23
"""Written between two runs of a layer: what the other layers of a tile would read and write meanwhile."""


def profile(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    executor: Executor = "lean",
    parts: Sequence[float] = PARTS,
    repeat: int = 5,
) -> HostModel:
    """The host's time for every layer: the least of `repeat` runs, on the whole map and on tiles of so many cells.

    Overheads per call are in those times, what new memory costs is not: see `calibration.fit`.
    """
    layers = chain(graph)
    sizes = [(layer.input.height, layer.input.width) for layer in layers]
    with torch.inference_mode():
        kernels = load(layers, state, executor, sizes)
        return HostModel(
            tuple(_layer_time(layer, kernel, parts, repeat) for layer, kernel in zip(layers, kernels, strict=True))
        )


def _layer_time(layer: Layer, kernel: Kernel, parts: Sequence[float], repeat: int) -> LayerTime:
    _, height, width = layer.output
    points = {height * width: _whole(layer, kernel, repeat)}
    if not layer.whole:
        for part in parts:
            rows, columns = ceil(height / part), ceil(width / part)
            if rows * columns not in points:
                points[rows * columns] = _tile(layer, kernel, rows, columns, repeat)
    cells = sorted(points)
    return LayerTime(tuple(map(float, cells)), tuple(points[count] for count in cells))


def _whole(layer: Layer, kernel: Kernel, repeat: int) -> float:
    tensor = maps.empty(*layer.input).normal_()
    return _least(tensor, lambda: kernel.whole(tensor), repeat)


def _tile(layer: Layer, kernel: Kernel, rows: int, columns: int, repeat: int) -> float:
    """Of a tile that nothing is clipped from."""
    window = layer.window
    assert window is not None
    height, width = (
        (count - 1) * window.stride[side] + window.reach(side) for side, count in ((0, rows), (1, columns))
    )
    reads, computes = (Region(Span(0, size[0]), Span(0, size[1])) for size in ((height, width), (rows, columns)))
    step = Step(layer.index, reads, Padding(), computes, computes)
    tensor = maps.empty(layer.input.channels, height, width).normal_()
    return _least(tensor, lambda: kernel.tile(kernel.ready(tensor, step), step), repeat)


def _least(tensor: torch.Tensor, call: Callable[[], object], repeat: int) -> float:
    """Least seconds of processor time, since others' load only adds to them; with caches as in a run: the input was
    just written, the weights were not."""
    others, times = torch.zeros(OTHERS_BYTES // 4), []
    for _ in range(repeat + 1):
        others.add_(1)
        tensor.neg_()
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times[1:])
