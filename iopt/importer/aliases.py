"""Operators that work in place: their result stands for the tensor from then on, nobody may read it by an older name.

torch.export keeps the order of the calls but not the sharing of memory: in `v = x.view(1, -1); x.relu_()` its `v` stays
what it was, where PyTorch changes it.
"""

from __future__ import annotations

from collections.abc import Set

from torch.fx import Graph, Node

from iopt.importer.call import reader_name
from iopt.importer.node import mutates

VIEWS = {
    "aten.flatten.using_ints",
    "aten.view.default",
    "aten.reshape.default",
    "aten.alias.default",
    "aten.contiguous.default",
    "aten.detach.default",
    "aten.dropout.default",
    "aten.alpha_dropout.default",
    "aten.feature_dropout.default",
    "aten.feature_alpha_dropout.default",
}
"""Operators whose result may share memory with what they read; dropout does in eval mode."""


def stale_reader(graph: Graph, live: Set[Node]) -> tuple[Node, Node] | None:
    """An operator that works in place, and one that reads the same memory afterwards under an older name; or None."""
    order = {node: position for position, node in enumerate(graph.nodes)}
    memory: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        source = node.all_input_nodes[0] if node.all_input_nodes else None
        shares = source is not None and (mutates(node) or reader_name(node) in VIEWS)
        names = memory[source] if shares and source is not None else []
        if mutates(node):
            for older in names:
                for user in older.users:
                    if user in live and user is not node and order[user] > order[node]:
                        return node, user
        names.append(node)
        memory[node] = names
    return None
