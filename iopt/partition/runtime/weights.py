"""Where weights come from, by slices: a safetensors file, of which only those are read, or tensors at hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from iopt.graph import Graph
from iopt.graph.layers import Shape
from iopt.graph.state import Found, check_shapes
from iopt.partition.plan import Interval
from iopt.tensor_files import open_weights

BLOCK_BYTES = 2**24
"""How much of a weight is read at once where columns are picked from all over it."""


class Weights(ABC):
    """Tensors of a state dict by name, in parts."""

    @abstractmethod
    def part(self, name: str, ranges: Sequence[Interval]) -> torch.Tensor:
        """A new tensor: these ranges of the first dimensions, and all of the others."""

    @abstractmethod
    def shape(self, name: str) -> Found:
        """Shape and type of a tensor (`F32`), None where there is none."""

    def columns(self, name: str, channels: Interval, before: Shape, rows: Interval) -> torch.Tensor:
        """Columns of a linear weight that belong to `rows` of the tensor before a flatten, channel by channel."""
        lo, hi = channels
        width = (rows[1] - rows[0]) * before.width
        result = torch.empty(hi - lo, before.channels * width)
        step = max(1, BLOCK_BYTES // (4 * before.elements))
        for first in range(lo, hi, step):
            last = min(first + step, hi)
            block = self.part(name, ((first, last),)).reshape(-1, before.channels, before.height, before.width)
            result[first - lo : last - lo] = block[:, :, slice(*rows)].reshape(last - first, -1)
        return result


class StateWeights(Weights):
    """Of a state dict; its tensors stay as they are."""

    def __init__(self, state: Mapping[str, torch.Tensor]) -> None:
        self._state = state

    def part(self, name: str, ranges: Sequence[Interval]) -> torch.Tensor:
        return (
            self._state[name]
            .detach()[tuple(slice(*each) for each in ranges)]
            .clone(memory_format=torch.contiguous_format)
        )

    def shape(self, name: str) -> Found:
        tensor = self._state.get(name)
        if tensor is None:
            return None
        return tuple(tensor.shape), "F32" if tensor.dtype == torch.float32 else str(tensor.dtype)


class FileWeights(Weights):
    """Of a safetensors file; a context. Raises `ModelError` for a file that is none."""

    def __init__(self, path: str | Path) -> None:
        self._file = open_weights(path)
        self._names = frozenset(map(str, self._file.keys()))

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def part(self, name: str, ranges: Sequence[Interval]) -> torch.Tensor:
        mapped: torch.Tensor = self._file.get_slice(name)[tuple(slice(*each) for each in ranges)]
        return mapped.clone(memory_format=torch.contiguous_format)

    def shape(self, name: str) -> Found:
        if name not in self._names:
            return None
        found = self._file.get_slice(name)
        return tuple(found.get_shape()), str(found.get_dtype())


class Heard(Weights):
    """Others, with a call before each part that is read."""

    def __init__(self, weights: Weights, on_part: Callable[[], None]) -> None:
        self._weights, self._on_part = weights, on_part

    def part(self, name: str, ranges: Sequence[Interval]) -> torch.Tensor:
        self._on_part()
        return self._weights.part(name, ranges)

    def shape(self, name: str) -> Found:
        return self._weights.shape(name)


def check_weights(graph: Graph, weights: Weights, where: str) -> None:
    """Raise `ModelError`, beginning with `where`, unless every weight of the network is there in its shape, in fp32."""
    check_shapes(graph, weights.shape, where)
