"""The network as data: operators in topological order, with shapes, receptive fields, FLOPs and parameter counts.

A planning operator is a weighted one (convolution, linear) together with its *epilogue* (bias, batch norm, activation,
pooling, flatten), or a weightless one. Three tensors belong to it: its inputs, its *pre* tensor (what the body writes,
before the epilogue's pooling) and its output tensor (after it). All are `channels x height x width` with batch 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from iopt.errors import ModelError
from iopt.graph.check import check_operator
from iopt.graph.check_graph import check_outputs, check_totals
from iopt.graph.layers import BatchNorm, Body, Conv2d, Linear, Pool, Shape, Step

INPUT = "input"
"""The name by which operators refer to the input of the network."""


def _pooled_rows(pool: Pool, lo: int, hi: int, size: int, outputs: int) -> tuple[int, int]:
    """Rows of a map of `size` rows that rows `[lo, hi)` of its pooling to `outputs` rows need."""
    if hi <= lo:
        return 0, 0
    if pool.window is not None:
        return pool.window.cells(0, lo, hi, size)
    return lo * size // outputs, -(-hi * size // outputs)


@dataclass(frozen=True)
class Operator:
    """One planning operator. `inputs` are names of earlier operators or `"input"`, in argument order."""

    name: str
    body: Body
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    pre_shape: Shape
    output_shape: Shape
    epilogue: tuple[Step, ...] = ()

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def check(self) -> None:
        """Raise `ModelError` unless the layers make sense and the shapes follow from them."""
        check_operator(self)

    @property
    def input_shape(self) -> Shape:
        """Shape of the first input."""
        return self.input_shapes[0]

    @property
    def groups(self) -> int:
        return self.body.groups if isinstance(self.body, Conv2d) else 1

    @property
    def is_weighted(self) -> bool:
        return isinstance(self.body, Conv2d | Linear)

    @property
    def pool(self) -> Pool | None:
        """The epilogue's pooling; there is at most one."""
        return next((step for step in self.epilogue if isinstance(step, Pool)), None)

    @property
    def weight_elements(self) -> int:
        if isinstance(self.body, Conv2d):
            rows, columns = self.body.window.kernel
            return self.output_shape.channels * (self.input_shape.channels // self.groups) * rows * columns
        if isinstance(self.body, Linear):
            return self.output_shape.channels * self.input_shape.elements
        return 0

    @property
    def channel_elements(self) -> int:
        """Parameters of output channels: the bias (folded batch norms make one), 2 per feature of other batch norms."""
        norms = [step for step in self.epilogue if isinstance(step, BatchNorm)]
        biased = isinstance(self.body, Conv2d | Linear) and (
            self.body.bias is not None or any(norm.folded for norm in norms)
        )
        scales = sum(2 * norm.features for norm in norms if not norm.folded)
        return (self.output_shape.channels if biased else 0) + scales

    @property
    def parameters(self) -> int:
        """Number of parameters held when the whole operator runs on one device."""
        return self.weight_elements + self.channel_elements

    @property
    def flops(self) -> int:
        """2 x multiply-accumulates over the pre tensor; bias and epilogue cost nothing."""
        if isinstance(self.body, Conv2d):
            return 2 * self.weight_elements * self.pre_shape.height * self.pre_shape.width
        return 2 * self.weight_elements

    def pre_rows(self, lo: int, hi: int) -> tuple[int, int]:
        """Rows of the pre tensor that output rows `[lo, hi)` need."""
        if self.pool is None:
            return (lo, hi) if hi > lo else (0, 0)
        return _pooled_rows(self.pool, lo, hi, self.pre_shape.height, self.output_shape.height)

    def input_rows(self, lo: int, hi: int) -> tuple[int, int]:
        """Rows of the input that pre rows `[lo, hi)` need (not defined for `linear`)."""
        if isinstance(self.body, Conv2d):
            return self.body.window.cells(0, lo, hi, self.input_shape.height)
        if isinstance(self.body, Pool):
            return _pooled_rows(self.body, lo, hi, self.input_shape.height, self.pre_shape.height)
        return (lo, hi) if hi > lo else (0, 0)


@dataclass(frozen=True)
class Graph:
    """A directed acyclic network: `operators` in topological order, one input, one output or several exits.

    `exits`: (name, operator that writes it) of every output in order of depth, the last is the final one; empty for a
    network with one output. Raises `ModelError` where names, order or shapes do not fit together.
    """

    name: str
    input_shape: Shape
    operators: tuple[Operator, ...]
    exits: tuple[tuple[str, str], ...] = ()

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if min(self.input_shape) < 1:
            raise ModelError(f"graph {self.name!r}: input_shape is {self.input_shape}; expected positive numbers")
        shapes = {INPUT: self.input_shape}
        for operator in self.operators:
            if operator.name in shapes:
                raise ModelError(f"graph {self.name!r}: two operators are named {operator.name!r}")
            for source, shape in zip(operator.inputs, operator.input_shapes, strict=False):
                reads = f"graph {self.name!r}: {operator.name!r} reads {source!r}"
                if source not in shapes:
                    raise ModelError(f"{reads}, which no earlier operator writes")
                if shapes[source] != shape:
                    raise ModelError(f"{reads} as {shape}, it is {shapes[source]}")
            try:
                operator.check()
            except ModelError as error:
                raise ModelError(f"graph {self.name!r}: {error}") from None
            shapes[operator.name] = operator.output_shape
        if not self.operators:
            raise ModelError(f"graph {self.name!r} has no operators")
        check_outputs(self)
        check_totals(self)

    def __iter__(self) -> Iterator[Operator]:
        return iter(self.operators)

    def __len__(self) -> int:
        return len(self.operators)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the operators that write the exits, or whose output nobody reads."""
        if self.exits:
            return tuple(operator for _, operator in self.exits)
        return self.unread

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """Names of the operators whose output no other operator reads."""
        read = {source for operator in self.operators for source in operator.inputs}
        return tuple(operator.name for operator in self.operators if operator.name not in read)

    @property
    def output_shape(self) -> Shape:
        """Of the one output, or of the last exit."""
        return self.operator(self.outputs[-1]).output_shape

    def operator(self, name: str) -> Operator:
        """The operator of this name; raises `KeyError` without one."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Operator]:
        return {operator.name: operator for operator in self.operators}

    @property
    def is_chain(self) -> bool:
        """Every operator reads exactly the one before it, the first reads the input of the network."""
        names = (INPUT, *(operator.name for operator in self.operators))
        return all(operator.inputs == (before,) for before, operator in zip(names, self.operators, strict=False))

    @property
    def flops(self) -> int:
        return sum(operator.flops for operator in self.operators)

    @property
    def parameters(self) -> int:
        return sum(operator.parameters for operator in self.operators)
