"""An exported program, node by node, to a graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.fx import Node

from iopt.errors import ModelError, UnsupportedOperatorError
from iopt.graph import Graph
from iopt.graph.input_shape import as_shape
from iopt.graph.layers import Shape
from iopt.importer.aliases import stale_reader
from iopt.importer.builder import Builder, Value
from iopt.importer.call import Scope
from iopt.importer.node import operator_name, target_name, tensor_shape
from iopt.importer.outputs import named_outputs
from iopt.importer.readers import is_known, read


@dataclass(frozen=True)
class Imported:
    """A program and the graph read from it.

    `producers`: the operator that each node of the program belongs to (a view to the operator that it looks at);
    `source`: the node of the input; `outputs`: the nodes of the outputs, in order.
    """

    graph: Graph
    exported: ExportedProgram
    source: Node
    producers: Mapping[Node, str]
    outputs: tuple[Node, ...]


def import_program(exported: ExportedProgram, name: str) -> Graph:
    """The graph of a program with one input, exported in eval mode with static shapes.

    Several outputs become exits. Raises `ModelError`; `UnsupportedOperatorError` lists all operators that iopt does not
    know, with their counts.
    """
    return read_program(exported, name).graph


def read_program(exported: ExportedProgram, name: str) -> Imported:
    """`import_program`, with what is needed to run parts of the program."""
    source, outputs = _input(exported, name), named_outputs(exported, name)
    live = _ancestors(exported.graph.output_node())
    nodes = [node for node in exported.graph.nodes if node in live]
    _refuse_unknown(name, nodes)
    refuse_other_types(name, {node.name: node.meta.get("val") for node in nodes if node.op == "placeholder"})
    stale = stale_reader(exported.graph, live)
    if stale is not None:
        changed, reader = map(operator_name, stale)
        raise ModelError(f"{name}: {changed} works in place on a tensor that {reader} reads later; set inplace=False")
    builder = Builder(name, _input_shape(source, name))
    signature = exported.graph_signature
    stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    scope = Scope(builder, stored, live, {source: builder.input})
    for node in nodes:
        if node.op == "call_function":
            scope.values[node] = _read(node, scope, name)
    exits = tuple((key, scope.values[node].producer) for key, node in outputs.items()) if len(outputs) > 1 else ()
    producers = {node: value.producer for node, value in scope.values.items()}
    return Imported(builder.graph(exits), exported, source, producers, tuple(outputs.values()))


def refuse_other_types(name: str, tensors: Mapping[str, object]) -> None:
    """Raise `ModelError` unless these tensors (or what stands in their place) are fp32."""
    for what, tensor in tensors.items():
        if isinstance(tensor, torch.Tensor) and tensor.dtype != torch.float32:
            raise ModelError(f"{name}: {what} is {tensor.dtype}; iopt plans in fp32, call .float() on the module")


def _input(exported: ExportedProgram, name: str) -> Node:
    """The node of the one input tensor."""
    specs = exported.graph_signature.input_specs
    inputs = [spec.arg.name for spec in specs if spec.kind is InputKind.USER_INPUT]
    if len(inputs) != 1:
        raise ModelError(f"{name} has {len(inputs)} inputs; iopt plans networks with one input")
    source: Node = next(node for node in exported.graph.nodes if node.name == inputs[0])
    if not isinstance(source.meta.get("val"), torch.Tensor):
        raise ModelError(f"{name}: its input is no tensor; expected one tensor")
    return source


def _ancestors(node: Node) -> set[Node]:
    """The node and all that it depends on."""
    found, waiting = {node}, [node]
    while waiting:
        fresh = [source for source in waiting.pop().all_input_nodes if source not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


def _refuse_unknown(name: str, nodes: Iterable[Node]) -> None:
    calls = (node for node in nodes if node.op not in ("placeholder", "output"))
    counts = Counter(target_name(node) for node in calls if node.op != "call_function" or not is_known(node))
    if counts:
        listed = ", ".join(f"{operator} x{count}" for operator, count in counts.items())
        noun = "operator" if len(counts) == 1 else "operators"
        advice = "; a softmax at the end can be left out and applied to the output" if "softmax" in listed else ""
        raise UnsupportedOperatorError(f"{name}: {len(counts)} {noun} that iopt does not know: {listed}{advice}")


def _input_shape(source: Node, name: str) -> Shape:
    sizes = tensor_shape(source)
    listed = "x".join(map(str, sizes))
    if any(not isinstance(size, int) for size in sizes):
        raise ModelError(f"{name}: its input {listed} has dynamic dimensions; export it with fixed sizes")
    if len(sizes) not in (2, 4) or sizes[0] != 1:
        expected = "1 x channels x height x width, or 1 x features"
        raise ModelError(f"{name}: its input is {listed}; iopt plans one input at a time: {expected}")
    return as_shape(sizes)


def _read(node: Node, scope: Scope, name: str) -> Value:
    """The node's value, checked against the shape that PyTorch found."""
    try:
        value = read(node, scope)
    except ModelError as error:
        raise ModelError(f"{name}: {operator_name(node)}: {error}") from error
    if tensor_shape(node) not in ((1, *value.shape), (1, value.shape.elements)):
        listed = "x".join(map(str, tensor_shape(node)))
        raise ModelError(f"{name}: {operator_name(node)} yields {listed}; iopt knows 1 x C x H x W and 1 x features")
    return value
