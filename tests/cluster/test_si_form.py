"""The form of a cluster inside other files, in SI units: there and back."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.cluster import Charge, Cluster, Device, Link, Medium, Network
from iopt.cluster.file import from_dict, load, to_dict
from iopt.errors import ClusterError
from tests.cluster.files import read

POSITIVE = st.floats(min_value=1e-300, max_value=1e300)

NOT_NEGATIVE = st.floats(min_value=0, max_value=1e300)


@st.composite
def clusters(
    draw: st.DrawFn,
    compute: st.SearchStrategy[float] = POSITIVE,
    rate: st.SearchStrategy[float] = POSITIVE,
    time: st.SearchStrategy[float] = NOT_NEGATIVE,
    most_memory: int = 2**53,
    power: st.SearchStrategy[float] = NOT_NEGATIVE,
    energy: st.SearchStrategy[float] = NOT_NEGATIVE,
) -> Cluster:
    """Any cluster; the arguments keep it to a range. Names of tiers are longer than those of devices."""
    names = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True))
    count = len(names)
    tiers = tuple(draw(st.lists(st.text(min_size=9, max_size=12), max_size=3, unique=True)))
    tier = st.sampled_from(tiers) if tiers else st.none()
    memory = st.none() | st.integers(1, most_memory)
    devices = tuple(
        Device(
            name, draw(compute), draw(memory), draw(time), draw(tier), draw(st.none() | power), draw(st.none() | energy)
        )
        for name in names
    )
    medium = draw(st.sampled_from(Medium))
    links = st.tuples(*[rate] * (count if medium is Medium.SWITCHED else 0))
    channel = draw(rate) if medium is Medium.SHARED else None
    charge = draw(st.sampled_from(Charge))
    pairs = [(a, b) for a in range(count) for b in range(count) if a != b and medium is Medium.SWITCHED]
    given_pairs = sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []
    own = tuple(Link(*pair, draw(st.none() | rate)) for pair in given_pairs)
    network = Network(draw(time), draw(links), draw(links), channel, charge, medium, own)
    ends = st.integers(0, count - 1)
    return Cluster(draw(st.text(max_size=8)), devices, network, draw(ends), draw(ends), tiers)


def assert_si_round_trip(cluster: Cluster) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(cluster))), "plan.json") == cluster


@given(clusters())
def test_the_si_form_gives_the_cluster_back(cluster: Cluster) -> None:
    assert_si_round_trip(cluster)


@pytest.mark.full
@settings(max_examples=3000, deadline=None)
@given(clusters())
def test_the_si_form_gives_every_cluster_back(cluster: Cluster) -> None:
    assert_si_round_trip(cluster)


@given(
    clusters(
        st.floats(1e3, 1e18), st.floats(1.0, 1e15), st.floats(0.0, 1e6), 2**53, st.floats(0.0, 1e6), st.floats(0.0, 1.0)
    )
)
@settings(deadline=None)
def test_the_yaml_form_in_base_units_gives_the_cluster_back(cluster: Cluster) -> None:
    network = cluster.network
    devices: list[dict[str, Any]] = [
        {
            "name": device.name,
            "compute": f"{device.flops_per_s!r} FLOP/s",
            "memory": "none" if device.memory_bytes is None else f"{device.memory_bytes} B",
            "overhead": f"{device.overhead_s!r} s",
        }
        for device in cluster.devices
    ]
    for entry, device in zip(devices, cluster.devices, strict=True):
        optional = {"tier": (device.tier, ""), "power": (device.power_w, " W")}
        optional["energy"] = (device.energy_per_bit_j, " J/bit")
        entry.update({key: f"{value}{unit}" for key, (value, unit) in optional.items() if value is not None})
    names = [device.name for device in cluster.devices]
    links = [
        {
            "from": names[link.sender],
            "to": names[link.receiver],
            "bandwidth": "none" if link.bytes_per_s is None else f"{link.bytes_per_s!r} B/s",
        }
        for link in network.links
    ]
    for key, rates in (("up", network.up_bytes_per_s), ("down", network.down_bytes_per_s)):
        for entry, rate in zip(devices, rates, strict=False):
            entry[key] = f"{rate!r} B/s"
    file = {
        "name": cluster.name or "unnamed",
        "tiers": list(cluster.tiers),
        "devices": devices,
        "network": {
            "links": links,
            "medium": network.medium.value,
            "charge": network.charge.value,
            "connection": f"{network.connection_s!r} s",
        },
        "source": cluster.devices[cluster.source].name,
        "sink": cluster.devices[cluster.sink].name,
    }
    if network.bandwidth_bytes_per_s is not None:
        file["network"]["bandwidth"] = f"{network.bandwidth_bytes_per_s!r} B/s"  # type: ignore[index]
    again = read(yaml.safe_dump(file))
    assert to_dict(again) == to_dict(cluster) | {"name": file["name"]}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("devices", 1, "memory_bytes"), 1.5, "devices[1].memory_bytes: expected a whole number, got 1.5"),
        (("devices", 0, "flops_per_s"), "1", "devices[0].flops_per_s: expected a number, got '1'"),
        (("devices", 0, "flops_per_s"), math.nan, "devices[0].flops_per_s: expected a finite number, got nan"),
        (("devices", 0, "flops_per_s"), 10**400, "devices[0].flops_per_s: expected a number, got 1000"),
        (("devices", 0, "flops_per_s"), 0, "device 'device-1': flops_per_s is 0.0; expected a positive number"),
        (("devices", 0, "speed"), 1, "devices[0].speed: unknown key; expected one of name, flops_per_s"),
        (("network", "up_bytes_per_s"), [1.0], "cluster 'mixed2': network.up_bytes_per_s has 1 entries for 2 devices"),
        (("network", "up_bytes_per_s", 1), True, "network.up_bytes_per_s[1]: expected a number, got True"),
        (("network", "medium"), "air", "network.medium: expected 'switched' or 'shared', got 'air'"),
        (("source",), "device-9", "source: no device is named 'device-9'; did you mean 'device-2' or 'device-1'?"),
        (("devices",), [], "devices: expected at least one entry, got an empty list"),
        (("devices",), {}, "devices: expected a list, got {}"),
    ],
)
def test_a_changed_si_form_is_refused(path: tuple[str | int, ...], value: object, message: str) -> None:
    data: Any = to_dict(load("mixed2"))
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    with pytest.raises(ClusterError) as caught:
        from_dict(data, "plan.json: cluster")
    assert str(caught.value).startswith(f"plan.json: cluster: {message}")


def test_a_missing_key_of_the_si_form() -> None:
    data = to_dict(load("mixed2"))
    del data["network"]
    with pytest.raises(ClusterError, match=r"plan\.json: network: missing"):
        from_dict(data, "plan.json")
    with pytest.raises(ClusterError, match=r"plan\.json: expected a mapping, got \[\]"):
        from_dict([], "plan.json")
