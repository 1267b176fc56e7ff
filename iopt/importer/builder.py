"""Operators in the making: which step joins the epilogue of its producer, and which becomes an operator of its own.

Elementwise steps and flatten join any producer, a pooling only a weighted one that has none yet; all of them only along
edges with a single consumer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Activation, BatchNorm, Body, Conv2d, Flatten, Identity, Linear, Pool, Shape, Step


@dataclass(frozen=True)
class Value:
    """A tensor: who writes it, its shape there, and whether `producer` has no consumer but those that joined it."""

    producer: str
    shape: Shape
    is_private: bool


@dataclass
class _Draft:
    """An operator whose epilogue may still grow."""

    body: Body
    inputs: tuple[Value, ...]
    pre_shape: Shape
    output_shape: Shape
    epilogue: list[Step] = field(default_factory=list)

    @property
    def is_weighted(self) -> bool:
        return isinstance(self.body, Conv2d | Linear)

    def finish(self, name: str) -> Operator:
        return Operator(
            name=name,
            body=self.body,
            inputs=tuple(value.producer for value in self.inputs),
            input_shapes=tuple(value.shape for value in self.inputs),
            pre_shape=self.pre_shape,
            output_shape=self.output_shape,
            epilogue=tuple(self.epilogue),
        )


class Builder:
    """Grows a graph in topological order; every method takes values and returns the value that it makes of them."""

    def __init__(self, name: str, input_shape: Shape) -> None:
        self.name = name
        self.input = Value(INPUT, input_shape, is_private=False)
        self._drafts: dict[str, _Draft] = {}

    def graph(self, exits: tuple[tuple[str, str], ...] = ()) -> Graph:
        """`exits`: names of the outputs with their producers, where there are several."""
        operators = tuple(draft.finish(name) for name, draft in self._drafts.items())
        return Graph(self.name, self.input.shape, operators, exits)

    def operator(self, name: str, body: Body, inputs: Sequence[Value], pre_shape: Shape) -> Value:
        """A new operator; a name that is taken gets `@2`, `@3`, ..."""
        unique, count = name, 1
        while unique == INPUT or unique in self._drafts:
            count += 1
            unique = f"{name}@{count}"
        self._drafts[unique] = _Draft(body, tuple(inputs), pre_shape, pre_shape)
        return Value(unique, pre_shape, is_private=True)

    def elementwise(self, name: str, value: Value, step: Activation | BatchNorm) -> Value:
        """The step in the epilogue of the value's producer, or an `Identity` that is nothing but its epilogue."""
        if self._producer(value) is None:
            value = self.operator(name, Identity(), [value], value.shape)
        self._drafts[value.producer].epilogue.append(step)
        return value

    def can_fold(self, value: Value, features: int) -> bool:
        """True where a batch norm on the value can go into weight and bias of its producer."""
        draft = self._producer(value)
        return draft is not None and draft.is_weighted and not draft.epilogue and draft.pre_shape.channels == features

    def pool(self, name: str, value: Value, pool: Pool, shape: Shape) -> Value:
        """The pooling in the epilogue of a weighted producer, or as an operator; one that changes nothing vanishes."""
        if _changes_nothing(pool, value.shape, shape):
            return value
        draft = self._producer(value)
        if draft is None or not draft.is_weighted or any(isinstance(step, Pool) for step in draft.epilogue):
            return self.operator(name, pool, [value], shape)
        draft.epilogue.append(pool)
        draft.output_shape = shape
        return Value(value.producer, shape, is_private=True)

    def flatten(self, value: Value) -> Value:
        """A note in the epilogue of a private producer; the tensor keeps its shape in the description either way."""
        draft = self._producer(value)
        if draft is not None:
            draft.epilogue.append(Flatten())
        return value

    def unflatten(self, value: Value) -> Value:
        """Takes the note back."""
        draft = self._producer(value)
        if draft is not None and draft.epilogue and draft.epilogue[-1] == Flatten():
            draft.epilogue.pop()
        return value

    def _producer(self, value: Value) -> _Draft | None:
        """The operator whose epilogue a step on `value` may join."""
        return self._drafts[value.producer] if value.is_private else None


def _changes_nothing(pool: Pool, before: Shape, after: Shape) -> bool:
    if pool.window is None:
        return before == after
    is_single_cell = pool.window.kernel == pool.window.stride == (1, 1) and pool.window.padding == (0, 0)
    return is_single_cell and pool.divisor_override in (None, 1)
