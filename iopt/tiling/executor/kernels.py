"""The layers of a network, ready to run on whole maps and on tiles, in two styles.

`torch` is plain PyTorch: it copies a tile with its padding wherever something was clipped, and its max-pooling makes
indices. `lean` copies as little as it can: its poolings go over strided views and skip what is outside, and its
convolutions pad themselves what is equal on both ends. `iopt.tiling.predictors` says what each allocates.

Convolutions are oneDNN's, on weights packed once: it then allocates its output and a few KiB of scratch, while
`torch.nn.functional.conv2d` may pick another kernel by shape, write im2col columns, and pack weights at every call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch

from iopt.graph.layers import Conv2d, Linear
from iopt.tiling.executor import maps
from iopt.tiling.executor.convolution import Convolution
from iopt.tiling.executor.joins import Concatenation, Sum
from iopt.tiling.executor.linear import FullyConnected
from iopt.tiling.executor.pooling import PlainPool, RunningPool
from iopt.tiling.executor.steps import State, in_place
from iopt.tiling.layers import Layer
from iopt.tiling.tiles import TileStep

Executor = Literal["lean", "torch"]
Join = Sum | Concatenation


class Body(Protocol):
    """What a layer computes, before the steps that follow in place."""

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        """The output map of an input map."""

    def ready(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        """What `tile` reads: the region that the step reads, or a copy of it."""

    def tile(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        """The region that the step computes, of what `ready` gave."""


class Copy:
    """The body of a layer that is nothing but steps in place."""

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        return maps.copied(tensor)

    def ready(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        return tile

    def tile(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        return maps.copied(tile)


class Kernel:
    """A layer with its weights. `macs`: multiply-accumulates of all calls so far, by the shapes of their outputs."""

    def __init__(self, layer: Layer, body: Body | Join, state: State) -> None:
        self.layer, self.body = layer, body
        self.steps = in_place(layer, state)
        self.macs = 0

    def whole(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """The output map of input maps, one but for a join."""
        if isinstance(self.body, Join):
            return self._finished(self.body.of(tensors))
        return self._finished(self.body.whole(*tensors))

    def tile(self, tiles: list[torch.Tensor], step: TileStep) -> torch.Tensor:
        """The region that the step computes, of the region that it reads of each input. A layer with one input takes it
        out of `tiles`, and drops it where it reads a copy."""
        if isinstance(self.body, Join):
            return self._finished(self.body.of(tiles))
        tile = self.body.ready(tiles.pop(), step)
        return self._finished(self.body.tile(tile, step))

    def _finished(self, output: torch.Tensor) -> torch.Tensor:
        self.macs += self.layer.cell_macs * output.shape[2] * output.shape[3]
        for step in self.steps:
            step(output)
        return output


def load(
    layers: Sequence[Layer],
    state: State,
    executor: Executor,
    sizes: Sequence[tuple[int, int]],
    loaded: Sequence[Kernel] = (),
) -> tuple[Kernel, ...]:
    """A kernel per layer. `sizes`: cells (rows, columns) of the input that convolutions are packed for; `loaded`: of
    the same layers, which share the weights of linear ones."""
    return tuple(
        Kernel(
            layer,
            loaded[index].body if loaded and layer.kind == "linear" else _body(layer, state, executor, sizes[index]),
            state,
        )
        for index, layer in enumerate(layers)
    )


def _body(layer: Layer, state: State, executor: Executor, size: tuple[int, int]) -> Body | Join:
    if isinstance(layer.body, Conv2d):
        return Convolution(layer, state, executor == "lean", size)
    if isinstance(layer.body, Linear):
        return FullyConnected(layer, state)
    if layer.kind in ("max", "average"):
        return RunningPool(layer) if executor == "lean" else PlainPool(layer)
    if layer.kind in ("add", "concat"):
        return Sum() if layer.kind == "add" else Concatenation()
    return Copy()
