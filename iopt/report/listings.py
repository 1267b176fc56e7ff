"""Networks and clusters as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from iopt.cluster import Cluster, Medium
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
    network, shared = cluster.network, cluster.network.medium is Medium.SHARED
    console.print(cluster.name, style="bold")
    grid = table()
    grid.add_column("device", no_wrap=True)
    for name in ("compute", "memory cap", "overhead ms", *(() if shared else ("up", "down"))):
        grid.add_column(name, justify="right", no_wrap=True)
    for index, device in enumerate(cluster.devices):
        cap = "none" if device.memory_bytes is None else size(device.memory_bytes)
        sides = () if shared else (network.up_bytes_per_s, network.down_bytes_per_s)
        links = (rate(side[index] * 8, "bit/s") for side in sides)
        compute = rate(device.flops_per_s, "FLOP/s")
        grid.add_row(device.name, compute, cap, milliseconds(device.overhead_s), *links)
    console.print(grid)
    channel = f" of {rate((network.bandwidth_bytes_per_s or 0) * 8, 'bit/s')}" if shared else ""
    source, sink = (cluster.devices[index].name for index in (cluster.source, cluster.sink))
    console.print(
        f"{network.medium} network{channel}, connections {milliseconds(network.connection_s)} ms per {network.charge}; "
        f"input on {source}, output on {sink}"
    )
