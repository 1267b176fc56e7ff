"""Whether a module's graph is the one that a profile was measured on, and what differs where it is not."""

from __future__ import annotations

from typing import get_args

from iopt.errors import ModelError
from iopt.exits.blocks import Backbone, Granularity, backbone
from iopt.exits.network import ExitNetwork
from iopt.graph import Graph
from iopt.graph.file import graph_hash


def matching_backbone(graph: Graph, network: ExitNetwork, expected_hash: str | None) -> Backbone:
    """The blocks of a graph in the granularity of the network.

    `expected_hash`: of the graph that the network was cut from, where it is known. Raises `ModelError` that says what
    differs unless the two belong together.
    """
    found = [backbone(graph, granularity) for granularity in get_args(Granularity)]
    same = next((cut for cut in found if not _difference(cut, network)), None)
    if same is not None and expected_hash in (None, graph_hash(graph)):
        return same
    where = f"the module is not the one that profile {network.name!r} was measured on"
    if same is not None:
        raise ModelError(f"{where}: its blocks are as large, but its graph differs, in operators or their names")
    if all(len(cut.blocks) != len(network.blocks) for cut in found):
        blocks = " or ".join(str(len(cut.blocks)) for cut in found)
        raise ModelError(f"{where}: it has {blocks} blocks, the profile has {len(network.blocks)}")
    nearest = next(cut for cut in found if len(cut.blocks) == len(network.blocks))
    raise ModelError(f"{where}: {_difference(nearest, network)}")


def _difference(cut: Backbone, network: ExitNetwork) -> str:
    """The first thing in which they differ, in words; empty where they agree in operations, sizes and exits."""
    if len(cut.blocks) != len(network.blocks):
        return f"it has {len(cut.blocks)} blocks, the profile has {len(network.blocks)}"
    if cut.input_bits != network.input_bits:
        return f"its input has {cut.input_bits:,} bits, the profile's {network.input_bits:,.0f}"
    for number, (mine, known) in enumerate(zip(cut.blocks, network.blocks, strict=True), 1):
        for key, what in (("ops", "operations"), ("out_bits", "bits passed on"), ("weight_bytes", "bytes of weights")):
            if getattr(mine, key) != getattr(known, key):
                amounts = f"{getattr(mine, key):,.0f} {what}, the profile's {getattr(known, key):,.0f}"
                return f"its block {number} ({mine.name!r}) has {amounts}"
    sites = [(leave.name, leave.after) for leave in cut.exits], [(leave.name, leave.after) for leave in network.exits]
    if sites[0] != sites[1]:
        own, stated = (", ".join(f"{name!r} after block {after}" for name, after in exits) for exits in sites)
        return f"its exits are {own}; the profile's are {stated}"
    return ""
