"""Readers of convolutions, linear layers and batch norms.

A reader raises `ModelError` with the reason alone; the caller puts network and operator before it.
"""

from __future__ import annotations

from typing import Any

from iopt.errors import ModelError
from iopt.graph.layers import BatchNorm, Conv2d, Linear, Shape, Window
from iopt.importer.builder import Value
from iopt.importer.call import Call, pair
from iopt.importer.node import operator_name, tensor_shape


def conv2d(call: Call) -> Value:
    given, scope = call.arguments, call.scope
    weight, bias = scope.stored_name(given["weight"]), given["bias"]
    kernel, dilation = tensor_shape(given["weight"])[2:], pair(given["dilation"])
    padding = _padding(given["padding"], (kernel[0], kernel[1]), dilation)
    window = Window((kernel[0], kernel[1]), pair(given["stride"]), padding, dilation)
    body = Conv2d(weight, window, given["groups"], None if bias is None else scope.stored_name(bias))
    return scope.builder.operator(operator_name(call.node, weight), body, [call.value], Shape(*call.shape[1:]))


def _padding(padding: Any, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(padding, str):
        return pair(padding)
    if padding == "valid":
        return 0, 0
    total = [dilation[side] * (kernel[side] - 1) for side in (0, 1)]
    if any(cells % 2 for cells in total):
        raise ModelError(f"padding 'same' of a kernel {kernel[0]}x{kernel[1]} is not symmetric; use an odd kernel")
    return total[0] // 2, total[1] // 2


def linear(call: Call) -> Value:
    given, scope = call.arguments, call.scope
    if len(call.input_shape) != 2:
        size = "x".join(map(str, call.input_shape))
        raise ModelError(f"it works on the last dimension of {size}; iopt knows linear layers after a flatten only")
    weight, bias = scope.stored_name(given["weight"]), given["bias"]
    body = Linear(weight, None if bias is None else scope.stored_name(bias))
    return scope.builder.operator(operator_name(call.node, weight), body, [call.value], Shape(call.shape[1], 1, 1))


def batch_norm(call: Call) -> Value:
    given, scope, value = call.arguments, call.scope, call.value
    if given["training"] or given["running_mean"] is None:
        raise ModelError("it norms with the statistics of the batch; iopt needs running statistics and eval mode")
    if (given["weight"] is None) != (given["bias"] is None):
        raise ModelError("it has only one of weight and bias; iopt knows batch norms with both or none")
    features = call.input_shape[1]
    step = BatchNorm(
        name=scope.stored_name(given["running_mean"]).removesuffix("running_mean").removesuffix("."),
        features=features,
        eps=float(given["eps"]),
        folded=scope.builder.can_fold(value, features),
        affine=given["weight"] is not None,
    )
    return scope.builder.elementwise(call.name, value, step)
