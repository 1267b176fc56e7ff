"""Seconds of every layer by the size of its tile, on this host: what a latency model is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import get_args

import torch

from iopt.door.given import check_choice, check_count
from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.graph import Graph
from iopt.importer.precision import in_full_precision
from iopt.tiling.executor import maps
from iopt.tiling.executor.kernels import Executor, Kernel, load
from iopt.tiling.executor.weights import check_state
from iopt.tiling.host.clock import Clock, clock
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.layers import Layer, map_shape
from iopt.tiling.problem import Problem
from iopt.tiling.tiles import Padding, Region, Span, TileStep

PARTS = (1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8, 12, 16)
"""Tiles are measured at 1/n of the rows and columns of a layer's output; densely where maps are large, since a map that
is no longer kept in a cache, or by the allocator, takes several times as long per cell."""
OTHERS_BYTES = 2**23
"""Written between two runs of a layer: what the other layers of a tile would read and write meanwhile."""

OnStep = Callable[[str], None]
"""Is told what is measured now."""


def silent(_: str) -> None:
    """Tells nobody."""


def profile(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    executor: Executor = "lean",
    parts: Sequence[float] = PARTS,
    repeat: int = 5,
    seconds: Clock | None = None,
    on_step: OnStep = silent,
) -> HostModel:
    """The host's time for every layer: the least of `repeat` runs, on the whole map and on tiles of so many cells.

    `state`: weights by the names in the graph; `seconds`: the clock, by default that of `clock.clock`; `on_step` is
    told what is timed. Overheads per call are in those times, what new memory costs is not: see `calibration.fit`.
    Raises `ModelError` for a network that has early exits or other weights, `OptionError`.
    """
    check_choice(executor, get_args(Executor), "executor")
    check_count(repeat, "repeat")
    layers = Problem(graph).layers
    check_state(graph, state)
    if not isinstance(parts, Sequence) or not all(is_number(part) and part >= 1 for part in parts):
        raise OptionError(f"parts is {shown(parts)}; expected numbers of 1 or more, such as {PARTS}")
    with torch.inference_mode(), in_full_precision():
        timing = _Timing(layers, state, executor, repeat, seconds or clock())
        found = []
        for layer in layers:
            on_step(f"layer {layer.index + 1} of {len(layers)}")
            found.append(timing.layer_time(layer, parts))
        return HostModel(tuple(found))


class _Timing:
    """Times layers with their weights, which are packed for every size as an executor packs them for it."""

    def __init__(
        self,
        layers: Sequence[Layer],
        state: Mapping[str, torch.Tensor],
        executor: Executor,
        repeat: int,
        seconds: Clock,
    ) -> None:
        self._layers, self._state, self._executor = layers, state, executor
        self._repeat, self._seconds = repeat, seconds

    def layer_time(self, layer: Layer, parts: Sequence[float]) -> LayerTime:
        _, height, width = layer.output
        points = {height * width: self._whole(layer)}
        if not layer.whole:
            for part in parts:
                rows, columns = ceil(height / part), ceil(width / part)
                if rows * columns not in points:
                    points[rows * columns] = self._tile(layer, rows, columns)
        cells = sorted(points)
        return LayerTime(tuple(map(float, cells)), tuple(points[count] for count in cells))

    def _whole(self, layer: Layer) -> float:
        _, height, width = layer.input
        kernel, tensors = self._kernel(layer, height, width), self._inputs(layer, height, width)
        return self._least(tensors, lambda: kernel.whole(tensors))

    def _tile(self, layer: Layer, rows: int, columns: int) -> float:
        """Of a tile that nothing is clipped from."""
        window = layer.window
        assert window is not None
        height, width = (
            (count - 1) * window.stride[side] + window.reach(side) for side, count in ((0, rows), (1, columns))
        )
        reads, computes = (Region(Span(0, size[0]), Span(0, size[1])) for size in ((height, width), (rows, columns)))
        step = TileStep(layer.index, reads, Padding(), computes, computes)
        kernel, tensors = self._kernel(layer, height, width), self._inputs(layer, height, width)
        return self._least(tensors, lambda: kernel.tile(list(tensors), step))

    def _kernel(self, layer: Layer, height: int, width: int) -> Kernel:
        (kernel,) = load((layer,), self._state, self._executor, ((height, width),))
        return kernel

    def _inputs(self, layer: Layer, height: int, width: int) -> list[torch.Tensor]:
        channels = [map_shape(self._layers, name).channels for name in layer.inputs]
        return [maps.empty(count, height, width).normal_() for count in channels]

    def _least(self, tensors: Sequence[torch.Tensor], call: Callable[[], object]) -> float:
        """Least seconds, since others' load only adds to them; with caches as in a run: the input was just written,
        the weights were not."""
        others, times = torch.zeros(OTHERS_BYTES // 4), []
        for _ in range(self._repeat + 1):
            others.add_(1)
            for tensor in tensors:
                tensor.neg_()
            start = self._seconds()
            call()
            times.append(self._seconds() - start)
        return min(times[1:])
