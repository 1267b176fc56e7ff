"""What a placement costs and which limits it breaks, computed a second time from the equations of docs/exits.md.

Plain numbers and loops, one application, one block after the other. Nothing of the code under test but the classes that
state a problem and a plan.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import inf

from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Problem

ROOM = 1 + 1e-9
"""A limit of u allows u * ROOM."""

Key = tuple[object, ...]
"""A limit: its kind, then where it is: ("latency", "app-0"), ("memory", 1), ("link", "app-0", 0, 2)."""


@dataclass
class Judgement:
    """Of one placement or of several together: per application `energy` [J], `latency` [s] and `accuracy`, and what is
    used of shared limits; `own`: the limits of single applications that are broken, `broken`: these and the shared."""

    energy_rate: float = 0.0
    energy: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    compute: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    links: dict[tuple[int, int], float] = field(default_factory=dict)
    own: set[Key] = field(default_factory=set)
    broken: set[Key] = field(default_factory=set)


def rate(problem: Problem, sender: int, receiver: int) -> float:
    """Bit/s; 0 where there is no link."""
    network = problem.cluster.network
    for link in network.links:
        if link.sender == sender and link.receiver == receiver:
            return 0.0 if link.bytes_per_s is None else 8 * link.bytes_per_s
    if str(problem.link_rate) == "receiver":
        return 8 * network.down_bytes_per_s[receiver]
    return 8 * min(network.up_bytes_per_s[sender], network.down_bytes_per_s[receiver])


def source_of(problem: Problem, index: int) -> int:
    name = problem.applications[index].source
    if name is None:
        return problem.cluster.source
    return next(n for n, device in enumerate(problem.cluster.devices) if device.name == name)


def tier(problem: Problem, node: int) -> int:
    cluster = problem.cluster
    return cluster.tiers.index(cluster.devices[node].tier) if cluster.tiers else 0


def judge_one(problem: Problem, index: int, placement: Placement) -> Judgement:
    """Application `index` alone: its own limits, and what it uses of those that are shared."""
    application, cluster = problem.applications[index], problem.cluster
    network, name = application.network, application.name
    result = Judgement()
    energy = latency = 0.0
    before, bits = source_of(problem, index), network.input_bits
    if problem.pinned and placement.nodes[0] != before:
        result.own.add(("source", name))
    for position, node in enumerate(placement.nodes):
        block, device = network.blocks[position], cluster.devices[node]
        reach = 1.0
        for leave in network.exits:
            if leave.after <= position:  # blocks are counted from 1: this one is `position + 1`
                reach -= leave.fraction
        reach = max(reach, 0.0)
        share = reach if problem.energy == "expected" else 1.0
        time_share = reach if problem.latency == "expected" else 1.0
        energy += share * device.power_w / device.flops_per_s * block.ops
        latency += time_share * (block.ops / device.flops_per_s + device.overhead_s)
        flow = application.rate_per_s * share
        result.compute[node] = result.compute.get(node, 0.0) + flow * block.ops
        result.memory[node] = result.memory.get(node, 0.0) + block.weight_bytes
        if node != before:
            speed = rate(problem, before, node)
            energy += share * bits * (cluster.devices[before].energy_per_bit_j + device.energy_per_bit_j)
            latency += time_share * (cluster.network.connection_s + bits / speed) if speed > 0 else inf
            result.links[before, node] = result.links.get((before, node), 0.0) + flow * bits
            if speed == 0:
                result.own.add(("link", name, before, node))
            if problem.tier_order and tier(problem, node) < tier(problem, before):
                result.own.add(("tier", name, before, node))
        before, bits = node, block.out_bits
    accuracy = network.exits[placement.exit].accuracy
    if accuracy < application.accuracy * (1 - 1e-9):
        result.own.add(("accuracy", name))
    if latency > application.latency_s * ROOM:
        result.own.add(("latency", name))
    result.energy, result.latency, result.accuracy = [energy], [latency], [accuracy]
    result.energy_rate = application.rate_per_s * energy
    return result


def together(problem: Problem, parts: list[Judgement]) -> Judgement:
    """Several applications at once."""
    result = Judgement()
    for part in parts:
        result.energy_rate += part.energy_rate
        result.energy += part.energy
        result.latency += part.latency
        result.accuracy += part.accuracy
        result.own |= part.own
        for amounts, more in ((result.compute, part.compute), (result.memory, part.memory), (result.links, part.links)):
            for key, amount in more.items():
                amounts[key] = amounts.get(key, 0.0) + amount
    result.broken = set(result.own)
    for node, amount in result.compute.items():
        if amount > problem.max_load * problem.cluster.devices[node].flops_per_s * ROOM:
            result.broken.add(("compute", node))
    for node, amount in result.memory.items():
        cap = problem.cluster.devices[node].memory_bytes
        if cap is not None and amount > cap * ROOM:
            result.broken.add(("memory", node))
    for (sender, receiver), amount in result.links.items():
        speed = rate(problem, sender, receiver)
        if speed > 0 and amount > speed * ROOM:
            result.broken.add(("bandwidth", sender, receiver))
    return result


def judge(problem: Problem, plan: Plan) -> Judgement:
    return together(problem, [judge_one(problem, index, each) for index, each in enumerate(plan.placements)])


def placements(problem: Problem, index: int) -> Iterator[Placement]:
    """Every exit with every node for every block."""
    application = problem.applications[index]
    for position, leave in enumerate(application.network.exits):
        for nodes in product(range(len(problem.cluster)), repeat=leave.after):
            yield Placement(application.name, position, nodes)


def feasible(problem: Problem, ignored: Container[object] = ()) -> Iterator[tuple[Judgement, Plan]]:
    """Every plan that breaks no limit but those of the kinds that are ignored."""
    options = []
    for index in range(len(problem.applications)):
        judged = [(judge_one(problem, index, each), each) for each in placements(problem, index)]
        options.append([(part, each) for part, each in judged if all(key[0] in ignored for key in part.own)])
    for chosen in product(*options):
        judgement = together(problem, [part for part, _ in chosen])
        if all(key[0] in ignored for key in judgement.broken):
            yield judgement, Plan(tuple(each for _, each in chosen))


def least_energy(problem: Problem, ignored: Container[object] = ()) -> float:
    """Over every plan; inf where none is feasible."""
    return min((judgement.energy_rate for judgement, _ in feasible(problem, ignored)), default=inf)
