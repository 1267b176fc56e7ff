"""Linear layers on whole maps, with their folded batch norm."""

from __future__ import annotations

import torch
from torch.nn import functional

from iopt.tiling.executor.steps import State
from iopt.tiling.executor.weights import folded
from iopt.tiling.layers import Layer
from iopt.tiling.tiles import TileStep


class FullyConnected:
    """A linear layer. Its weights are permuted once, so that a map need not be to be read as a vector."""

    def __init__(self, layer: Layer, state: State) -> None:
        weight, self.bias = folded(layer, state)
        channels, height, width = layer.input
        apart = weight.reshape(-1, channels, height, width).permute(0, 2, 3, 1)
        self.weight = apart.reshape(len(weight), -1).contiguous()

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        features = tensor.permute(0, 2, 3, 1).reshape(1, -1)
        return functional.linear(features, self.weight, self.bias)[:, :, None, None]

    def ready(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        raise NotImplementedError("linear layers are not tiled")

    tile = ready
