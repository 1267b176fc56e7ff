"""The tensors that a network reads from its state dict: names, shapes, and whether those at hand are they."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iopt.errors import ModelError
from iopt.graph import Graph, Operator
from iopt.graph.layers import BatchNorm, Conv2d, Linear

Found = tuple[tuple[int, ...], str] | None
"""Shape and type of a tensor (`F32`), None where there is none."""


def expected_shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that the operators of a network read."""
    return {name: shape for operator in graph for name, shape in _shapes(operator)}


def _shapes(operator: Operator) -> Iterator[tuple[str, tuple[int, ...]]]:
    body, before, channels = operator.body, operator.input_shape, operator.output_shape.channels
    if isinstance(body, Conv2d):
        yield body.weight, (channels, before.channels // body.groups, *body.window.kernel)
    if isinstance(body, Linear):
        yield body.weight, (channels, before.elements)
    if isinstance(body, Conv2d | Linear) and body.bias is not None:
        yield body.bias, (channels,)
    for step in operator.epilogue:
        if isinstance(step, BatchNorm):
            parts = ("running_mean", "running_var", *(("weight", "bias") if step.affine else ()))
            for part in parts:
                yield f"{step.name}.{part}" if step.name else part, (step.features,)


def check_shapes(graph: Graph, found: Callable[[str], Found], where: str) -> None:
    """Raise `ModelError`, beginning with `where`, unless every tensor of the network is there in its shape, in fp32."""
    for name, shape in expected_shapes(graph).items():
        given = found(name)
        expected = f"expected {'x'.join(map(str, shape))} in fp32, as {graph.name} has it"
        if given is None:
            raise ModelError(f"{where}: {name}: missing; {expected}")
        if given != (shape, "F32"):
            raise ModelError(f"{where}: {name} is {'x'.join(map(str, given[0]))} in {given[1]}; {expected}")
