"""What cluster files may hold: the YAML form that people write, and the SI form that plan files embed.

Quantities of the YAML form are texts with a unit and arrive here as numbers in byte, FLOP, second and joule. The JSON
schema of the YAML form, for editors, is `iopt/cluster/cluster.schema.json`; `make schema` writes it from these models.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from iopt.cluster import Charge, LinkRate, Medium
from iopt.door import units
from iopt.door.quantities import (
    PER_UNIT,
    UNIT,
    Bandwidth,
    ComputeRate,
    Duration,
    EnergyPerBit,
    Power,
    editor_schema,
    number,
    text,
)
from iopt.door.strict import Strict

MAX_COUNT = 256


def _memory(value: object) -> int | None:
    if isinstance(value, str) and value.strip().casefold() == "none":
        return None
    return math.floor(units.within(value, units.SIZE))


def _link(value: object) -> float | None:
    if isinstance(value, str) and value.strip().casefold() == "none":
        return None
    return number(units.BANDWIDTH, value)


Memory = Annotated[int | None, BeforeValidator(_memory), text(units.SIZE, UNIT, otherwise="|^none$")]
LinkBandwidth = Annotated[float | None, BeforeValidator(_link), text(units.BANDWIDTH, PER_UNIT, otherwise="|^none$")]
Name = Annotated[str, Field(min_length=1)]


class DeviceEntry(Strict):
    """A device of a cluster file, or `count` equal ones."""

    name: Name = Field(description="unique; with a count of 4, pi becomes pi-1 ... pi-4")
    compute: ComputeRate = Field(
        description="effective rate on convolutions, not the peak", examples=[units.COMPUTE.example]
    )
    memory: Memory = Field(None, description="what a plan may use; absent or none: no cap")
    overhead: Duration = Field(0.0, description="added for every operator the device works on; default: 0 s")
    up: Bandwidth | None = Field(None, description="overrides network.bandwidth")
    down: Bandwidth | None = Field(None, description="overrides network.bandwidth")
    tier: Name | None = Field(None, description="one of tiers; every device needs one, or none has one")
    power: Power | None = Field(None, description="drawn while it computes")
    energy: EnergyPerBit | None = Field(None, description="spent on each bit that it sends or receives")
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = Field(None, description="so many devices like this one")


class LinkEntry(Strict):
    """A pair of devices, or all pairs of two groups, whose rate does not follow from up and down."""

    sender: Name = Field(
        alias="from", description="a device, a device entry with a count or a tier: all of its devices"
    )
    receiver: Name = Field(alias="to", description="likewise")
    bandwidth: LinkBandwidth = Field(description="none: there is no such link", examples=[units.BANDWIDTH.example])
    both: bool = Field(False, description="the way back too; default: false")


class NetworkEntry(Strict):
    """The network between the devices."""

    medium: Annotated[Medium, Field(strict=False)] = Field(
        Medium.SWITCHED, description="switched (default): a full-duplex link per device; shared: one channel for all"
    )
    bandwidth: Bandwidth | None = Field(None, description="of every link, or of the shared channel")
    connection: Duration = Field(description="what opening connections costs", examples=[units.TIME.example])
    charge: Annotated[Charge, Field(strict=False)] = Field(
        Charge.PHASE, description="connection is paid once a phase (default), or once per peer of the busiest device"
    )
    link_rate: Annotated[LinkRate, Field(strict=False)] = Field(
        LinkRate.MIN,
        description="rate between two devices, for placements of exits: min (default) of the sender's up and the "
        "receiver's down; receiver: its down alone",
    )
    links: list[LinkEntry] = Field([], description="links that differ; a later entry overrides an earlier one")


class ClusterFile(Strict):
    """A cluster of devices for iopt."""

    name: Name | None = Field(None, description="default: the file's name")
    description: str | None = Field(None, description="one line for people")
    tiers: list[Name] = Field([], description="names of the tiers, from low to high")
    devices: list[DeviceEntry] = Field(min_length=1, description="in the order in which plans number them")
    network: NetworkEntry
    source: Name | None = Field(None, description="the device that holds the input; default: the first")
    sink: Name | None = Field(None, description="the device that must end up with the output; default: the first")


class DeviceData(Strict):
    """`iopt.cluster.Device` as JSON."""

    name: str
    flops_per_s: float
    memory_bytes: int | None
    overhead_s: float
    tier: str | None = None
    power_w: float | None = None
    energy_per_bit_j: float | None = None


Rates = Annotated[tuple[float, ...], Field(strict=False)]  # a list in JSON


class LinkData(Strict):
    """`iopt.cluster.Link` as JSON; `sender` and `receiver` are device names."""

    sender: str
    receiver: str
    bytes_per_s: float | None


class NetworkData(Strict):
    """`iopt.cluster.Network` as JSON."""

    connection_s: float
    up_bytes_per_s: Rates
    down_bytes_per_s: Rates
    bandwidth_bytes_per_s: float | None
    charge: Annotated[Charge, Field(strict=False)]
    medium: Annotated[Medium, Field(strict=False)]
    links: list[LinkData] = Field([])
    link_rate: Annotated[LinkRate, Field(strict=False)] = LinkRate.MIN


class ClusterData(Strict):
    """`iopt.cluster.Cluster` as JSON; `source` and `sink` are device names."""

    name: str
    tiers: list[str] = Field([])
    devices: list[DeviceData] = Field(min_length=1)
    network: NetworkData
    source: str
    sink: str


def json_schema() -> dict[str, Any]:
    """The JSON schema of the YAML form."""
    return editor_schema(ClusterFile)


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
