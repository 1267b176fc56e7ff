"""The devices and the network between them, in SI units (s, byte, FLOP).

Intervals of a plan follow the order of the devices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from numbers import Real
from pathlib import Path
from typing import NoReturn

from iopt.door.wording import shown
from iopt.errors import ClusterError


class Charge(StrEnum):
    """What connections cost in a phase: `tau` once (they open in parallel), or once per distinct peer of the busiest
    device."""

    PHASE = "phase"
    PEER = "peer"


class Medium(StrEnum):
    """A full-duplex switch with a link per device, or one radio channel that everybody shares."""

    SWITCHED = "switched"
    SHARED = "shared"


def _is_number(value: object) -> bool:
    """A finite one; true and false are none."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


@dataclass(frozen=True)
class Device:
    """`memory_bytes` None: no cap. `overhead_s` is added for every operator that the device works on."""

    name: str
    flops_per_s: float
    memory_bytes: int | None = None
    overhead_s: float = 0.0

    def __post_init__(self) -> None:
        if not (_is_number(self.flops_per_s) and self.flops_per_s > 0):
            self._refuse("flops_per_s", "a positive number")
        if self.memory_bytes is not None and type(self.memory_bytes) is not int:
            self._refuse("memory_bytes", "a whole number")
        if self.memory_bytes is not None and self.memory_bytes <= 0:
            self._refuse("memory_bytes", "a positive number")
        if not (_is_number(self.overhead_s) and self.overhead_s >= 0):
            self._refuse("overhead_s", "zero or more")

    def _refuse(self, key: str, expected: str) -> NoReturn:
        raise ClusterError(f"device {self.name!r}: {key} is {shown(getattr(self, key))}; expected {expected}")


@dataclass(frozen=True)
class Network:
    """Links of the devices in their order. `up` and `down` count on a switched medium, `bandwidth` on a shared one."""

    connection_s: float
    up_bytes_per_s: tuple[float, ...] = ()
    down_bytes_per_s: tuple[float, ...] = ()
    bandwidth_bytes_per_s: float | None = None
    charge: Charge = Charge.PHASE
    medium: Medium = Medium.SWITCHED

    def __post_init__(self) -> None:
        if not (_is_number(self.connection_s) and self.connection_s >= 0):
            raise ClusterError(f"network: connection_s is {shown(self.connection_s)}; expected zero or more")
        rates = [*self.up_bytes_per_s, *self.down_bytes_per_s]
        if self.medium is Medium.SHARED:
            if self.bandwidth_bytes_per_s is None:
                raise ClusterError("network: a shared medium needs bandwidth_bytes_per_s")
            rates.append(self.bandwidth_bytes_per_s)
        if any(not (_is_number(rate) and rate > 0) for rate in rates):
            raise ClusterError("network: every bandwidth must be a positive number")


@dataclass(frozen=True)
class Cluster:
    """`source` holds the network's input, `sink` must end up with the output; both are indices into `devices`."""

    name: str
    devices: tuple[Device, ...]
    network: Network
    source: int = 0
    sink: int = 0

    def __post_init__(self) -> None:
        names = [device.name for device in self.devices]
        if not names:
            raise ClusterError(f"cluster {self.name!r} has no devices; expected at least one")
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ClusterError(f"cluster {self.name!r}: device names appear twice: {', '.join(sorted(twice))}")
        if self.network.medium is Medium.SWITCHED:
            for key in ("up_bytes_per_s", "down_bytes_per_s"):
                if len(getattr(self.network, key)) != len(names):
                    raise ClusterError(
                        f"cluster {self.name!r}: network.{key} has {len(getattr(self.network, key))} entries "
                        f"for {len(names)} devices"
                    )
        for key in ("source", "sink"):
            if not 0 <= getattr(self, key) < len(names):
                raise ClusterError(
                    f"cluster {self.name!r}: {key} is {getattr(self, key)}; expected 0 ... {len(names) - 1}"
                )

    def __len__(self) -> int:
        return len(self.devices)

    @staticmethod
    def load(source: str | Path) -> Cluster:
        """A preset by name (`iopt clusters` lists them) or a YAML file. Raises `ClusterError`."""
        from iopt.cluster.file import load

        return load(source)

    def with_memory(self, memory_bytes: tuple[int | None, ...]) -> Cluster:
        """The same cluster with other memory caps, one per device. Raises `ClusterError`."""
        if not isinstance(memory_bytes, tuple | list) or len(memory_bytes) != len(self):
            got = shown(memory_bytes)
            raise ClusterError(f"cluster {self.name!r}: expected {len(self)} memory caps, one per device, got {got}")
        devices = tuple(
            replace(device, memory_bytes=cap) for device, cap in zip(self.devices, memory_bytes, strict=True)
        )
        return replace(self, devices=devices)
