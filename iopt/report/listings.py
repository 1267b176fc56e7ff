"""Networks and clusters as tables."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from iopt.cluster import Cluster, Medium
from iopt.report.console import print_table
from iopt.report.style import table
from iopt.report.units import milliseconds, rate, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


class Named(Protocol):
    """An entry of the zoo."""

    @property
    def name(self) -> str: ...
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    @property
    def description(self) -> str: ...
    @property
    def source(self) -> str: ...


def models_table(entries: Sequence[Named]) -> Table:
    grid = table()
    grid.add_column("model", no_wrap=True)
    grid.add_column("input", no_wrap=True)
    grid.add_column("description")
    grid.add_column("source", style="dim")
    for entry in entries:
        grid.add_row(entry.name, "x".join(map(str, entry.input_shape)), entry.description, entry.source)
    return grid


def clusters_table(descriptions: Mapping[str, str]) -> Table:
    """Names with their descriptions."""
    grid = table()
    grid.add_column("cluster", no_wrap=True)
    grid.add_column("description")
    for name, description in descriptions.items():
        grid.add_row(name, description)
    return grid


def print_cluster(console: Console, cluster: Cluster) -> None:
    """Devices with their links, and what holds for all of them."""
    network = cluster.network
    console.print(cluster.name, style="bold")
    print_table(console, _devices_table(cluster))
    if network.links:
        print_table(console, _links_table(cluster))
    shared = network.medium is Medium.SHARED
    channel = f" of {rate((network.bandwidth_bytes_per_s or 0) * 8, 'bit/s')}" if shared else ""
    source, sink = (cluster.devices[index].name for index in (cluster.source, cluster.sink))
    console.print(
        f"{network.medium} network{channel}, connections {milliseconds(network.connection_s)} ms per {network.charge}; "
        f"input on {source}, output on {sink}"
    )


def _devices_table(cluster: Cluster) -> Table:
    """A column for tier, power and energy only where a device has one."""
    devices, network = cluster.devices, cluster.network
    caps = ["none" if device.memory_bytes is None else size(device.memory_bytes) for device in devices]
    columns: dict[str, Sequence[str | None]] = {
        "tier": [device.tier for device in devices],
        "compute": [rate(device.flops_per_s, "FLOP/s") for device in devices],
        "memory cap": caps,
        "overhead ms": [milliseconds(device.overhead_s) for device in devices],
        "power": [None if device.power_w is None else rate(device.power_w, "W") for device in devices],
        "nJ/bit": [None if (e := device.energy_per_bit_j) is None else f"{e * 1e9:,.4g}" for device in devices],
    }
    if network.medium is not Medium.SHARED:
        columns["up"] = [rate(up * 8, "bit/s") for up in network.up_bytes_per_s]
        columns["down"] = [rate(down * 8, "bit/s") for down in network.down_bytes_per_s]
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    grid = table()
    grid.add_column("device", no_wrap=True)
    for name in columns:
        grid.add_column(name, justify="left" if name == "tier" else "right", no_wrap=True)
    for device, *cells in zip(devices, *columns.values(), strict=True):
        grid.add_row(device.name, *cells)
    return grid


def _links_table(cluster: Cluster) -> Table:
    """Links that do not follow from up and down, by tiers where there are any: a row per sender and rate."""
    groups = [device.tier or device.name for device in cluster.devices]
    rates: dict[tuple[str, str], Counter[str]] = {}
    for link in cluster.network.links:
        words = "none" if link.bytes_per_s is None else rate(link.bytes_per_s * 8, "bit/s")
        rates.setdefault((groups[link.sender], groups[link.receiver]), Counter())[words] += 1
    pairs = Counter(itertools.permutations(groups, 2))
    rows: dict[tuple[str, str], list[str]] = {}
    for (sender, receiver), found in sorted(rates.items(), key=lambda item: list(map(groups.index, item[0]))):
        total = pairs[sender, receiver]
        counts = [words if count == total else f"{words} ({count} of {total})" for words, count in found.items()]
        rows.setdefault((sender, ", ".join(counts)), []).append(receiver)
    grid = table()
    grid.add_column("links from", no_wrap=True)
    grid.add_column("to")
    grid.add_column("rate")
    for (sender, words), receivers in rows.items():
        grid.add_row(sender, ", ".join(receivers), words)
    return grid
