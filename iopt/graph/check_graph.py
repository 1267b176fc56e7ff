"""What must hold of a network as a whole: which operators write its outputs, and totals that can be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.errors import ModelError
from iopt.graph.layers import ELEMENT_BYTES

if TYPE_CHECKING:
    from iopt.graph import Graph

MOST = 2**53
"""Whole numbers up to here are exact as floats, and sums of a few of them fit into 64 bits."""


def check_outputs(graph: Graph) -> None:
    """Raise `ModelError` unless there is one output, or every output is an exit with a name of its own."""
    where = f"graph {graph.name!r}"
    if not graph.exits:
        if len(graph.unread) > 1:
            raise ModelError(f"{where} has several outputs: {', '.join(graph.unread)}; expected one, or exits")
        return
    names, writers = [name for name, _ in graph.exits], [operator for _, operator in graph.exits]
    known = {operator.name for operator in graph}
    if len(graph.exits) == 1:
        raise ModelError(f"{where} has one exit, {names[0]!r}; expected several, or none for a network with one output")
    for index, (name, operator) in enumerate(graph.exits):
        if not name or name in names[:index]:
            raise ModelError(f"{where}: exits[{index}] is named {name!r}; expected a name of its own")
        if operator not in known:
            raise ModelError(f"{where}: exit {name!r} is written by {operator!r}; no operator has that name")
        if operator in writers[:index]:
            first = names[writers.index(operator)]
            raise ModelError(f"{where}: exits {first!r} and {name!r} are one tensor, written by {operator!r}")
    for operator in graph.unread:
        if operator not in writers:
            raise ModelError(f"{where}: nobody reads {operator!r}, and it is no exit")


def check_totals(graph: Graph) -> None:
    """Raise `ModelError`, naming the first operator with which a total of the network passes `MOST`."""
    totals = {"FLOPs": 0, "bytes of parameters": 0, "bytes of tensors": 0}
    for operator in graph:
        shapes = (*operator.input_shapes, operator.pre_shape, operator.output_shape)
        totals["FLOPs"] += operator.flops
        totals["bytes of parameters"] += operator.parameters * ELEMENT_BYTES
        totals["bytes of tensors"] += sum(shape.bytes for shape in shapes)
        for what, total in totals.items():
            if total > MOST:
                raise ModelError(
                    f"graph {graph.name!r}: operator {operator.name!r}: up to here the network has more {what} "
                    "than iopt counts exactly (2**53)"
                )
