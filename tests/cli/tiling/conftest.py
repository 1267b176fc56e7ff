"""A folder with small saved networks for `iopt tile`."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopt.graph import Graph
from iopt.graph import file as graph_file
from iopt.graph.file import graph_hash
from iopt.tiling import Host, HostModel, LayerTime, Problem, save_host
from tests.cli.conftest import Iopt
from tests.instances import chain, conv, linear, max_pool

DEEP: Graph = chain(
    "deep",
    (3, 24, 32),
    [
        conv(8, 3, padding=1),
        conv(8, 3, padding=1, pooling=max_pool(2)),
        conv(8, 3, padding=1),
        conv(4, 1, pooling=max_pool(2)),
    ],
)
"""Six layers; its front has many points."""
FLAT: Graph = chain("flat", (3, 16, 16), [conv(8, 3, padding=1, pooling=max_pool(2)), linear(10)])


def host_of(graph: Graph, bias_bytes: int | None = 2**20) -> Host:
    """A microsecond per cell, ten per call, two per tile, and one per KiB that is copied."""
    layers = (LayerTime((1.0, 1001.0), (1e-6, 1.001e-3)),) * len(Problem(graph).layers)
    return Host(graph.name, graph_hash(graph), HostModel(layers, call_s=1e-5, tile_s=2e-6, copy_s=1e-9), bias_bytes)


@pytest.fixture
def tile(iopt: Iopt) -> Iopt:
    """Runs `iopt tile ARGUMENTS` in a folder that holds `deep.json`, `flat.json` and the times of `deep`, host.json."""
    for graph in (DEEP, FLAT):
        graph_file.save(graph, Path(f"{graph.name}.json"))
    save_host(host_of(DEEP), "host.json")
    return lambda *arguments: iopt("tile", *arguments)
