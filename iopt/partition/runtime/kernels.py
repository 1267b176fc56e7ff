"""What a device computes of an operator: a box of the pre tensor from a box of the input, and the epilogue of a box.

Tensors are `channels x rows x columns` without a batch, fp32.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from iopt.graph import Operator
from iopt.graph.layers import Activation, BatchNorm, Conv2d, Linear, Pool, Shape
from iopt.partition.runtime.boxes import Box
from iopt.partition.runtime.parameters import Parameters
from iopt.partition.runtime.schedule import Share
from iopt.partition.runtime.windows import convolve, pool


def pre_tensor(operator: Operator, share: Share, parameters: Parameters, tensor: torch.Tensor) -> torch.Tensor:
    """The share's box of the pre tensor, or its partial sum; `tensor` is the share's input box."""
    body, rows = operator.body, share.pre.rows
    bias = parameters.bias if share.adds_bias else None
    read = operator.input_rows(*rows) if not isinstance(body, Linear) else share.input.rows
    tensor = tensor[Box(share.input.channels, read).within(share.input)]
    if isinstance(body, Linear):
        assert parameters.weight is not None
        return functional.linear(tensor.reshape(-1), parameters.weight, bias)[:, None, None]
    if isinstance(body, Conv2d):
        assert parameters.weight is not None
        groups = body.groups * share.pre.size[0] // operator.pre_shape.channels if body.groups > 1 else 1
        height = operator.input_shape.height
        return convolve(tensor, parameters.weight, bias, body.window, groups, rows, height)
    if isinstance(body, Pool):
        return pool(tensor, body, rows, operator.input_shape, operator.pre_shape)
    return tensor


def epilogue(operator: Operator, parameters: Parameters, tensor: torch.Tensor, pre: Box, output: Box) -> torch.Tensor:
    """The box `output` of the operator's output from the box `pre` of its pre tensor, bias included."""
    shape, rows = operator.pre_shape, pre.rows
    norms = iter(parameters.norms)
    for step in operator.epilogue:
        if isinstance(step, Activation):
            tensor = getattr(functional, step.function)(tensor, **step.arguments)
        elif isinstance(step, Pool):
            tensor = pool(tensor, step, output.rows, shape, operator.output_shape)
            shape, rows = operator.output_shape, output.rows
        elif isinstance(step, BatchNorm) and not step.folded:
            here = Box(output.channels, rows)
            scale, shift = (_placed(part, parameters.channels[0], shape, here) for part in next(norms))
            tensor = tensor * scale + shift
    return tensor


def _placed(values: torch.Tensor, first: int, shape: Shape, box: Box) -> torch.Tensor:
    """Values `channels x features of a channel`, from channel `first` on, as they meet a box of the tensor."""
    lo, hi = box.channels
    values = values[lo - first : hi - first]
    if values.shape[1] == 1:
        return values[:, :, None]
    return values.reshape(hi - lo, shape.height, shape.width)[:, slice(*box.rows)]
