"""An application as arrays, once per problem: what it costs and uses to enter block b on node m coming from node n."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from iopt.exits.limits import Array, Limits
from iopt.exits.plan import Placement
from iopt.exits.problem import TOLERANCE, Application, Problem


@dataclass(frozen=True)
class Geometry:
    """`energy` [L, N, N] J/s (weighted with the rate) and `time` [L, N, N] s of the transfer from row to column and the
    block there; inf where the step is not admissible. Layer 0 starts at `source`, its other rows are inf.

    `compute` [L] op/s and `memory` [L] byte are what block b takes from its node, `traffic` [L] bit/s what comes to it
    over a link. `tiers` [N]: a path never returns to a lower one (all 0 where it may). L is the depth of `exit`, the
    shallowest admissible one: deeper exits cost no less (docs/exits.md).
    """

    name: str
    exit: int
    source: int
    latency_s: float
    energy: Array
    time: Array
    compute: Array
    memory: Array
    traffic: Array
    tiers: tuple[int, ...]

    @property
    def depth(self) -> int:
        return len(self.compute)

    @property
    def nodes(self) -> int:
        return len(self.energy[0])

    @property
    def longest_s(self) -> float:
        """The latency limit with the tolerance of every comparison."""
        return self.latency_s * (1 + TOLERANCE)

    def priced(self, price: float) -> Array:
        """[L, N, N] energy + `price` x time; inf where the step is not admissible."""
        priced: Array = np.where(np.isfinite(self.energy), self.energy + price * self._finite_time, np.inf)
        return priced

    @cached_property
    def _finite_time(self) -> Array:
        return np.where(np.isfinite(self.time), self.time, 0.0)

    def within(self, limits: Limits) -> Geometry:
        """Without the steps that alone exceed a limit."""
        room = 1 + TOLERANCE
        fits = (self.compute[:, None] <= limits.compute * room) & (self.memory[:, None] <= limits.memory * room)
        passes = self.traffic[:, None, None] <= limits.links * room
        allowed = fits[:, None, :] & passes
        energy, time = (np.where(allowed, values, np.inf) for values in (self.energy, self.time))
        return replace(self, energy=energy, time=time)

    def placement(self, path: Array | tuple[int, ...]) -> Placement:
        return Placement(self.name, self.exit, tuple(int(node) for node in path))

    def used(self, path: tuple[int, ...]) -> Limits:
        """What a placement uses of the shared limits."""
        used = Limits.zero(self.nodes)
        before = self.source
        for block, node in enumerate(path):
            used.compute[node] += self.compute[block]
            used.memory[node] += self.memory[block]
            if node != before:
                used.links[before, node] += self.traffic[block]
            before = node
        return used


def admissible_exits(application: Application) -> list[int]:
    """Exits that are accurate enough, shallowest first."""
    needed = application.accuracy * (1 - TOLERANCE)
    return [index for index, leave in enumerate(application.network.exits) if leave.accuracy >= needed]


def deployed_exit(application: Application) -> int:
    """The shallowest admissible exit, or the last where none is."""
    return next(iter(admissible_exits(application)), len(application.network.exits) - 1)


def geometry(problem: Problem, index: int, exit: int | None = None) -> Geometry:
    """The arrays of application `index` up to `exit`, by default the shallowest admissible one, or the last."""
    application, source = problem.applications[index], problem.sources[index]
    network, cluster = application.network, problem.cluster
    if exit is None:
        exit = deployed_exit(application)
    depth = network.exits[exit].after
    reach = np.array(network.reach[:depth])
    ops = np.array([block.ops for block in network.blocks[:depth]])
    bits = np.array([network.input_bits, *(block.out_bits for block in network.blocks[: depth - 1])])
    energy_share = application.rate_per_s * (reach if problem.energy == "expected" else np.ones(depth))
    time_share = reach if problem.latency == "expected" else np.ones(depth)
    limits = Limits.of(problem)
    energy, time = _steps(problem, limits, ops, bits)
    allowed = _allowed(problem, limits, source, depth)
    return Geometry(
        name=application.name,
        exit=exit,
        source=source,
        latency_s=application.latency_s,
        energy=np.where(allowed, energy_share[:, None, None] * energy, np.inf),
        time=np.where(allowed, time_share[:, None, None] * np.where(allowed, time, 0.0), np.inf),
        compute=energy_share * ops,
        memory=np.array([float(block.weight_bytes) for block in network.blocks[:depth]]),
        traffic=energy_share * bits,
        tiers=cluster.tier_of if problem.tier_order else (0,) * len(cluster),
    )


def _steps(problem: Problem, limits: Limits, ops: Array, bits: Array) -> tuple[Array, Array]:
    """[L, N, N] energy and time of every step of one sample; links that do not exist take forever."""
    cluster = problem.cluster
    rates = np.array([device.flops_per_s for device in cluster.devices])
    power = np.array([device.power_w for device in cluster.devices], dtype=float)
    per_bit = np.array([device.energy_per_bit_j for device in cluster.devices], dtype=float)
    overhead = np.array([device.overhead_s for device in cluster.devices])
    between = ~np.eye(len(cluster), dtype=bool)
    per_bit_s = np.divide(1.0, limits.links, out=np.full_like(limits.links, np.inf), where=limits.links > 0)
    per_bit_s[~between] = 0.0
    runs = ops[:, None] / rates
    with np.errstate(invalid="ignore"):  # no bits over no link; such steps are not admissible
        moves = np.where(between, cluster.network.connection_s + bits[:, None, None] * per_bit_s, 0.0)
    sent = np.where(between, bits[:, None, None] * np.add.outer(per_bit, per_bit), 0.0)
    return sent + (runs * power)[:, None, :], moves + (runs + overhead)[:, None, :]


def _allowed(problem: Problem, limits: Limits, source: int, depth: int) -> np.typing.NDArray[np.bool_]:
    """[L, N, N]: over a link that exists, to no lower tier, and from the source on."""
    tiers, nodes = np.array(problem.cluster.tier_of), len(problem.cluster)
    step = limits.links > 0
    if problem.tier_order:
        step = step & (tiers[None, :] >= tiers[:, None])
    allowed = np.broadcast_to(step, (depth, nodes, nodes)).copy()
    allowed[0] &= np.arange(nodes)[:, None] == source
    if problem.pinned:
        allowed[0] &= np.arange(nodes) == source
    return allowed
