"""The judge: energy, latency, accuracy and the use of every limit by a plan, straight from the definitions.

Exact methods, heuristics, hand-written and executed plans all pass through it. Equations: docs/exits.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from iopt.door.amounts import apart
from iopt.door.given import as_tuple, check_kind
from iopt.door.wording import shown
from iopt.errors import PlanError
from iopt.exits.limits import Limits
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import TOLERANCE, Application, Problem


@dataclass(frozen=True)
class BlockCost:
    """A block on its node, per inference. `transfer_*`: of the data that comes to it from the node before."""

    block: str
    node: int
    compute_j: float
    transfer_j: float
    compute_s: float
    transfer_s: float


@dataclass(frozen=True)
class ApplicationCost:
    """Per inference: energy, latency, and accuracy of the exit deployed."""

    name: str
    energy_j: float
    latency_s: float
    accuracy: float
    blocks: tuple[BlockCost, ...]

    @property
    def compute_j(self) -> float:
        return sum(block.compute_j for block in self.blocks)

    @property
    def transfer_j(self) -> float:
        return sum(block.transfer_j for block in self.blocks)


@dataclass(frozen=True)
class Evaluation:
    """`energy_j`: of all applications, each weighted with its rate: joule a second, or per inference where one
    application has a rate of 1. `used`: of every shared limit. `violations`: a sentence for each limit that is broken.
    """

    energy_j: float
    applications: tuple[ApplicationCost, ...]
    used: Limits
    violations: tuple[str, ...]

    @property
    def is_feasible(self) -> bool:
        return not self.violations


class Evaluator:
    """Judges any number of plans of one problem."""

    def __init__(self, problem: Problem) -> None:
        check_kind(problem, Problem, "problem")
        self.problem = problem
        self.limits = Limits.of(problem)

    def __call__(self, plan: Plan) -> Evaluation:
        """Raises `PlanError` for a plan of another problem."""
        check_kind(plan, Plan, "plan")
        as_tuple(plan.placements, Placement, "placements", "(placement,)")
        _check(self.problem, plan)
        used = Limits.zero(len(self.problem.cluster))
        costs: list[ApplicationCost] = []
        violations: list[str] = []
        for application, source, placement in zip(
            self.problem.applications, self.problem.sources, plan.placements, strict=True
        ):
            cost = self._cost(application, source, placement)
            self._use(application, source, placement, used)
            costs.append(cost)
            violations += self._broken(application, source, placement, cost)
        violations += self._overloads(used)
        energy = sum(app.rate_per_s * cost.energy_j for app, cost in zip(self.problem.applications, costs, strict=True))
        return Evaluation(energy, tuple(costs), used, tuple(violations))

    def _cost(self, application: Application, source: int, placement: Placement) -> ApplicationCost:
        """Per inference; the shares of samples that come to a block weight its energy and, on average, its time."""
        network, cluster = application.network, self.problem.cluster
        blocks, bits, before = [], network.input_bits, source
        for block, node, reach in zip(network.blocks, placement.nodes, network.reach, strict=False):
            device, sender = cluster.devices[node], cluster.devices[before]
            energy_share = reach if self.problem.energy == "expected" else 1.0
            time_share = reach if self.problem.latency == "expected" else 1.0
            transfer_j = transfer_s = 0.0
            if node != before:
                transfer_j = bits * (_known(sender.energy_per_bit_j) + _known(device.energy_per_bit_j))
                rate = float(self.limits.links[before, node])
                transfer_s = cluster.network.connection_s + (bits / rate if rate > 0 else np.inf)
            compute_s = block.ops / device.flops_per_s
            blocks.append(
                BlockCost(
                    block.name,
                    node,
                    energy_share * _known(device.power_w) * compute_s,
                    energy_share * transfer_j,
                    time_share * (compute_s + device.overhead_s),
                    time_share * transfer_s if np.isfinite(transfer_s) else np.inf,
                )
            )
            bits, before = block.out_bits, node
        return ApplicationCost(
            application.name,
            sum(block.compute_j + block.transfer_j for block in blocks),
            sum(block.compute_s + block.transfer_s for block in blocks),
            network.exits[placement.exit].accuracy,
            tuple(blocks),
        )

    def _use(self, application: Application, source: int, placement: Placement, used: Limits) -> None:
        """Add what the application uses, in place."""
        network, bits, before = application.network, application.network.input_bits, source
        for block, node, reach in zip(network.blocks, placement.nodes, network.reach, strict=False):
            share = application.rate_per_s * (reach if self.problem.energy == "expected" else 1.0)
            used.compute[node] += share * block.ops
            used.memory[node] += block.weight_bytes
            if node != before:
                used.links[before, node] += share * bits
            bits, before = block.out_bits, node

    def _broken(
        self, application: Application, source: int, placement: Placement, cost: ApplicationCost
    ) -> Iterator[str]:
        """The limits of the application's own."""
        names, tiers = [device.name for device in self.problem.cluster.devices], self.problem.cluster.tier_of
        if self.problem.pinned and placement.nodes[0] != source:
            yield f"{application.name}: block 1 is on {names[placement.nodes[0]]}, not on its source {names[source]}"
        for before, node in zip((source, *placement.nodes), placement.nodes, strict=False):
            if self.limits.links[before, node] <= 0:
                yield f"{application.name}: there is no link from {names[before]} to {names[node]}"
            if self.problem.tier_order and tiers[node] < tiers[before]:
                yield f"{application.name}: {names[node]} after {names[before]} returns to a lower tier"
        if cost.accuracy < application.accuracy * (1 - TOLERANCE):
            found, asked = apart(cost.accuracy, application.accuracy)
            yield f"{application.name}: accuracy {found} is below {asked}"
        if cost.latency_s > application.latency_s * (1 + TOLERANCE):
            found, asked = apart(cost.latency_s, application.latency_s)
            yield f"{application.name}: takes {found} s, limit {asked} s"

    def _overloads(self, used: Limits) -> Iterator[str]:
        """The limits that all applications share."""
        names = [device.name for device in self.problem.cluster.devices]
        for node in np.flatnonzero(used.compute > self.limits.compute * (1 + TOLERANCE)):
            found, limit = apart(used.compute[node], self.limits.compute[node])
            yield f"{names[node]}: computes {found} op/s, limit {limit} op/s"
        for node in np.flatnonzero(used.memory > self.limits.memory * (1 + TOLERANCE)):
            found, limit = f"{used.memory[node]:,.0f}", f"{self.limits.memory[node]:,.0f}"
            yield f"{names[node]}: holds {found} bytes of weights, limit {limit} bytes"
        for before, node in np.argwhere((used.links > self.limits.links * (1 + TOLERANCE)) & (self.limits.links > 0)):
            found, limit = apart(used.links[before, node], self.limits.links[before, node])
            yield f"{names[before]} to {names[node]}: carries {found} bit/s, limit {limit} bit/s"


