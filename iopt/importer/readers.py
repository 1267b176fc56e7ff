"""The aten operators that iopt knows, and the function that reads each."""

from __future__ import annotations

from collections.abc import Callable

from torch.fx import Node

from iopt.graph.layers import ACTIVATIONS
from iopt.importer import weighted, weightless
from iopt.importer.builder import Value
from iopt.importer.call import Call, Scope, reader_name
from iopt.importer.node import arguments

READERS: dict[str, Callable[[Call], Value]] = {
    **{f"aten.{function}.default": weightless.activation for function in ACTIVATIONS},
    "aten.conv2d.default": weighted.conv2d,
    "aten.conv2d.padding": weighted.conv2d,
    "aten.linear.default": weighted.linear,
    "aten.batch_norm.default": weighted.batch_norm,
    "aten.max_pool2d.default": weightless.max_pool,
    "aten.max_pool2d_with_indices.default": weightless.max_pool,
    "aten.avg_pool2d.default": weightless.average_pool,
    "aten.adaptive_avg_pool2d.default": weightless.adaptive_pool,
    "aten.adaptive_max_pool2d.default": weightless.adaptive_pool,
    "aten.flatten.using_ints": weightless.reshape,
    "aten.view.default": weightless.reshape,
    "aten.reshape.default": weightless.reshape,
    "aten.add.Tensor": weightless.add,
    "aten.cat.default": weightless.concat,
    "aten.dropout.default": weightless.dropout,
    "aten.alpha_dropout.default": weightless.dropout,
    "aten.feature_dropout.default": weightless.dropout,
    "aten.feature_alpha_dropout.default": weightless.dropout,
    "aten.alias.default": weightless.same,
    "aten.clone.default": weightless.same,
    "aten.contiguous.default": weightless.same,
    "aten.detach.default": weightless.same,
    "getitem": weightless.first,
}


def is_known(node: Node) -> bool:
    return reader_name(node) in READERS


def read(node: Node, scope: Scope) -> Value:
    """The value that a node with a known operator yields; raises `ModelError` where it is used in a way that is not."""
    return READERS[reader_name(node)](Call(node, scope, arguments(node)))
