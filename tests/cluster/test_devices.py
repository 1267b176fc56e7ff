"""What a cluster refuses to be, and the copies it makes of itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from iopt.cluster import Charge, Cluster, Device, LinkRate, Medium, Network
from iopt.errors import ClusterError

TWO = (Device("a", 1e9), Device("b", 2e9, memory_bytes=1000, overhead_s=1e-3))
SWITCH = Network(1e-3, up_bytes_per_s=(1.0, 2.0), down_bytes_per_s=(3.0, 4.0))


def test_a_sound_cluster_stands() -> None:
    cluster = Cluster("two", TWO, SWITCH, source=1, sink=0)
    assert len(cluster) == 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Device("a", 0), "flops_per_s is 0; expected a positive number"),
        (lambda: Device("a", math.nan), "flops_per_s is nan"),
        (lambda: Device("a", math.inf), "flops_per_s is inf"),
        (lambda: Device("a", "1"), "flops_per_s is '1'; expected a positive number"),  # type: ignore[arg-type]
        (lambda: Device("a", True), "flops_per_s is True; expected a positive number"),
        (lambda: Device("a", 10**400), "flops_per_s is 1000"),
        (lambda: Device("a", 1.0, memory_bytes=0), "memory_bytes is 0; expected a positive number"),
        (lambda: Device("a", 1.0, memory_bytes=1.5), "memory_bytes is 1.5; expected a whole number"),  # type: ignore[arg-type]
        (lambda: Device("a", 1.0, memory_bytes=True), "memory_bytes is True; expected a whole number"),
        (lambda: Device("a", 1.0, overhead_s=None), "overhead_s is None; expected zero"),  # type: ignore[arg-type]
        (lambda: Device("a", 1.0, memory_bytes=2**53 + 1), "memory_bytes is 9007199254740993; expected at most 2^53 ("),
        (lambda: Device("a", 1.0, memory_bytes=10**400), "expected at most 2^53 (9,007,199,254,740,992)"),
        (lambda: Device("a", 1.0, memory_bytes=10**5000), "memory_bytes is int too long to show; expected at most"),
        (lambda: Device("", 1.0), "device: name is ''; expected text that is not empty"),
        (lambda: Device(None, 1.0), "device: name is None; expected text that is not empty"),  # type: ignore[arg-type]
        (lambda: Network(0.0, charge="foo"), "network: charge is 'foo'; expected 'phase' or 'peer'"),  # type: ignore[arg-type]
        (lambda: Network(0.0, medium=[]), "network: medium is []; expected 'switched' or 'shared'"),  # type: ignore[arg-type]
        (lambda: Network(0.0, link_rate="max"), "link_rate is 'max'; expected 'min' or 'receiver'"),  # type: ignore[arg-type]
        (lambda: Network(0.0, 3, (1.0,)), "network: up_bytes_per_s is 3; expected a rate per device"),  # type: ignore[arg-type]
        (lambda: Network(0.0, links=(3,)), "network: links is (3,); expected links, in a tuple"),  # type: ignore[arg-type]
        (lambda: Cluster("x", (3,), SWITCH), "cluster 'x': devices[0] is 3; expected a Device"),  # type: ignore[arg-type]
        (lambda: Cluster("x", 3, SWITCH), "cluster 'x': devices is 3; expected a tuple of them"),  # type: ignore[arg-type]
        (lambda: Cluster("x", TWO, None), "cluster 'x': network is None; expected a Network"),  # type: ignore[arg-type]
        (lambda: Network("0"), "connection_s is '0'; expected zero or more"),  # type: ignore[arg-type]
        (lambda: Device("a", 1.0, overhead_s=-1.0), "overhead_s is -1.0; expected zero or more"),
        (lambda: Network(-1.0), "connection_s is -1.0; expected zero or more"),
        (lambda: Network(0.0, up_bytes_per_s=(0.0,)), "every bandwidth must be a positive number"),
        (lambda: Network(0.0, medium=Medium.SHARED), "a shared medium needs bandwidth_bytes_per_s"),
        (lambda: Network(0.0, bandwidth_bytes_per_s=math.inf, medium=Medium.SHARED), "every bandwidth"),
        (lambda: Cluster("none", (), SWITCH), "has no devices; expected at least one"),
        (lambda: Cluster("twins", (TWO[0], TWO[0]), SWITCH), "device names appear twice: a"),
        (lambda: Cluster("one", TWO[:1], SWITCH), "network.up_bytes_per_s has 2 entries for 1 devices"),
        (lambda: Cluster("two", TWO, SWITCH, source=2), "source is 2; expected 0 ... 1"),
        (lambda: Cluster("two", TWO, SWITCH, sink=-1), "sink is -1; expected 0 ... 1"),
        (lambda: Cluster("two", TWO, SWITCH, sink=True), "sink is True; expected 0 ... 1"),
        (lambda: Cluster("two", TWO, SWITCH, source=None), "source is None; expected 0 ... 1"),  # type: ignore[arg-type]
        (lambda: Cluster("two", TWO, SWITCH, source="b"), "source is 'b'; expected 0 ... 1: 'b' is devices[1]"),  # type: ignore[arg-type]
        (lambda: Cluster("two", TWO, SWITCH, sink=["a"]), "sink is ['a']; expected 0 ... 1"),  # type: ignore[arg-type]
    ],
)
def test_what_is_refused(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ClusterError) as caught:
        build()
    assert message in str(caught.value)


def test_words_and_lists_are_taken() -> None:
    network = Network(0.0, [1.0, 2.0], [3.0, 4.0], charge="peer", medium="switched", link_rate="receiver")  # type: ignore[arg-type]
    assert network == Network(0.0, (1.0, 2.0), (3.0, 4.0), charge=Charge.PEER, link_rate=LinkRate.RECEIVER)
    assert network.charge is Charge.PEER
    assert hash(Cluster("two", list(TWO), network)) == hash(Cluster("two", TWO, network))  # type: ignore[arg-type]


def test_a_shared_medium_needs_no_links() -> None:
    network = Network(0.0, bandwidth_bytes_per_s=1e6, medium=Medium.SHARED)
    assert len(Cluster("radio", TWO, network)) == 2


def test_other_memory_caps_change_nothing_else() -> None:
    cluster = Cluster("two", TWO, SWITCH)
    capped = cluster.with_memory((5, None))
    assert [device.memory_bytes for device in capped.devices] == [5, None]
    assert capped.with_memory((None, 1000)) == cluster
    for caps in ((1,), (1, 2, 3), 5):
        with pytest.raises(ClusterError, match="cluster 'two': expected 2 memory caps, one per device, got "):
            cluster.with_memory(caps)  # type: ignore[arg-type]


def test_load_knows_the_presets() -> None:
    assert Cluster.load("cal4").name == "cal4"
    for source in (5, None, ""):
        with pytest.raises(ClusterError, match=f"^expected a preset or a file, got {source!r} \\(presets: cal4, "):
            Cluster.load(source)  # type: ignore[arg-type]
