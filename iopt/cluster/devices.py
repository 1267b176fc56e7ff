"""The devices, and with the network between them the cluster, in SI units (s, byte, FLOP, W, J).

Intervals of a plan follow the order of the devices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from iopt.cluster.network import Medium, Network
from iopt.door.numbers import MOST_BYTES, is_number
from iopt.door.wording import hint, shown
from iopt.errors import ClusterError


@dataclass(frozen=True)
class Device:
    """`memory_bytes` None: no cap. `overhead_s` is added for every operator that the device works on.

    `power_w` is drawn while it computes, `energy_per_bit_j` spent on each bit that it sends or receives; None: unknown.
    """

    name: str
    flops_per_s: float
    memory_bytes: int | None = None
    overhead_s: float = 0.0
    tier: str | None = None
    power_w: float | None = None
    energy_per_bit_j: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ClusterError(f"device: name is {shown(self.name)}; expected text that is not empty")
        if not (is_number(self.flops_per_s) and self.flops_per_s > 0):
            self._refuse("flops_per_s", "a positive number")
        if self.memory_bytes is not None and type(self.memory_bytes) is not int:
            self._refuse("memory_bytes", "a whole number")
        if self.memory_bytes is not None and self.memory_bytes <= 0:
            self._refuse("memory_bytes", "a positive number")
        if self.memory_bytes is not None and self.memory_bytes > MOST_BYTES:
            self._refuse("memory_bytes", f"at most 2^53 ({MOST_BYTES:,})")
        if not (is_number(self.overhead_s) and self.overhead_s >= 0):
            self._refuse("overhead_s", "zero or more")
        if not isinstance(self.tier, str | None):
            self._refuse("tier", "a text")
        for key in ("power_w", "energy_per_bit_j"):
            value = getattr(self, key)
            if value is not None and not (is_number(value) and value >= 0):
                self._refuse(key, "zero or more")

    def _refuse(self, key: str, expected: str) -> NoReturn:
        raise ClusterError(f"device {self.name!r}: {key} is {shown(getattr(self, key))}; expected {expected}")


@dataclass(frozen=True)
class Cluster:
    """`source` holds the network's input, `sink` must end up with the output; both are indices into `devices`.

    `tiers`: names from low to high; every device has one of them, or there are none.
    """

    name: str
    devices: tuple[Device, ...]
    network: Network
    source: int = 0
    sink: int = 0
    tiers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_kinds()
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
            index = getattr(self, key)
            if type(index) is not int or not 0 <= index < len(names):
                place = f": {index!r} is devices[{names.index(index)}]" if index in names else ""
                raise ClusterError(
                    f"cluster {self.name!r}: {key} is {shown(index)}; expected 0 ... {len(names) - 1}{place}"
                )
        try:
            self.network.check_links(len(names))
            check_tiers(self.tiers, ((f"devices[{index}]", device.tier) for index, device in enumerate(self.devices)))
        except ClusterError as error:
            raise ClusterError(f"cluster {self.name!r}: {error}") from None

    def _check_kinds(self) -> None:
        """A list of devices becomes a tuple."""
        if not isinstance(self.devices, tuple | list):
            raise ClusterError(f"cluster {self.name!r}: devices is {shown(self.devices)}; expected a tuple of them")
        object.__setattr__(self, "devices", tuple(self.devices))
        for index, device in enumerate(self.devices):
            if not isinstance(device, Device):
                raise ClusterError(f"cluster {self.name!r}: devices[{index}] is {shown(device)}; expected a Device")
        if not isinstance(self.network, Network):
            raise ClusterError(f"cluster {self.name!r}: network is {shown(self.network)}; expected a Network")

    def __len__(self) -> int:
        return len(self.devices)

    @cached_property
    def tier_of(self) -> tuple[int, ...]:
        """Per device the index of its tier; all 0 without tiers."""
        return tuple(0 if device.tier is None else self.tiers.index(device.tier) for device in self.devices)

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


def check_tiers(tiers: Sequence[str], devices: Iterable[tuple[str, str | None]]) -> None:
    """Raises `ClusterError` unless the names are unique and every device, given as its key path and its tier, has one
    of them where there are any."""
    twice = next((tier for index, tier in enumerate(tiers) if tier in tiers[:index]), None)
    if twice is not None:
        raise ClusterError(f"tiers: {twice!r} occurs twice; expected unique names")
    known = ", ".join(map(repr, tiers))
    for path, tier in devices:
        if tier is None and tiers:
            raise ClusterError(f"{path}.tier: missing; expected one of {known}")
        if tier is not None and not tiers:
            raise ClusterError(f"{path}.tier: got {tier!r}, but there are no tiers; expected a list of all of them")
        if tier is not None and tier not in tiers:
            raise ClusterError(f"{path}.tier: expected one of {known}, got {tier!r}{hint(tier, tiers)}")
