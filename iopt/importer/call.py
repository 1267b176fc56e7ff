"""One operator of an exported program, about to be read, and what the readers share."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from torch.fx import Node

from iopt.errors import ModelError
from iopt.importer.builder import Builder, Value
from iopt.importer.node import operator_name, target_name, tensor_shape


@dataclass(frozen=True)
class Scope:
    """What the readers share. `stored`: state-dict names of the program's parameters and buffers by placeholder."""

    builder: Builder
    stored: Mapping[str, str]
    live: Set[Node]
    values: dict[Node, Value]

    def value(self, argument: object) -> Value:
        """The tensor that an operator reads; a private one no longer if others read it too."""
        value = self.values.get(argument) if isinstance(argument, Node) else None
        if not isinstance(argument, Node) or value is None:
            what = self.stored.get(argument.name, argument.name) if isinstance(argument, Node) else argument
            raise ModelError(f"it reads the constant {what}; iopt knows constants as weights of layers only")
        consumers = sum(user in self.live for user in argument.users)
        return Value(value.producer, value.shape, value.is_private and consumers == 1)

    def stored_name(self, argument: object) -> str:
        """Name of a weight in the state dict."""
        name = self.stored.get(argument.name) if isinstance(argument, Node) else None
        if name is None:
            raise ModelError(f"its weight {argument} is computed; iopt knows weights that lie in the state dict")
        return name


@dataclass(frozen=True)
class Call:
    """One operator of the program, about to be read."""

    node: Node
    scope: Scope
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        return operator_name(self.node)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what it yields."""
        return tensor_shape(self.node)

    @property
    def value(self) -> Value:
        """The tensor it reads first."""
        return self.scope.value(self.arguments["input" if "input" in self.arguments else "self"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """That tensor's shape in PyTorch."""
        return tensor_shape(self.node.all_input_nodes[0])


def reader_name(node: Node) -> str:
    """`aten.relu.default` also for the operator that works in place."""
    return target_name(node).replace("_.", ".")


def pair(given: Any) -> tuple[int, int]:
    """(rows, columns) of a number or of a list of one or two."""
    sides = list(given) if isinstance(given, list | tuple) else [given]
    return int(sides[0]), int(sides[-1])
