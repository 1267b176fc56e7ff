"""What follows a layer's body in place: activations and batch norms, without a byte of memory of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

from iopt.graph.layers import Activation, BatchNorm, Shape
from iopt.tiling.layers import Layer

State = Mapping[str, torch.Tensor]
"""Weights by their names in the state dict."""
InPlace = Callable[[torch.Tensor], object]
"""Changes the tensor that it is given."""

_BY_FUNCTION: dict[str, Callable[..., object]] = {
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "gelu": lambda tensor, **given: torch.ops.aten.gelu.out(tensor, **given, out=tensor),
    "softplus": lambda tensor, **given: torch.ops.aten.softplus.out(tensor, **given, out=tensor),
}
"""Activations that `torch.nn.functional` does not offer in place."""


def in_place(layer: Layer, state: State) -> tuple[InPlace, ...]:
    """The steps of a layer, but for those that are part of its weights or change no value."""
    return tuple(
        _activation(step) if isinstance(step, Activation) else _norm(step, layer.output, state)
        for step in layer.steps
        if isinstance(step, Activation) or (isinstance(step, BatchNorm) and not step.folded)
    )


def scale_and_shift(norm: BatchNorm, state: State) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch norm as y = scale x + shift, per feature."""
    prefix = f"{norm.name}." if norm.name else ""
    mean, variance = state[f"{prefix}running_mean"], state[f"{prefix}running_var"]
    scale = torch.rsqrt(variance.double() + norm.eps)
    if norm.affine:
        scale = scale * state[f"{prefix}weight"]
    shift = -mean * scale
    if norm.affine:
        shift = shift + state[f"{prefix}bias"]
    return scale.float(), shift.float()


def _activation(step: Activation) -> InPlace:
    if step.function in _BY_FUNCTION:
        function = _BY_FUNCTION[step.function]
        return lambda tensor: function(tensor, **step.arguments)
    functional_form = getattr(functional, step.function)
    return lambda tensor: functional_form(tensor, **step.arguments, inplace=True)


def _norm(step: BatchNorm, output: Shape, state: State) -> InPlace:
    """Over the channels, or after a flatten over all cells."""
    shape = (1, step.features, 1, 1) if step.features == output.channels else (1, *output)
    scale, shift = (values.reshape(shape) for values in scale_and_shift(step, state))
    return lambda tensor: tensor.mul_(scale).add_(shift)
