"""Weights of a network: whether they are those that its graph names, and with their batch norms folded in."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from iopt.door.given import check_kind
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.graph import Graph
from iopt.graph.layers import BatchNorm, Conv2d, Linear
from iopt.graph.state import Found, check_shapes
from iopt.tiling.executor.steps import State, scale_and_shift
from iopt.tiling.layers import Layer


def check_state(graph: Graph, state: State) -> None:
    """Raise `ModelError` unless every weight that the graph names is there in its shape, in fp32."""
    if not isinstance(state, Mapping):
        raise OptionError(f"state is {shown(state)}; expected a mapping of names to tensors, as of module.state_dict()")

    def found(name: str) -> Found:
        tensor = state.get(name)
        if tensor is None:
            return None
        check_kind(tensor, torch.Tensor, f"{name} of the state dict")
        return tuple(tensor.shape), "F32" if tensor.dtype == torch.float32 else str(tensor.dtype)

    check_shapes(graph, found, "the state dict")


def folded(layer: Layer, state: State) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Weight and bias of a layer, with its folded batch norm."""
    body = layer.body
    assert isinstance(body, Conv2d | Linear)
    weight, bias = state[body.weight].detach(), None if body.bias is None else state[body.bias].detach()
    for norm in layer.steps:
        if isinstance(norm, BatchNorm) and norm.folded:
            scale, shift = scale_and_shift(norm, state)
            weight = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
            bias = shift if bias is None else bias * scale + shift
    return weight, bias
