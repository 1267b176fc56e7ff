"""The network as it is, whole operators on one device: what a split must come to."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

from iopt.graph import Graph, Operator
from iopt.graph.layers import Activation, BatchNorm, Conv2d, Linear, Pool, Shape, Step

State = Mapping[str, torch.Tensor]


def run_unsplit(graph: Graph, state: State, tensor: torch.Tensor) -> torch.Tensor:
    """The output of a chain for an input of 1 x channels x height x width, as PyTorch's own layers compute it."""
    with torch.inference_mode():
        tensor = tensor.reshape(1, *graph.input_shape)
        for operator in graph:
            tensor = _body(operator, state, tensor)
            for step in operator.epilogue:
                tensor = _step(operator, step, state, tensor)
        return tensor


def _body(operator: Operator, state: State, tensor: torch.Tensor) -> torch.Tensor:
    body = operator.body
    if isinstance(body, Pool):
        return _pool(body, tensor, operator.pre_shape)
    if not isinstance(body, Conv2d | Linear):
        return tensor
    weight, bias = state[body.weight], None if body.bias is None else state[body.bias]
    if isinstance(body, Linear):
        return functional.linear(tensor.flatten(1), weight, bias)[:, :, None, None]
    window = body.window
    return functional.conv2d(tensor, weight, bias, window.stride, window.padding, window.dilation, body.groups)


def _step(operator: Operator, step: Step, state: State, tensor: torch.Tensor) -> torch.Tensor:
    if isinstance(step, Pool):
        return _pool(step, tensor, operator.output_shape)
    if isinstance(step, Activation):
        activated: torch.Tensor = getattr(functional, step.function)(tensor, **step.arguments)
        return activated
    if isinstance(step, BatchNorm):
        prefix = f"{step.name}." if step.name else ""
        mean, var = state[f"{prefix}running_mean"], state[f"{prefix}running_var"]
        scale, shift = (state[f"{prefix}{what}"] if step.affine else None for what in ("weight", "bias"))
        flat = tensor if step.features == tensor.shape[1] else tensor.flatten(1)
        return functional.batch_norm(flat, mean, var, scale, shift, eps=step.eps).reshape(tensor.shape)
    return tensor


def _pool(layer: Pool, tensor: torch.Tensor, shape: Shape) -> torch.Tensor:
    window = layer.window
    if window is None:
        adaptive = functional.adaptive_max_pool2d if layer.reduce == "max" else functional.adaptive_avg_pool2d
        return adaptive(tensor, (shape.height, shape.width))
    place = (window.kernel, window.stride, window.padding)
    if layer.reduce == "max":
        return functional.max_pool2d(tensor, *place, window.dilation, layer.ceil_mode)
    more = (layer.ceil_mode, layer.count_include_pad, layer.divisor_override)
    return functional.avg_pool2d(tensor, *place, *more)