def evaluate(problem: Problem, plan: Plan) -> Evaluation:
    """The plan's costs. Raises `PlanError` for a plan of another problem."""
    return Evaluator(problem)(plan)


def _known(value: float | None) -> float:
    """A number that `Problem` has seen to be there."""
    assert value is not None
    return value


def _check(problem: Problem, plan: Plan) -> None:
    if len(plan.placements) != len(problem.applications):
        raise PlanError(
            f"the plan places {len(plan.placements)} applications; the problem has {len(problem.applications)}"
        )
    for application, placement in zip(problem.applications, plan.placements, strict=True):
        where, exits = f"application {application.name!r}", application.network.exits
        if placement.application != application.name:
            raise PlanError(f"{where}: the plan has {placement.application!r} in its place")
        if not _is_index(placement.exit, len(exits)):
            raise PlanError(f"{where}: exit {shown(placement.exit)}; expected 0 ... {len(exits) - 1}")
        if not isinstance(placement.nodes, tuple | list):
            raise PlanError(f"{where}: nodes are {shown(placement.nodes)}; expected a tuple of whole numbers")
        if len(placement.nodes) != exits[placement.exit].after:
            after = exits[placement.exit].after
            raise PlanError(f"{where}: {len(placement.nodes)} blocks are placed; exit {placement.exit} needs {after}")
        if not all(_is_index(node, len(problem.cluster)) for node in placement.nodes):
            raise PlanError(f"{where}: nodes {placement.nodes}; expected each in 0 ... {len(problem.cluster) - 1}")


def _is_index(value: object, count: int) -> bool:
    """A whole number, not a float that equals one, of 0 ... count - 1."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) < count
