"""Runs a graph as plain PyTorch, operator by operator, to compare it with the module it was imported from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Activation, Add, BatchNorm, Concat, Conv2d, Linear, Pool, Step

State = Mapping[str, torch.Tensor]


def run(graph: Graph, state: State, image: torch.Tensor) -> torch.Tensor:
    """The (last) output, flattened. Asserts that every tensor has the shape that the graph states."""
    return run_all(graph, state, image)[graph.outputs[-1]].flatten(1)


def run_all(graph: Graph, state: State, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """The output of every operator."""
    tensors = {INPUT: image.reshape(1, *graph.input_shape)}
    for operator in graph:
        inputs = [tensors[name] for name in operator.inputs]
        assert [tuple(tensor.shape[1:]) for tensor in inputs] == list(operator.input_shapes)
        tensor = body(operator, state, inputs)
        assert tuple(tensor.shape[1:]) == operator.pre_shape
        for step in operator.epilogue:
            tensor = apply(step, operator, state, tensor)
        assert tuple(tensor.shape[1:]) == operator.output_shape
        tensors[operator.name] = tensor
    return tensors


def body(operator: Operator, state: State, inputs: list[torch.Tensor]) -> torch.Tensor:
    """The pre tensor, bias included."""
    first = inputs[0]
    match operator.body:
        case Conv2d(weight=weight, window=window, groups=groups, bias=bias):
            values = None if bias is None else state[bias]
            where = (window.stride, window.padding, window.dilation)
            return functional.conv2d(first, state[weight], values, *where, groups)
        case Linear(weight=weight, bias=bias):
            values = None if bias is None else state[bias]
            return functional.linear(first.flatten(1), state[weight], values)[:, :, None, None]
        case Pool() as pool:
            return pooled(pool, first, operator.pre_shape[1:])
        case Add():
            return torch.stack(inputs).sum(0)
        case Concat():
            return torch.cat(inputs, 1)
    return first


def apply(step: Step, operator: Operator, state: State, tensor: torch.Tensor) -> torch.Tensor:
    match step:
        case Pool():
            return pooled(step, tensor, operator.output_shape[1:])
        case Activation():
            function = getattr(functional, step.function)
            activated: torch.Tensor = function(tensor, **step.arguments)
            return activated
        case BatchNorm():
            mean, var = state[f"{step.name}.running_mean"], state[f"{step.name}.running_var"]
            scale, shift = (state.get(f"{step.name}.{what}") if step.affine else None for what in ("weight", "bias"))
            flat = tensor if step.features == tensor.shape[1] else tensor.flatten(1)
            return functional.batch_norm(flat, mean, var, scale, shift, eps=step.eps).reshape(tensor.shape)
    return tensor


def pooled(pool: Pool, tensor: torch.Tensor, size: Any) -> torch.Tensor:
    if pool.window is None:
        adaptive = functional.adaptive_max_pool2d if pool.reduce == "max" else functional.adaptive_avg_pool2d
        result: torch.Tensor = adaptive(tensor, size)
        return result
    window, ceil = pool.window, pool.ceil_mode
    if pool.reduce == "max":
        return functional.max_pool2d(tensor, window.kernel, window.stride, window.padding, window.dilation, ceil)
    more = (pool.count_include_pad, pool.divisor_override)
    return functional.avg_pool2d(tensor, window.kernel, window.stride, window.padding, ceil, *more)
