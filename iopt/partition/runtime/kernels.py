"""What a device computes of an operator: a box of the pre tensor from a box of the input, and the epilogue of a box.

Tensors are `channels x rows x columns` without a batch, fp32. Nothing is allocated but what the body and a pooling
write, and a convolution's columns; activations and batch norms work in place.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from iopt.graph import Operator
from iopt.graph.layers import Activation, BatchNorm, Conv2d, Linear, Pool, Shape
from iopt.partition.runtime.boxes import Box
from iopt.partition.runtime.convolution import convolve
from iopt.partition.runtime.parameters import Parameters
from iopt.partition.runtime.schedule import Share
from iopt.partition.runtime.windows import pool

_IN_PLACE: dict[str, Callable[..., object]] = {
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
    "gelu": lambda tensor, **given: torch.ops.aten.gelu.out(tensor, **given, out=tensor),
    "softplus": lambda tensor, **given: torch.ops.aten.softplus.out(tensor, **given, out=tensor),
}
"""Activations that `torch.nn.functional` does not offer in place."""


def pre_tensor(operator: Operator, share: Share, parameters: Parameters, tensor: torch.Tensor) -> torch.Tensor:
    """The share's box of the pre tensor, or its partial sum; `tensor` is the share's input box, and where the operator
    is its epilogue alone also the result."""
    body, rows = operator.body, share.pre.rows
    bias = parameters.bias if share.adds_bias else None
    if isinstance(body, Linear):
        assert parameters.weight is not None
        return functional.linear(tensor.view(-1), parameters.weight, bias)[:, None, None]
    if isinstance(body, Conv2d | Pool):
        tensor = tensor[Box(share.input.channels, operator.input_rows(*rows)).within(share.input)]
    if isinstance(body, Conv2d):
        assert parameters.weight is not None
        return convolve(operator, tensor, parameters.weight, bias, rows)
    if isinstance(body, Pool):
        return pool(tensor, body, rows, operator.input_shape, operator.pre_shape)
    return tensor


def epilogue(operator: Operator, parameters: Parameters, tensor: torch.Tensor, pre: Box, output: Box) -> torch.Tensor:
    """The box `output` of the operator's output from the box `pre` of its pre tensor, bias included, which is lost."""
    shape, rows = operator.pre_shape, pre.rows
    norms = iter(parameters.norms)
    for step in operator.epilogue:
        if isinstance(step, Activation):
            _activate(step, tensor)
        elif isinstance(step, Pool):
            tensor = pool(tensor, step, output.rows, shape, operator.output_shape)
            shape, rows = operator.output_shape, output.rows
        elif isinstance(step, BatchNorm) and not step.folded:
            here = Box(output.channels, rows)
            scale, shift = (_placed(part, parameters.channels[0], shape, here) for part in next(norms))
            tensor.mul_(scale).add_(shift)
    return tensor


def _activate(step: Activation, tensor: torch.Tensor) -> None:
    if step.function in _IN_PLACE:
        _IN_PLACE[step.function](tensor, **step.arguments)
    else:
        getattr(functional, step.function)(tensor, **step.arguments, inplace=True)


def _placed(values: torch.Tensor, first: int, shape: Shape, box: Box) -> torch.Tensor:
    """Values `channels x features of a channel`, from channel `first` on, as they meet a box of the tensor."""
    lo, hi = box.channels
    values = values[lo - first : hi - first]
    if values.shape[1] == 1:
        return values[:, :, None]
    return values.reshape(hi - lo, shape.height, shape.width)[:, slice(*box.rows)]
