"""Clusters from files: the YAML form with units, the presets, and the SI form that plan files embed.

pydantic, PyYAML and pint are imported when a file is read: importing iopt stays fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopt.cluster import Cluster, Device, Link, LinkRate, Network
from iopt.door.reason import unreadable
from iopt.door.wording import hint, shown
from iopt.errors import ClusterError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from iopt.cluster.schema import ClusterFile


def load(source: str | Path) -> Cluster:
    """The preset of this name, or the cluster of a YAML file (a `Path` is always a file).

    Raises `ClusterError` with one line: file, key path, what was expected, what was there.
    """
    if not isinstance(source, str | Path) or source == "":
        raise ClusterError(f"expected a preset or a file, got {shown(source)} (presets: {', '.join(preset_names())})")
    if isinstance(source, str) and source in preset_names():
        return from_yaml(_preset_text(source), f"preset {source}", source)
    return from_yaml(_read(source), str(source), Path(source).stem)


def from_yaml(text: str, where: str, name: str) -> Cluster:
    """The cluster of a YAML text; `name` is for a text that gives none.

    Raises `ClusterError` that begins with `where`.
    """
    from iopt.cluster.build import build

    file = _parse(text, where)
    try:
        return build(file, name)
    except ClusterError as error:
        raise ClusterError(f"{where}: {error}") from None


def presets() -> dict[str, str]:
    """Name and description of the clusters that come with iopt."""
    return {name: _parse(_preset_text(name), f"preset {name}").description or "" for name in preset_names()}


def to_dict(cluster: Cluster) -> dict[str, Any]:
    """The cluster as JSON data in SI units, with devices by name; `from_dict` gives it back, equal.

    Tiers, power, energy, links and their rule are there only where they are set: other clusters keep their hashes.
    """
    network, names = cluster.network, [device.name for device in cluster.devices]
    links = [
        {"sender": names[link.sender], "receiver": names[link.receiver], "bytes_per_s": link.bytes_per_s}
        for link in network.links
    ]
    return {
        "name": cluster.name,
        **({"tiers": list(cluster.tiers)} if cluster.tiers else {}),
        "devices": [_device_to_dict(device) for device in cluster.devices],
        "network": {
            "connection_s": network.connection_s,
            "up_bytes_per_s": list(network.up_bytes_per_s),
            "down_bytes_per_s": list(network.down_bytes_per_s),
            "bandwidth_bytes_per_s": network.bandwidth_bytes_per_s,
            "charge": network.charge.value,
            "medium": network.medium.value,
            **({"links": links} if links else {}),
            **({"link_rate": network.link_rate.value} if network.link_rate is not LinkRate.MIN else {}),
        },
        "source": names[cluster.source],
        "sink": names[cluster.sink],
    }


def normal_dict(cluster: Cluster) -> dict[str, Any]:
    """`to_dict` with rates and times as floats, also where Python code gave `flops_per_s=10**9`: equal clusters, equal
    hashes."""
    return to_dict(from_dict(to_dict(cluster), "cluster"))


def _device_to_dict(device: Device) -> dict[str, Any]:
    optional = {"tier": device.tier, "power_w": device.power_w, "energy_per_bit_j": device.energy_per_bit_j}
    return {
        "name": device.name,
        "flops_per_s": device.flops_per_s,
        "memory_bytes": device.memory_bytes,
        "overhead_s": device.overhead_s,
        **{key: value for key, value in optional.items() if value is not None},
    }


def from_dict(data: object, where: str) -> Cluster:
    """The cluster of `to_dict`'s data. Raises `ClusterError` that begins with `where`, such as `plan.json: cluster`."""
    from pydantic import ValidationError

    from iopt.cluster.build import index_of
    from iopt.cluster.schema import ClusterData
    from iopt.door.validation import explain

    try:
        read = ClusterData.model_validate(data)
    except ValidationError as error:
        raise ClusterError(f"{where}: {explain(error, ClusterData)}") from None
    names = [device.name for device in read.devices]
    try:
        links = tuple(
            Link(
                index_of(names, link.sender, f"network.links[{index}].sender"),
                index_of(names, link.receiver, f"network.links[{index}].receiver"),
                link.bytes_per_s,
            )
            for index, link in enumerate(read.network.links)
        )
        return Cluster(
            name=read.name,
            devices=tuple(Device(**device.model_dump()) for device in read.devices),
            network=Network(**read.network.model_dump(exclude={"links"}), links=links),
            source=index_of(names, read.source, "source"),
            sink=index_of(names, read.sink, "sink"),
            tiers=tuple(read.tiers),
        )
    except ClusterError as error:
        raise ClusterError(f"{where}: {error}") from None


def preset_names() -> list[str]:
    """The names alone, without reading the files."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _presets().iterdir() if entry.name.endswith(".yaml"))


def _preset_text(name: str) -> str:
    return (_presets() / f"{name}.yaml").read_text(encoding="utf-8")


def _presets() -> Traversable:
    from importlib.resources import files

    return files("iopt.cluster") / "presets"


def _read(source: str | Path) -> str:
    try:
        return Path(source).read_text(encoding="utf-8")
    except FileNotFoundError:
        if isinstance(source, Path) or Path(source).suffix or Path(source).name != source:
            raise ClusterError(f"{source}: cannot be read: there is no such file") from None
        names = preset_names()
        raise ClusterError(
            f"{source}: neither a preset nor a file{hint(source, names)} (presets: {', '.join(names)})"
        ) from None
    except UnicodeDecodeError as error:
        raise ClusterError(f"{source}: not a text file: byte {error.start} is not UTF-8") from None
    except (OSError, ValueError) as error:
        reason = unreadable(error) if isinstance(error, OSError) else error
        raise ClusterError(f"{shown(str(source))}: cannot be read: {reason}") from None


def _parse(text: str, where: str) -> ClusterFile:
    from pydantic import ValidationError

    from iopt.cluster.schema import ClusterFile
    from iopt.door.validation import explain
    from iopt.door.yaml_loader import read_yaml

    data = read_yaml(text, where, ClusterError)
    if not isinstance(data, dict):
        got = "an empty file" if data is None else shown(data)
        raise ClusterError(
            f"{where}: expected a mapping with the keys {', '.join(ClusterFile.model_fields)}, got {got}"
        )
    try:
        return ClusterFile.model_validate(data)
    except ValidationError as error:
        raise ClusterError(f"{where}: {explain(error, ClusterFile)}") from None
