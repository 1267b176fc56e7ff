"""The outputs of an exported program by name: one, or one per exit in order of depth."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind
from torch.fx import Node
from torch.utils import _pytree as pytree

from iopt.door.wording import shown
from iopt.errors import ModelError


def named_outputs(exported: ExportedProgram, name: str) -> dict[str, Node]:
    """The nodes of the outputs by name, in the order in which the module returns them.

    The keys of a mapping are the names; the entries of a tuple or list are `exit-1`, `exit-2`, ... Raises `ModelError`
    for no output, for what is no tensor, for one tensor under two names and for nested outputs.
    """
    nodes = {node.name: node for node in exported.graph.nodes}
    specs = [spec for spec in exported.graph_signature.output_specs if spec.kind is OutputKind.USER_OUTPUT]
    if not specs:
        raise ModelError(f"{name} has 0 outputs; iopt plans networks with one output, or with several exits")
    found: dict[str, Node] = {}
    for key, position in _names(exported, len(specs), name).items():
        node = nodes.get(getattr(specs[position].arg, "name", ""))
        if node is None or not isinstance(node.meta.get("val"), torch.Tensor):
            which = f" {key!r}" if len(specs) > 1 else ""
            raise ModelError(f"{name}: its output{which} is no tensor; expected one tensor, or one per exit")
        if node.op != "call_function" and len(specs) > 1:
            raise ModelError(f"{name}: its output {key!r} is {node.name}, which it does not compute")
        for other, same in found.items():
            if same is node:
                raise ModelError(f"{name}: its outputs {other!r} and {key!r} are one tensor; expected one per exit")
        found[key] = node
    return found


def _names(exported: ExportedProgram, count: int, name: str) -> dict[str, int]:
    """Position of each output among the leaves of what the module returns."""
    spec = exported.call_spec.out_spec
    tree = pytree.tree_unflatten(list(range(count)), spec) if spec is not None else 0
    if isinstance(tree, Mapping):
        named = {str(key): value for key, value in tree.items()}
        if len(named) < len(tree):
            raise ModelError(
                f"{name} returns a mapping with keys {shown(list(tree))}; expected keys that differ as text"
            )
    elif isinstance(tree, tuple | list):
        named = {f"exit-{index}": value for index, value in enumerate(tree, 1)}
    else:
        named = {"output": tree}
    for key, value in named.items():
        if type(value) is not int:
            raise ModelError(f"{name}: its output {key!r} is a nested structure; expected one tensor per exit")
    return named
