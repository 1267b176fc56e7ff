"""Weights and inputs drawn at random, tensor by tensor: every rank draws the same, and keeps its part."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

import torch

from iopt.graph import Graph
from iopt.graph.state import expected_shapes
from iopt.partition.plan import Interval
from iopt.partition.runtime.weights import Weights

BLOCK = 2**22
"""Numbers drawn at once, at least."""


class RandomWeights(Weights):
    """He-normal weights, biases of deviation 0.1, batch norms that scale by 1 and something.

    A tensor depends on its name and the seed alone. Biases are not zero, so that one that is forgotten or added twice
    shows.
    """

    def __init__(self, graph: Graph, seed: int, on_block: Callable[[], None] = lambda: None) -> None:
        """`on_block` is called before each few million numbers that are drawn."""
        self._shapes, self._seed, self._on_block = expected_shapes(graph), seed, on_block

    def part(self, name: str, ranges: Sequence[Interval]) -> torch.Tensor:
        return self.whole(name)[tuple(slice(*each) for each in ranges)].clone(memory_format=torch.contiguous_format)

    def whole(self, name: str) -> torch.Tensor:
        """The tensor of that name."""
        shape = self._shapes[name]
        drawn = self._drawn(shape, _generator(self._seed, name))
        if len(shape) > 1:
            return drawn.mul_(math.sqrt(2 / math.prod(shape[1:])))
        if name.endswith("running_var"):
            return drawn.abs_().add_(0.5)
        is_scale = name.endswith("weight")
        return drawn.mul_(0.1).add_(1.0 if is_scale else 0.0)

    def _drawn(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Normal, and as `torch.randn` draws them at once: blocks are of whole vectors, and the last has the rest."""
        drawn = torch.empty(shape)
        blocks = max(1, drawn.numel() // BLOCK)
        for number in range(blocks):
            self._on_block()
            last = BLOCK * (number + 1) if number + 1 < blocks else drawn.numel()
            drawn.view(-1)[BLOCK * number : last].normal_(generator=generator)
        return drawn

    def shape(self, name: str) -> tuple[tuple[int, ...], str] | None:
        return (self._shapes[name], "F32") if name in self._shapes else None

    def state(self) -> dict[str, torch.Tensor]:
        """All of them."""
        return {name: self.whole(name) for name in self._shapes}


def random_input(graph: Graph, seed: int) -> torch.Tensor:
    """`channels x height x width`, normal."""
    return torch.randn(tuple(graph.input_shape), generator=_generator(seed, "input"))


def _generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
