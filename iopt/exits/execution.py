"""What a run of a placement counted: who left where, what nodes computed and links carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True)
class Execution:
    """Counts over all `samples` of a run.

    `leaving`: samples per exit of the network, those that are not deployed included; `correct`: right answers.
    `ops_by_node`: operations of blocks by device index; `bits_by_link`: bits by (from, to).
    """

    samples: int
    correct: int
    leaving: tuple[int, ...]
    ops_by_node: Mapping[int, float]
    bits_by_link: Mapping[tuple[int, int], int]

    @property
    def accuracy(self) -> float:
        return self.correct / self.samples

    @property
    def fractions(self) -> tuple[float, ...]:
        """Of all samples that left at each exit."""
        return tuple(count / self.samples for count in self.leaving)

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
