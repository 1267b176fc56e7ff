"""Memory caps that make a network hard to place."""

from __future__ import annotations

from iopt.graph import Graph, Operator
from iopt.graph.layers import ELEMENT_BYTES
from iopt.partition.columns import column_bytes
from iopt.partition.problem import MemoryModel


def tight_caps(graph: Graph, devices: int, memory: MemoryModel = "live") -> int:
    """Bytes per device: 1.1 x parameters / devices, and the most that one operator works with on one device: input and
    pre tensor, by the executor's model also columns, what is pooled, and what is held while the next is put together.

    The plan that splits all by equal output channels fits; fast devices cannot take much more than their part.
    """
    parameters = -(-11 * graph.parameters * ELEMENT_BYTES // (10 * devices))
    return parameters + max(_working(operator, memory) for operator in graph)


def _working(operator: Operator, memory: MemoryModel) -> int:
    before, pre, after = sum(shape.bytes for shape in operator.input_shapes), operator.pre_shape, operator.output_shape
    if memory != "runtime":
        return before + pre.bytes
    columns = column_bytes(operator) * (operator.input_shape.channels // operator.groups)
    return max(before + pre.bytes + columns, pre.bytes + after.bytes, 2 * before, 2 * after.bytes)
