"""Readers of activations, poolings, sums, concatenations and reshapes, and of what vanishes.

A reader raises `ModelError` with the reason alone; the caller puts network and operator before it.
"""

from __future__ import annotations

from typing import Any, Literal

from iopt.errors import ModelError
from iopt.graph.layers import ACTIVATIONS, Activation, Add, Concat, Pool, Shape, Window
from iopt.importer.builder import Value
from iopt.importer.call import Call, pair, reader_name


def activation(call: Call) -> Value:
    function = reader_name(call.node).split(".")[1]
    known = ACTIVATIONS[function]
    others = {key: value for key, value in call.arguments.items() if key not in (*known, "self")}
    if any(value != 1 for value in others.values()):
        raise ModelError(f"{function} with {others}; iopt knows it with {', '.join(known)} only")
    given = {key: call.arguments[key] for key in known}
    values = {key: value if isinstance(value, str) else float(value) for key, value in given.items()}
    return call.scope.builder.elementwise(call.name, call.value, Activation(function, values))


def _pool(call: Call, reduce: Literal["max", "average"], **more: Any) -> Value:
    given = call.arguments
    kernel = pair(given["kernel_size"])
    stride = pair(given["stride"]) if given["stride"] else kernel
    window = Window(kernel, stride, pair(given["padding"]), pair(given.get("dilation", 1)))
    pool = Pool(reduce, window, bool(given["ceil_mode"]), **more)
    return call.scope.builder.pool(call.name, call.value, pool, Shape(*call.shape[1:]))


def max_pool(call: Call) -> Value:
    return _pool(call, "max")


def average_pool(call: Call) -> Value:
    given = call.arguments
    padded, divisor = bool(given["count_include_pad"]), given["divisor_override"]
    return _pool(call, "average", count_include_pad=padded, divisor_override=divisor)


def adaptive_pool(call: Call) -> Value:
    pool = Pool("max" if "max" in reader_name(call.node) else "average", None)
    return call.scope.builder.pool(call.name, call.value, pool, Shape(*call.shape[1:]))


def reshape(call: Call) -> Value:
    before, after, value = call.input_shape, call.shape, call.value
    if after == before:
        return value
    if after == (1, value.shape.elements):
        return call.scope.builder.flatten(value)
    if after == (1, *value.shape):
        return call.scope.builder.unflatten(value)
    sizes = ("x".join(map(str, size)) for size in (before, after))
    raise ModelError(f"it reshapes {' to '.join(sizes)}; iopt knows flatten from dimension 1 only")


def add(call: Call) -> Value:
    scope = call.scope
    values = [scope.value(call.arguments[key]) for key in ("self", "other")]
    shapes = [value.shape for value in values]
    if call.arguments["alpha"] != 1 or len(set(shapes)) > 1:
        factor = "" if call.arguments["alpha"] == 1 else f" with alpha {call.arguments['alpha']}"
        raise ModelError(f"it adds {shapes[0]} and {shapes[1]}{factor}; iopt knows sums of two tensors of one shape")
    return scope.builder.operator(call.name, Add(), values, shapes[0])


def concat(call: Call) -> Value:
    scope, dimension = call.scope, call.arguments["dim"]
    values = [scope.value(tensor) for tensor in call.arguments["tensors"]]
    shapes = [value.shape for value in values]
    if dimension % len(call.shape) != 1 or len({shape[1:] for shape in shapes}) > 1:
        listed = ", ".join(map(str, shapes))
        raise ModelError(f"it concatenates {listed} along dimension {dimension}; iopt knows concatenation of channels")
    shape = Shape(sum(shape.channels for shape in shapes), *shapes[0][1:])
    return scope.builder.operator(call.name, Concat(), values, shape)


def dropout(call: Call) -> Value:
    if call.arguments["train"]:
        raise ModelError("it drops values although the network is in eval mode; pass training=self.training to it")
    return call.value


def same(call: Call) -> Value:
    return call.value


def first(call: Call) -> Value:
    if call.arguments["index"] != 0:
        raise ModelError("the network reads the indices of a pooling; iopt knows its values only")
    return call.value
