"""The presets with tiers hold what they say of themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iopt.cluster import Cluster, Device
from iopt.cluster.file import from_dict, load, to_dict

FIN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "fin.json").read_text(encoding="utf-8"))


def joules_per_op(device: Device) -> float:
    assert device.power_w is not None
    return device.power_w / device.flops_per_s


def offloaded(cluster: Cluster, network: str, kept: int, to: int) -> float:
    """Energy of one inference whose first `kept` blocks run on the first device and the others on another."""
    ops, bits = FIN["networks"][network]["ops"], FIN["networks"][network]["features_after"]
    near, far = cluster.devices[0], cluster.devices[to]
    assert near.energy_per_bit_j is not None and far.energy_per_bit_j is not None
    if kept == len(ops):
        return sum(ops) * joules_per_op(near)
    sent = bits[kept - 1] * FIN["bits_per_feature"] * (near.energy_per_bit_j + far.energy_per_bit_j)
    return float(sum(ops[:kept]) * joules_per_op(near) + sum(ops[kept:]) * joules_per_op(far) + sent)


def test_mobile_edge_cloud_is_the_released_constants() -> None:
    cluster = load("mobile-edge-cloud")
    assert list(cluster.tiers) == [device.name for device in cluster.devices] == list(FIN["nodes"])
    assert cluster.tier_of == (0, 1, 2)
    for index, (device, node) in enumerate(zip(cluster.devices, FIN["nodes"].values(), strict=True)):
        assert (device.flops_per_s, device.power_w) == (node["ops_per_s"], node["power_w"])
        assert device.energy_per_bit_j == node["energy_per_bit_j"]
        rate = node["rate_bit_per_s"] / 8
        assert cluster.network.up_bytes_per_s[index] == cluster.network.down_bytes_per_s[index] == rate
    assert (cluster.network.connection_s, cluster.source, cluster.sink) == (0, 0, 0)


@pytest.mark.parametrize("network", ["b-alexnet", "b-resnet", "b-lenet"])
@pytest.mark.parametrize("to", [1, 2])
def test_with_the_released_constants_offloading_never_saves_energy(network: str, to: int) -> None:
    cluster, blocks = load("mobile-edge-cloud"), len(FIN["networks"][network]["ops"])
    alone = offloaded(cluster, network, blocks, to)
    assert all(offloaded(cluster, network, kept, to) > alone for kept in range(1, blocks))


def test_with_an_efficient_edge_it_does() -> None:
    cluster = load("efficient-edge")
    energies = [joules_per_op(device) for device in cluster.devices]
    assert energies == sorted(energies, reverse=True)
    assert cluster.tier_of == (0, 1, 2)
    alone = offloaded(cluster, "b-alexnet", 5, to=1)
    assert min(offloaded(cluster, "b-alexnet", kept, to=1) for kept in range(1, 5)) < 0.6 * alone


def test_campus() -> None:
    cluster = load("campus")
    assert [cluster.tier_of.count(tier) for tier in range(3)] == [18, 8, 4]
    assert len({device.flops_per_s for device in cluster.devices[:18]}) == 3
    assert all(device.memory_bytes and device.power_w and device.energy_per_bit_j for device in cluster.devices)
    assert cluster.source == 0
    absent = {(link.sender, link.receiver) for link in cluster.network.links if link.bytes_per_s is None}
    tiers = {
        (cluster.tier_of[sender], cluster.tier_of[receiver])
        for sender in range(30)
        for receiver in range(30)
        if sender != receiver and (sender, receiver) not in absent
    }
    assert tiers == {(0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)}, "devices reach only the edge"
    assert all(any((device, edge) not in absent for edge in range(18, 26)) for device in range(18))
    assert from_dict(json.loads(json.dumps(to_dict(cluster))), "plan.json") == cluster
