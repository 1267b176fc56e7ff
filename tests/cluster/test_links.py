"""Tiers, power, energy and links: what files say of them, and every way to get them wrong."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from iopt.cluster import Cluster, Device, Link, Medium, Network
from iopt.cluster.file import from_dict, from_yaml, load, to_dict
from iopt.errors import ClusterError

TIERED = """
tiers: [low, high]
devices:
  - {name: cam, count: 2, tier: low, compute: 1 GFLOP/s, power: 2 W, energy: 30 nJ/bit}
  - {name: phone, tier: low, compute: 2 GFLOP/s, power: 250 mW, energy: 8 nJ/B}
  - {name: high, tier: high, compute: 9 GFLOP/s, power: 1.5 kW, energy: 0 J/bit}
network: {bandwidth: 1 MB/s, connection: 0 s, links: []}
"""
"""Device 3 is `high` both by its name and as all of its tier."""


def read(text: str) -> Cluster:
    return from_yaml(text, "home.yaml", "home")


def linked(*entries: str) -> str:
    return TIERED.replace("links: []", f"links: [{', '.join(f'{{{entry}}}' for entry in entries)}]")


def rates(*entries: str) -> dict[tuple[int, int], float | None]:
    found = read(linked(*entries)).network.links
    assert list(found) == sorted(found, key=lambda link: (link.sender, link.receiver))
    return {(link.sender, link.receiver): link.bytes_per_s for link in found}


def refusal(build: Callable[[], Any]) -> str:
    with pytest.raises(ClusterError) as caught:
        build()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_tiers_power_and_energy() -> None:
    cluster = read(TIERED)
    assert (cluster.tiers, cluster.tier_of) == (("low", "high"), (0, 0, 0, 1))
    assert [device.power_w for device in cluster.devices] == [2, 2, 0.25, 1500]
    assert [device.energy_per_bit_j for device in cluster.devices] == [30e-9, 30e-9, 1e-9, 0]


def test_without_them_nothing_is_said() -> None:
    cluster = load("cal4")
    assert (cluster.tiers, cluster.tier_of, cluster.network.links) == ((), (0, 0, 0, 0), ())
    assert {(device.tier, device.power_w, device.energy_per_bit_j) for device in cluster.devices} == {(None,) * 3}


def test_a_link_between_two_devices_is_one_way() -> None:
    assert rates("from: cam-1, to: phone, bandwidth: 8 Mbit/s") == {(0, 2): 1e6}
    assert rates("from: cam-1, to: phone, bandwidth: 8 Mbit/s, both: true") == {(0, 2): 1e6, (2, 0): 1e6}


def test_an_end_may_be_an_entry_with_a_count_or_a_tier() -> None:
    assert rates("from: cam, to: phone, bandwidth: 1 B/s") == {(0, 2): 1, (1, 2): 1}
    assert set(rates("from: cam, to: cam, bandwidth: none")) == {(0, 1), (1, 0)}
    assert set(rates("from: low, to: high, bandwidth: none")) == {(0, 3), (1, 3), (2, 3)}
    assert set(rates("from: high, to: low, bandwidth: none, both: true")) == {
        (sender, receiver) for sender in range(4) for receiver in range(4) if (sender == 3) != (receiver == 3)
    }


def test_later_entries_override_earlier_ones() -> None:
    found = rates("from: low, to: low, bandwidth: none", "from: cam-1, to: phone, bandwidth: 1 MB/s, both: true")
    assert found == {(0, 1): None, (0, 2): 1e6, (1, 0): None, (1, 2): None, (2, 0): 1e6, (2, 1): None}


LINK = "from: cam, to: high, bandwidth: none"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tier: low", "tier: lo", "devices[0].tier: expected one of 'low', 'high', got 'lo'; did you mean 'low'?"),
        ("tier: high, ", "", "devices[2].tier: missing; expected one of 'low', 'high'"),
        ("[low, high]", "[low, high, low]", "tiers: 'low' occurs twice; expected unique names"),
        ("[low, high]", "[low, '']", "tiers[1]: expected text that is not empty, got ''"),
        (
            "tiers: [low, high]",
            "",
            "devices[0].tier: got 'low', but there are no tiers; expected a list of all of them",
        ),
        ("2 W", "2", "devices[0].power: missing unit: expected a power such as '6 W', got 2"),
        ("2 W", "-2 W", "devices[0].power: expected a power that is not negative, got '-2 W'"),
        ("2 W", "2 MW", "devices[0].power: unknown unit 'MW': expected a power such as '6 W'"),
        ("2 W", "2000 kW", "devices[0].power: expected a power from 0 W to 1000 kW, got '2000 kW'"),
        ("30 nJ/bit", "30 nJ", "devices[0].energy: expected an energy per bit such as '30 nJ/bit', got '30 nJ'"),
        ("30 nJ/bit", "9 J/B", "devices[0].energy: expected an energy per bit from 0 J/bit to 1 J/bit, got '9 J/B'"),
        ("from: cam", "frm: cam", "network.links[0].frm: unknown key; did you mean 'from'?"),
        ("from: cam", "q: cam", "network.links[0].q: unknown key; expected one of from, to, bandwidth, both"),
        ("from: cam, ", "", "network.links[0].from: missing"),
        (", bandwidth: none", "", "network.links[0].bandwidth: missing; expected for example '100 Mbit/s'"),
        ("bandwidth: none", "bandwidth: 0 B/s", "network.links[0].bandwidth: expected a bandwidth from 1 B/s to"),
        (
            "bandwidth: none",
            "bandwidth: ",
            "network.links[0].bandwidth: expected a bandwidth such as '100 Mbit/s', got",
        ),
        ("bandwidth: none", "both: 1, bandwidth: none", "network.links[0].both: expected true or false, got 1"),
        (
            "to: high",
            "to: hihg",
            "network.links[0].to: no device or tier is named 'hihg'; did you mean 'high'? "
            "(names: 'cam-1', 'cam-2', 'phone', 'high', 'cam', 'low')",
        ),
        (
            "from: cam, to: high",
            "from: high, to: high",
            "network.links[0].to: 'high' is the same device as from; expected another",
        ),
        ("connection: 0 s", "connection: 0 s, medium: shared", "network.links: a shared medium has no links; expected"),
    ],
)
def test_one_line_names_file_key_and_what_was_expected(old: str, new: str, message: str) -> None:
    text = linked(LINK).replace(old, new, 1)
    assert text != linked(LINK)
    assert refusal(lambda: read(text)).startswith(f"home.yaml: {message}")


@pytest.mark.parametrize(
    ("changes", "end", "meanings"),
    [
        ({"name: phone": "name: low"}, "low", "a device ('low') and a tier ('cam-1', 'cam-2', 'low')"),
        ({"name: phone": "name: cam"}, "cam", "a device ('cam') and a device entry ('cam-1', 'cam-2')"),
        (
            {"[low, high]": "[low, cam]", "tier: high": "tier: cam"},
            "cam",
            "a device entry ('cam-1', 'cam-2') and a tier ('high')",
        ),
    ],
)
def test_a_name_with_two_meanings_is_refused(changes: dict[str, str], end: str, meanings: str) -> None:
    text = linked(f"from: {end}, to: high, bandwidth: none")
    for old, new in changes.items():
        text = text.replace(old, new)
    message = f"network.links[0].from: {end!r} is {meanings}; expected a name with one meaning"
    assert refusal(lambda: read(text)) == f"home.yaml: {message}"


def test_a_tier_without_devices_is_no_end() -> None:
    text = linked("from: cam, to: top, bandwidth: none").replace("[low, high]", "[low, high, top]")
    assert refusal(lambda: read(text)).startswith("home.yaml: network.links[0].to: tier 'top' has no devices (names: ")


def test_links_are_a_list() -> None:
    text = TIERED.replace("links: []", "links: {from: cam}")
    assert refusal(lambda: read(text)) == "home.yaml: network.links: expected a list, got {'from': 'cam'}"


TWO = (Device("a", 1e9, tier="low"), Device("b", 2e9, tier="high"))


def network(*links: Link) -> Network:
    return Network(0.0, (1.0, 1.0), (1.0, 1.0), links=links)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Device("a", 1, power_w=-1), "device 'a': power_w is -1; expected zero or more"),
        (lambda: Device("a", 1, power_w=math.inf), "device 'a': power_w is inf; expected zero or more"),
        (lambda: Device("a", 1, energy_per_bit_j=math.nan), "device 'a': energy_per_bit_j is nan; expected zero"),
        (lambda: Device("a", 1, energy_per_bit_j=True), "device 'a': energy_per_bit_j is True; expected zero"),
        (lambda: Device("a", 1, tier=5), "device 'a': tier is 5; expected a text"),  # type: ignore[arg-type]
        (lambda: network(Link(0, 1, 0.0)), "network: every bandwidth must be a positive number"),
        (lambda: network(Link(0, 1, "1")), "network: every bandwidth must be"),  # type: ignore[arg-type]
        (
            lambda: Network(0.0, bandwidth_bytes_per_s=1.0, medium=Medium.SHARED, links=(Link(0, 1, None),)),
            "network: a shared medium has no links; got 1",
        ),
        (
            lambda: Cluster("c", TWO, network(Link(0, 2, None)), tiers=("low", "high")),
            "cluster 'c': network.links[0]: receiver is 2; expected 0 ... 1",
        ),
        (
            lambda: Cluster("c", TWO, network(Link(True, 0, None)), tiers=("low", "high")),
            "cluster 'c': network.links[0]: sender is True; expected 0 ... 1",
        ),
        (
            lambda: Cluster("c", TWO, network(Link(1, 1, None)), tiers=("low", "high")),
            "cluster 'c': network.links[0]: sender and receiver are both 1; expected two devices",
        ),
        (
            lambda: Cluster("c", TWO, network(Link(0, 1, 1.0), Link(0, 1, None)), tiers=("low", "high")),
            "cluster 'c': network.links[1]: network.links[0] is also from 0 to 1",
        ),
        (lambda: Cluster("c", TWO, network(), tiers=("low",)), "cluster 'c': devices[1].tier: expected one of 'low', "),
        (lambda: Cluster("c", TWO, network()), "cluster 'c': devices[0].tier: got 'low', but there are no tiers"),
    ],
)
def test_what_is_refused(build: Callable[[], Any], message: str) -> None:
    assert refusal(build).startswith(message)


def test_the_si_form_names_devices() -> None:
    cluster = read(linked("from: cam-1, to: high, bandwidth: none", "from: high, to: cam-1, bandwidth: 1 MB/s"))
    data = to_dict(cluster)
    assert data["tiers"] == ["low", "high"]
    assert data["devices"][2] == {
        "name": "phone",
        "flops_per_s": 2e9,
        "memory_bytes": None,
        "overhead_s": 0.0,
        "tier": "low",
        "power_w": 0.25,
        "energy_per_bit_j": 1e-9,
    }
    assert data["network"]["links"] == [
        {"sender": "cam-1", "receiver": "high", "bytes_per_s": None},
        {"sender": "high", "receiver": "cam-1", "bytes_per_s": 1e6},
    ]
    data["network"]["links"][1]["sender"] = "hi"
    found = refusal(lambda: from_dict(data, "plan.json: cluster"))
    assert found.startswith("plan.json: cluster: network.links[1].sender: no device is named 'hi'")


@pytest.mark.parametrize(
    ("preset", "digest"),
    [
        ("cal4", "6a9e4cff9ccd354e4875ccf2c136117cd2a5810086c1935fdae1e6dff9f9ac75"),
        ("mixed8", "1813fe781f3aade058b8979f677d9f8aeaf5b0f08d4a755eada396e993e004e0"),
        ("pi3x4", "b1e55a034a9d06c3ace347b4b6de030d7f361e625caf37bf88cf45888497ed49"),
    ],
)
def test_the_si_form_without_them_stays(preset: str, digest: str) -> None:
    text = json.dumps(to_dict(load(preset)), sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == digest
