"""What a run of a placement counted: who left where, what nodes computed and links carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from iopt.errors import ClusterError


class Powered(Protocol):
    """A device whose energy can be counted."""

    @property
    def name(self) -> str: ...
    @property
    def flops_per_s(self) -> float: ...
    @property
    def power_w(self) -> float | None: ...
    @property
    def energy_per_bit_j(self) -> float | None: ...


class Timed(Protocol):
    """A device whose time can be counted."""

    @property
    def flops_per_s(self) -> float: ...
    @property
    def overhead_s(self) -> float: ...


@dataclass(frozen=True)
class Execution:
    """Counts over all `samples` of a run.

    `leaving`: samples per exit of the network, those that are not deployed included; `correct`: right answers.
    `ops_by_node`: operations of blocks by device index; `bits_by_link`: bits by (from, to). `blocks_by_node` and
    `tensors_by_link`: blocks run and tensors sent, one per sample each.
    """

    samples: int
    correct: int
    leaving: tuple[int, ...]
    ops_by_node: Mapping[int, float]
    bits_by_link: Mapping[tuple[int, int], int]
    blocks_by_node: Mapping[int, int]
    tensors_by_link: Mapping[tuple[int, int], int]

    @property
    def accuracy(self) -> float:
        return self.correct / self.samples

    @property
    def fractions(self) -> tuple[float, ...]:
        """Of all samples that left at each exit."""
        return tuple(count / self.samples for count in self.leaving)

    def latency_s(self, devices: Sequence[Timed], rates: NDArray[np.float64], connection_s: float) -> float:
        """Mean latency of a sample: operations at the rates of the `devices`, in the plan's order, and bits at those of
        the links, `rates` [from, to] bit/s, with overheads and connections.

        Infinite over a link that does not exist.
        """
        computing = sum(
            ops / devices[node].flops_per_s + self.blocks_by_node[node] * devices[node].overhead_s
            for node, ops in self.ops_by_node.items()
        )
        sending = sum(
            (bits / float(rates[link]) if rates[link] > 0 else inf) + self.tensors_by_link[link] * connection_s
            for link, bits in self.bits_by_link.items()
        )
        return (computing + sending) / self.samples

    def energy_j(self, devices: Sequence[Powered]) -> float:
        """Mean energy of a sample: P/C per operation, and both ends' energy per bit. `devices` in the plan's order.

        Raises `ClusterError` for a device that took part and has no power or energy per bit.
        """
        computing = sum(
            ops * _known(devices[node], "power_w") / devices[node].flops_per_s for node, ops in self.ops_by_node.items()
        )
        sending = sum(
            bits * sum(_known(devices[end], "energy_per_bit_j") for end in link)
            for link, bits in self.bits_by_link.items()
        )
        return (computing + sending) / self.samples


def _known(device: Powered, key: str) -> float:
    value: float | None = getattr(device, key)
    if value is None:
        raise ClusterError(f"device {device.name!r} has no {key}; energy cannot be counted")
    return value
