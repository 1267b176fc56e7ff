"""A validated cluster file to a `Cluster`: counts, defaults, and what one key says of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iopt.cluster import Cluster, Device, Link, Medium, Network
from iopt.cluster.devices import check_tiers
from iopt.cluster.links import Ends, links
from iopt.cluster.schema import ClusterFile, DeviceEntry, NetworkEntry
from iopt.door.units import BANDWIDTH
from iopt.door.wording import hint, shown
from iopt.errors import ClusterError


@dataclass(frozen=True)
class _Named:
    """A device with its entry, and the key path of that for messages."""

    name: str
    entry: DeviceEntry
    path: str


def build(file: ClusterFile, name: str) -> Cluster:
    """The cluster of a file; `name` is for one that gives none. Raises `ClusterError` that begins with the key path."""
    entries = _named_entries(file.devices)
    names = [entry.name for entry in entries]
    check_tiers(file.tiers, ((named.path, named.entry.tier) for named in entries))
    ends = Ends.of([(named.name, named.entry) for named in entries], file.tiers)
    return Cluster(
        name=file.name or name,
        devices=tuple(_device(named) for named in entries),
        network=_network(file.network, entries, links(file.network.links, ends)),
        source=index_of(names, file.source, "source"),
        sink=index_of(names, file.sink, "sink"),
        tiers=tuple(file.tiers),
    )


def index_of(names: Sequence[str], name: str | None, key: str) -> int:
    """The index of the device of this name, 0 for None. Raises `ClusterError` that begins with `key`."""
    if name is None:
        return 0
    if name not in names:
        raise ClusterError(f"{key}: no device is named {name!r}{hint(name, names)} (devices: {shown(names)[1:-1]})")
    return names.index(name)


def _named_entries(devices: Sequence[DeviceEntry]) -> list[_Named]:
    """The devices one by one, those with a count too."""
    found: dict[str, _Named] = {}
    for index, entry in enumerate(devices):
        path = f"devices[{index}]"
        numbers = [""] if entry.count is None else [f"-{number}" for number in range(1, entry.count + 1)]
        for name in (entry.name + number for number in numbers):
            if name in found:
                raise ClusterError(
                    f"{path}.name: {name!r} is also the name of {found[name].path}; expected unique names"
                )
            found[name] = _Named(name, entry, path)
    return list(found.values())


def _device(named: _Named) -> Device:
    entry = named.entry
    return Device(
        named.name,
        entry.compute,
        entry.memory,
        entry.overhead,
        tier=entry.tier,
        power_w=entry.power,
        energy_per_bit_j=entry.energy,
    )


def _network(network: NetworkEntry, entries: Sequence[_Named], links: tuple[Link, ...]) -> Network:
    if network.medium is Medium.SHARED:
        if links:
            raise ClusterError("network.links: a shared medium has no links; expected network.bandwidth only")
        return Network(
            network.connection,
            bandwidth_bytes_per_s=_channel(network, entries),
            charge=network.charge,
            medium=Medium.SHARED,
        )
    return Network(
        network.connection,
        up_bytes_per_s=tuple(_rate(named, "up", network.bandwidth) for named in entries),
        down_bytes_per_s=tuple(_rate(named, "down", network.bandwidth) for named in entries),
        charge=network.charge,
        links=links,
        link_rate=network.link_rate,
    )


def _channel(network: NetworkEntry, entries: Sequence[_Named]) -> float:
    for named in entries:
        for key in ("up", "down"):
            if getattr(named.entry, key) is not None:
                raise ClusterError(f"{named.path}.{key}: a shared medium has no links; expected network.bandwidth only")
    if network.bandwidth is None:
        raise ClusterError(f"network.bandwidth: missing; expected for example '{BANDWIDTH.example}'")
    return network.bandwidth


def _rate(named: _Named, key: str, default: float | None) -> float:
    own: float | None = getattr(named.entry, key)
    rate = default if own is None else own
    if rate is None:
        raise ClusterError(
            f"{named.path}.{key}: missing; expected it here or as network.bandwidth, for example '{BANDWIDTH.example}'"
        )
    return rate
