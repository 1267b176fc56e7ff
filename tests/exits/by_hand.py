"""Problems small enough for costs and optima by hand."""

from __future__ import annotations

from typing import Any

from iopt.cluster import Cluster, Device, Link, Network
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.problem import Application, Problem


def three(latency_s: float = 4.0, links: float = 8.0) -> Problem:
    """Blocks of 2 s on `a`, 1 s on `b`, 0.5 s on `c`, for 2, 6 and 8 J; 8 bits between blocks, 1 s each, free."""
    devices = (
        Device("a", 1.0, tier="low", power_w=1.0, energy_per_bit_j=0.0),
        Device("b", 2.0, tier="middle", power_w=6.0, energy_per_bit_j=0.0),
        Device("c", 4.0, tier="high", power_w=16.0, energy_per_bit_j=0.0),
    )
    blocks = (Block("b1", 2.0, 8.0), Block("b2", 2.0, 8.0), Block("b3", 2.0, 0.0))
    exits = (Exit("e1", 2, 0.5, 0.6), Exit("e2", 3, 0.5, 0.9))
    net = ExitNetwork("net", 8.0, blocks, exits)
    place = Cluster("three", devices, Network(0.0, (1.0,) * 3, (links,) * 3), tiers=("low", "middle", "high"))
    return Problem((Application(net, 0.9, latency_s),), place, energy="unconditional", max_load=100.0)


def detour() -> Problem:
    """Blocks 1 and 3 run on `start` and `middle`, block 4 on `small`, which has room for one block. Block 2 costs 0 J
    there and 1 J on `large`; on energy and time alone the cheaper one wins at `middle`, and cannot go on."""
    blocks = tuple(Block(f"b{index}", 1.0, 0.0, 1) for index in range(4))
    net = ExitNetwork("net", 0.0, blocks, (Exit("last", 4, 1.0, 1.0),))
    devices = (
        Device("start", 1.0, memory_bytes=1, power_w=0.0, energy_per_bit_j=0.0),
        Device("small", 1.0, memory_bytes=1, power_w=0.0, energy_per_bit_j=0.0),
        Device("large", 1.0, power_w=1.0, energy_per_bit_j=0.0),
        Device("middle", 1.0, memory_bytes=1, power_w=0.0, energy_per_bit_j=0.0),
    )
    there = {(0, 1), (0, 2), (1, 3), (2, 3), (3, 1)}
    links = tuple(Link(n, m, None) for n in range(4) for m in range(4) if n != m and (n, m) not in there)
    place = Cluster("c", devices, Network(0.0, (1e9,) * 4, (1e9,) * 4, links=links))
    return Problem((Application(net, 0.0, 100.0, 0.1),), place)


# By hand: mobile (1 op/s, 2 W, 3 J/bit), edge (4 op/s, 12 W, 5 J/bit), cloud (8 op/s, 16 W, 1 J/bit)

MOBILE = Device("mobile", 1.0, tier="mobile", power_w=2.0, energy_per_bit_j=3.0)
EDGE = Device("edge", 4.0, tier="edge", power_w=12.0, energy_per_bit_j=5.0)
CLOUD = Device("cloud", 8.0, tier="cloud", power_w=16.0, energy_per_bit_j=1.0)
TIERS = ("mobile", "edge", "cloud")

NET = ExitNetwork(
    "net",
    32.0,
    (Block("a", 8.0, 16.0, 10), Block("b", 16.0, 8.0, 20), Block("c", 24.0, 0.0, 30)),
    (Exit("first", 1, 0.25, 0.5), Exit("second", 2, 0.25, 0.9), Exit("last", 3, 0.5, 0.8)),
)


def hand_cluster(**network: Any) -> Cluster:
    """Up 2, 4, 8 and down 1, 3, 5 byte/s: in bit/s 8 times as much."""
    values: dict[str, Any] = {"up_bytes_per_s": (2.0, 4.0, 8.0), "down_bytes_per_s": (1.0, 3.0, 5.0)}
    return Cluster("hand", (MOBILE, EDGE, CLOUD), Network(0.0, **(values | network)), tiers=TIERS)


def hand(application: dict[str, Any] | None = None, cluster: Cluster | None = None, **options: Any) -> Problem:
    asked: dict[str, Any] = {"accuracy": 0.0, "latency_s": 1000.0, **(application or {})}
    options = {"max_load": 1000.0, **options}
    return Problem((Application(NET, **asked),), cluster or hand_cluster(), **options)
