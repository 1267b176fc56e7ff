"""Host files: what `iopt tile profile` measured of a machine, for a network's latency."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopt.door import json_file
from iopt.door.given import check_kind
from iopt.errors import IoptError, ModelError
from iopt.graph import Graph
from iopt.graph.file import graph_hash
from iopt.tiling.instance import host_of, host_to_dict
from iopt.tiling.latency import HostModel
from iopt.tiling.layers import layers_of

if TYPE_CHECKING:
    from iopt.tiling.files.host_schema import HostData


@dataclass(frozen=True)
class Machine:
    """What was measured, and how: `machine` in words, times `repeat` times. Latencies were fitted to so many
    configurations; errors are those of others, None where there were none."""

    machine: str
    torch: str
    threads: int
    executor: str
    repeat: int
    fitted: int
    median_error: float | None
    worst_error: float | None


@dataclass(frozen=True)
class Host:
    """`model`: of the network of this name and graph. `bias_bytes`: what exists besides tensors, None if not known."""

    network: str
    graph_hash: str
    model: HostModel
    bias_bytes: int | None = None
    measured: Machine | None = None


def load_host(path: str | Path, graph: Graph) -> Host:
    """The host of a file, which has to be of this network, by whatever name.

    Raises `ModelError` with one line: file, key, what was expected.
    """
    check_kind(graph, Graph, "network", "iopt.load")
    host = from_data(json_file.read(path, ModelError), str(path))
    if host.graph_hash != graph_hash(graph):
        raise ModelError(
            f"{path}: the host's times are of the network {host.network!r}; expected those of {graph.name!r} "
            f"on an input of 1x{graph.input_shape}"
        )
    if (count := len(layers_of(graph))) != len(host.model.layers):
        raise ModelError(f"{path}: model.layers: {len(host.model.layers)} entries; expected {count}, one per layer")
    return host


def save_host(host: Host, path: str | Path) -> None:
    """Write a host file, whole or not at all. Raises `IoptError` where it cannot be written, or is of no host."""
    check_kind(host, Host, "host", how="`iopt tile profile` measures one")
    check_kind(host.model, HostModel, "model of the host")
    if host.measured is not None:
        check_kind(host.measured, Machine, "measured of the host")
    data = to_dict(host)
    _validated(data, "host")
    json_file.write(path, data)


def to_dict(host: Host) -> dict[str, Any]:
    """The host as JSON data; `from_data` gives it back, equal."""
    from iopt.tiling.files.host_schema import SCHEMA

    return {
        "schema": SCHEMA,
        "network": host.network,
        "graph_hash": host.graph_hash,
        "model": host_to_dict(host.model),
        "bias_bytes": host.bias_bytes,
        "measured": None if host.measured is None else asdict(host.measured),
    }


def from_data(data: object, where: str) -> Host:
    """The host of `to_dict`'s data. Raises `ModelError` that begins with `where` and names the key."""
    read = _validated(data, where)
    try:
        model = host_of(read.model.model_dump())
    except IoptError as error:
        raise ModelError(f"{where}: model: {error}") from None
    measured = None if read.measured is None else Machine(**read.measured.model_dump())
    return Host(read.network, read.graph_hash, model, read.bias_bytes, measured)


def _validated(data: object, where: str) -> HostData:
    from iopt.door.validation import validated
    from iopt.tiling.files.host_schema import SCHEMA, HostData

    return validated(data, HostData, SCHEMA, where, ModelError)
