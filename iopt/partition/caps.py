"""Memory caps that make a network hard to place."""

from __future__ import annotations

from iopt.graph import Graph
from iopt.graph.layers import ELEMENT_BYTES


def tight_caps(graph: Graph, devices: int) -> int:
    """Bytes per device: 1.1 x parameters / devices, and the largest (input + pre) tensors of one operator.

    The plan that splits all by equal output channels fits; fast devices cannot take much more than their part.
    """
    parameters = -(-11 * graph.parameters * ELEMENT_BYTES // (10 * devices))
    largest = max(sum(shape.bytes for shape in operator.input_shapes) + operator.pre_shape.bytes for operator in graph)
    return parameters + largest
