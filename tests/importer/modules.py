"""Modules of the tests, and how they are imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from iopt.graph import Graph, Operator
from iopt.graph.layers import Activation
from iopt.importer import import_module
from tests.importer.interpreter import run

IMAGE = (1, 4, 9, 11)


class Wrapped(nn.Module):
    """Layers by name and a forward that is given as a function."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.function = forward

    def forward(self, image: torch.Tensor) -> Any:
        return self.function(self, image)


def wake(module: nn.Module) -> nn.Module:
    """Random running statistics and affine parameters, so that a forgotten batch norm shows."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            torch.nn.init.uniform_(tensor, 0.2, 1.0)
    return module


def imported(module: nn.Module, shape: tuple[int, ...] = IMAGE) -> Graph:
    """The graph, after a check that it computes what the module computes."""
    image = torch.rand(shape) - 0.5
    graph = import_module(wake(module), image, "net")
    expected = module.eval()(image.clone()).flatten(1)
    torch.testing.assert_close(run(graph, module.state_dict(), image), expected)
    return graph


def only(graph: Graph) -> Operator:
    (operator,) = graph
    return operator


def functions(operator: Operator) -> list[str]:
    """The epilogue in short: names of functions, kinds of other steps."""
    return [step.function if isinstance(step, Activation) else step.kind for step in operator.epilogue]
