"""An imported program in sections that run alone: a block from cut tensor to cut tensor, a branch from cut to scores.

A section is what its target depends on, back to its source, whose value is given. The program was traced with a batch
of 1; of all operators that iopt imports only views name that size, so they are given that of the batch at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import Node
from torch.fx.node import map_arg

from iopt.errors import ModelError
from iopt.exits.blocks import Backbone
from iopt.importer.call import reader_name
from iopt.importer.node import mutates, tensor_shape
from iopt.importer.program import Imported

_SIZED = ("aten.view.default", "aten.reshape.default")


@dataclass(frozen=True)
class Section:
    """`nodes` in order, from the value of `source` to that of `target`; `state`: weights by placeholder."""

    source: Node
    target: Node
    nodes: tuple[Node, ...]
    state: Mapping[Node, torch.Tensor]

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        """The target of a batch of sources; these stay as they are."""
        if any(mutates(node) for node in self.nodes):
            tensor = tensor.clone()
        values: dict[Node, Any] = {self.source: tensor}
        for node in self.nodes:
            values[node] = self._run(node, values, len(tensor))
        result: torch.Tensor = values[self.target]
        return result

    def _run(self, node: Node, values: Mapping[Node, Any], batch: int) -> Any:
        def value(argument: Node) -> Any:
            return values[argument] if argument in values else self.state[argument]

        if reader_name(node) in _SIZED:
            return value(node.all_input_nodes[0]).reshape(batch, *tensor_shape(node)[1:])
        assert callable(node.target)
        return node.target(*map_arg(node.args, value), **map_arg(node.kwargs, value))


@dataclass(frozen=True)
class Sections:
    """`blocks` in order; `branches[i]`: of exit i, to its scores; for the last exit that is the output of the last
    block as it is."""

    blocks: tuple[Section, ...]
    branches: tuple[Section, ...]


def sections(imported: Imported, cut: Backbone) -> Sections:
    """The program of a network in the blocks and branches of its backbone."""
    state = _state(imported)
    ends = [_written_by(imported, names[-1]) for names in cut.operators[:-1]] + [imported.outputs[-1]]
    starts = [imported.source, *ends[:-1]]
    blocks = [_between(imported, *pair, state) for pair in zip(starts, ends, strict=True)]
    sites = zip(cut.exits, imported.outputs, strict=True)
    branches = [_between(imported, ends[site.after - 1], output, state) for site, output in sites]
    return Sections(tuple(blocks), tuple(branches))


def _state(imported: Imported) -> dict[Node, torch.Tensor]:
    """Parameters and buffers by the placeholder that stands for them."""
    signature = imported.exported.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    stored = {**imported.exported.constants, **imported.exported.state_dict}
    nodes = imported.exported.graph.nodes
    return {node: stored[names[node.name]] for node in nodes if node.op == "placeholder" and node.name in names}


def _written_by(imported: Imported, operator: str) -> Node:
    """The node that yields the output of an operator; views of it for one of several readers come after it."""
    known = imported.producers
    node: Node = next(node for node in imported.exported.graph.nodes if known.get(node) == operator)
    while True:
        users = [user for user in node.users if user in known or user.op == "output"]
        if len(users) > 1 or known.get(users[0]) != operator:
            return node
        node = users[0]


def _between(imported: Imported, source: Node, target: Node, state: Mapping[Node, torch.Tensor]) -> Section:
    found: set[Node] = set()
    waiting = [target]
    while waiting:
        node = waiting.pop()
        if node is source or node in found or node in state:
            continue
        if node.op != "call_function":
            raise ModelError(
                f"{imported.graph.name}: {target.name} depends on {node.name} not only through {source.name}"
            )
        found.add(node)
        waiting.extend(node.all_input_nodes)
    nodes = tuple(node for node in imported.exported.graph.nodes if node in found)
    used = {part for node in nodes for part in node.all_input_nodes if part in state}
    return Section(source, target, nodes, {node: state[node] for node in used})
