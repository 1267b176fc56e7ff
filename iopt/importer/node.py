"""Reading one node of an exported program: its arguments by name, its shape, the path of the module it stems from."""

from __future__ import annotations

import operator
from typing import Any

from torch._ops import OpOverload
from torch.fx import Node

TORCH_LAYERS = "torch.nn.modules."


def target_name(node: Node) -> str:
    """`aten.conv2d.default`, or what else the node calls."""
    return "getitem" if node.target is operator.getitem else str(node.target)


def arguments(node: Node) -> dict[str, Any]:
    """Arguments of an aten operator by the names of its schema, defaults filled in."""
    if not isinstance(node.target, OpOverload):
        return {"self": node.args[0], "index": node.args[1]}
    schema = node.target._schema.arguments  # noqa: SLF001 - PyTorch offers the schema under this name only
    bound = {argument.name: argument.default_value for argument in schema if argument.has_default_value()}
    bound.update(zip((argument.name for argument in schema), node.args, strict=False))
    bound.update(node.kwargs)
    return bound


def mutates(node: Node) -> bool:
    """True for an operator that writes into one of its inputs, such as `relu_`."""
    return isinstance(node.target, OpOverload) and node.target._schema.is_mutable  # noqa: SLF001 - see above


def tensor_shape(node: Node) -> tuple[Any, ...]:
    """Shape of the (first) tensor that the node yields; an entry that is no `int` is a dynamic dimension."""
    value = node.meta["val"]
    return tuple((value[0] if isinstance(value, tuple | list) else value).shape)


def module_path(node: Node) -> tuple[str, bool]:
    """Path of the innermost module that the node stems from, and whether that is one of PyTorch's own layers."""
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return "", False
    path, kind = list(stack.values())[-1]
    kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    return path, kind.startswith(TORCH_LAYERS)


def operator_name(node: Node, weight: str | None = None) -> str:
    """`features.0` for a layer of PyTorch; elsewhere the weight's name decides, or the module and the function."""
    path, is_layer = module_path(node)
    if is_layer and path:
        return path
    if weight is not None and weight != "weight":
        return weight.removesuffix(".weight")
    function = target_name(node).removeprefix("aten.").split(".")[0].rstrip("_")
    return f"{path}.{function}" if path else function
