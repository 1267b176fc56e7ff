"""Early-exit networks by hand, and small placement problems drawn at random so that limits bind.

`tiny_problem(seed)` is deterministic. Limits are drawn one after the other, each between what the best plan so far and
some other plan, the witness, need: so each takes the best plan away, and the witness stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random
from typing import Literal

from iopt.cluster import Cluster, Device, Link, Network
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from tests.exits.reference import Judgement, feasible, judge, judge_one, together

Limited = Literal["none", "any", "all", "links"]

LOOSE_S = 1e3
"""A latency limit that nothing reaches."""

INFEASIBLE = 0.15
"""So often limits are drawn on until no plan is left."""


def network(blocks: int, exits: tuple[int, ...], draw: Random, name: str = "net", scale: float = 1.0) -> ExitNetwork:
    """Blocks of 0.2 to 2 Mop (times `scale`), exits after the blocks given."""
    bits = [draw.choice((0.0, *(draw.uniform(1e4, 4e5) for _ in range(5)))) for _ in range(blocks)]
    fractions = [draw.choice((1e-3, draw.uniform(0.05, 1), draw.uniform(0.05, 1))) for _ in exits]
    accuracies = [round(draw.uniform(0.4, 0.95), 3) for _ in exits]
    return ExitNetwork(
        name,
        draw.uniform(1e4, 4e5),
        tuple(
            Block(
                f"block-{b + 1}",
                draw.choice((0.0, *(scale * draw.uniform(2e5, 2e6) for _ in range(9)))),
                bits[b] if b + 1 < blocks else 0.0,
                draw.randint(0, 900),
            )
            for b in range(blocks)
        ),
        tuple(
            Exit(f"exit-{k + 1}", after, fraction / sum(fractions), accuracy)
            for k, (after, fraction, accuracy) in enumerate(zip(exits, fractions, accuracies, strict=True))
        ),
    )


def cluster(nodes: int, draw: Random, has_tiers: bool = True, links: bool = True) -> Cluster:
    """Nodes in up to three tiers; faster nodes may need more or less energy per operation. The last may be the twin of
    the one before."""
    tiers = ("device", "edge", "cloud")
    devices, rates = [], []
    dearer = draw.choice(((1, 1, 1), (1, 3, 8), (1, 0.4, 0.15)))
    for index in range(nodes):
        tier = 0 if index == 0 else draw.randrange(3)
        speed = 1e9 * draw.uniform(0.5, 2) * (1, 4, 10)[tier]
        devices.append(
            Device(
                f"node-{index}",
                speed,
                overhead_s=draw.choice((0.0, 0.0, 2e-4)),
                tier=tiers[tier] if has_tiers else None,
                power_w=speed * draw.uniform(0.2e-9, 1e-9) * dearer[tier],
                energy_per_bit_j=draw.uniform(0.2e-9, 4e-9),
            )
        )
        rates.append(draw.uniform(5e6, 1e8))
    if nodes > 2 and draw.random() < 0.15:
        devices[-1], rates[-1] = replace(devices[-2], name=devices[-1].name), rates[-2]
    extra = []
    for sender in range(nodes):
        for receiver in range(nodes):
            if links and sender != receiver and draw.random() < 0.2:
                extra.append(Link(sender, receiver, draw.choice((None, draw.uniform(1e6, 1e8)))))
    return Cluster(
        "drawn",
        tuple(devices),
        Network(
            draw.choice((0.0, 0.0, 3e-4)),
            tuple(rates),
            tuple(draw.uniform(0.5, 2) * rate for rate in rates),
            links=tuple(extra),
        ),
        tiers=tiers if has_tiers else (),
    )


@cache
def tiny_problem(
    seed: int, limited: Limited = "any", applications: int = 1, nodes: int = 3, most_blocks: int = 4
) -> Problem:
    """A problem that enumeration can decide. `limited`: whether shared limits may bind, or all or only links are drawn
    to."""
    draw = Random(f"exits-{seed}")
    nodes = draw.randint(2, nodes)
    place = cluster(nodes, draw, has_tiers=draw.random() < 0.8)
    asked = []
    for index in range(applications):
        blocks = draw.randint(1 if draw.random() < 0.2 else min(2, most_blocks), most_blocks)
        exits = tuple(sorted({*(b for b in range(1, blocks) if draw.random() < 0.4), blocks}))
        net = network(blocks, exits, draw, f"net-{index}")
        source = place.devices[draw.randrange(nodes)].name if draw.random() < 0.3 else None
        rate = draw.uniform(50, 200) if limited == "links" else draw.choice((1.0, draw.uniform(5, 50)))
        asked.append(Application(net, 0.0, LOOSE_S, rate, source, f"app-{index}"))
    problem = Problem(
        tuple(asked),
        place,
        energy=draw.choice(("expected", "unconditional")),
        link_rate=draw.choice(("min", "receiver")),
        latency=draw.choice(("worst", "worst", "expected")),
        pinned=draw.random() < 0.4 and limited != "links",
        tier_order=draw.random() < 0.6,
    )
    return _Tightening(problem, draw, limited).run()


def random_plan(problem: Problem, draw: Random) -> Plan:
    """Any plan, feasible or not; blocks tend to stay where the one before is."""
    placements = []
    for application, source in zip(problem.applications, problem.sources, strict=True):
        exit = draw.randrange(len(application.network.exits))
        path, before = [], source
        for _ in range(application.network.exits[exit].after):
            before = before if draw.random() < 0.5 else draw.randrange(len(problem.cluster))
            path.append(before)
        placements.append(Placement(application.name, exit, tuple(path)))
    return Plan(tuple(placements))


class _Tightening:
    """A problem, all its plans by rising energy, and the witness."""

    def __init__(self, problem: Problem, draw: Random, limited: Limited) -> None:
        self.problem, self.draw, self.limited = problem, draw, limited
        self._plans = sorted(feasible(problem), key=_energy)
        choice = self._plans[: 1 + len(self._plans) * 2 // 3]
        if draw.random() < (
            0.4 if limited == "links" else 0.8
        ):  # one that sends something, over several links if there is any
            most = min(2, max((len(judged.links) for judged, _ in choice), default=0))
            choice = [found for found in choice if len(found[0].links) >= most]
        self.witness = draw.choice(choice)[1] if choice else None

    def run(self) -> Problem:
        limited = self.limited
        own = [self.accuracy, self.latency, self.latency, self.tiers, self.source, self.absent]
        shared = [self.memory, self.memory, self.compute]
        if limited == "links" or (limited != "none" and self.draw.random() < 0.3):
            for _ in range(6):  # before all else: a slow link changes latencies
                self.bandwidth()
            own = own[:1]  # a link that fills up takes longer than any other latency
        steps = [step for step in own if self.draw.random() < 0.6]
        if limited in ("any", "all"):
            steps += [step for step in shared if limited == "all" or self.draw.random() < 0.5]
        self.draw.shuffle(steps)
        for step in (*steps, *steps):
            step()
        if self.draw.random() < INFEASIBLE:
            self.witness = None
            choices = own[:3] if limited in ("none", "links") else own[:3] + shared
            for _ in range(200):
                if not self._plans:
                    break
                self.draw.choice(choices)()
        return self.problem

    def accuracy(self) -> None:
        index = self._some_application()
        low, high = self._between(lambda judged: -judged.accuracy[index])
        if low < high:
            target = min(1.0, -self.draw.choice((low, self.draw.uniform(low, high))))
            self._change_application(index, accuracy=max(target, 0.0))

    def latency(self) -> None:
        index = self._some_application()
        low, high = self._between(lambda judged: judged.latency[index])
        limit = self.draw.choice((low, self.draw.uniform(low, high)))
        if 0 < limit < high < LOOSE_S:
            self._change_application(index, latency_s=limit)

    def memory(self) -> None:
        node = self._some_node(lambda judged: judged.memory)
        low, high = self._between(lambda judged: judged.memory.get(node, 0.0))
        if low < high:
            cap = self.draw.choice((int(low), self.draw.randint(int(low), int(high) - 1)))
            devices = list(self.problem.cluster.devices)
            devices[node] = replace(devices[node], memory_bytes=max(cap, 1))
            self._change(cluster=replace(self.problem.cluster, devices=tuple(devices)))

    def compute(self) -> None:
        speeds = [device.flops_per_s for device in self.problem.cluster.devices]
        low, high = self._between(lambda judged: max(judged.compute[n] / speeds[n] for n in judged.compute))
        limit = self.draw.choice((low, self.draw.uniform(low, high)))
        if 0 < limit < high:
            self._change(max_load=limit)

    def bandwidth(self) -> None:
        if ends := self._some_link():
            low, high = self._between(lambda judged: judged.links.get(ends, 0.0))
            if low < high:
                self._change_link(ends, self.draw.uniform(max(low, 0.3 * high), high) / 8)

    def absent(self) -> None:
        if ends := self._some_link():
            over = [ends in judged.links for judged, plan in self._plans if plan == self.witness]
            if not any(over):
                self._change_link(ends, None)

    def tiers(self) -> None:
        if self.witness is None or self._witness_keeps(replace(self.problem, tier_order=True)):
            self._change(tier_order=True)

    def source(self) -> None:
        if self.witness is None or self._witness_keeps(replace(self.problem, pinned=True)):
            self._change(pinned=True)

    def _some_link(self) -> tuple[int, int] | None:
        """One that the best plan uses."""
        links = sorted(self._plans[0][0].links) if self._plans else []
        return self.draw.choice(links) if links else None

    def _change_link(self, ends: tuple[int, int], rate: float | None) -> None:
        network = self.problem.cluster.network
        links = tuple(link for link in network.links if (link.sender, link.receiver) != ends)
        network = replace(network, links=(*links, Link(*ends, rate)))
        self._change(cluster=replace(self.problem.cluster, network=network))

    def _witness_keeps(self, problem: Problem) -> bool:
        return self.witness is not None and not judge(problem, self.witness).broken

    def _between(self, need: Callable[[Judgement], float]) -> tuple[float, float]:
        """What the witness needs (0 without one) and, if it is more, what the best plan needs."""
        if not self._plans:
            return 0.0, 0.0
        high = need(self._plans[0][0])
        if self.witness is None:
            return 0.5 * high if high > 0 else 1.5 * high, high
        low = next(need(judged) for judged, plan in self._plans if plan == self.witness)
        return low, max(low, high)

    def _some_application(self) -> int:
        return self.draw.randrange(len(self.problem.applications))

    def _some_node(self, uses: Callable[[Judgement], dict[int, float]]) -> int:
        """One that the best plan uses."""
        return self.draw.choice(sorted(uses(self._plans[0][0]))) if self._plans else 0

    def _change_application(self, index: int, **values: float) -> None:
        applications = list(self.problem.applications)
        applications[index] = replace(applications[index], **values)  # type: ignore[arg-type]
        self._change(applications=tuple(applications))

    def _change(self, **values: object) -> None:
        self.problem = replace(self.problem, **values)  # type: ignore[arg-type]
        self._look()

    def _look(self) -> None:
        """Judge the plans that are left; a change only ever takes some away."""
        parts: dict[tuple[int, Placement], Judgement] = {}
        found = []
        for _, plan in self._plans:
            for key in enumerate(plan.placements):
                if key not in parts:
                    parts[key] = judge_one(self.problem, *key)
            judged = together(self.problem, [parts[key] for key in enumerate(plan.placements)])
            if not judged.broken:
                found.append((judged, plan))
        self._plans = sorted(found, key=_energy)


def _energy(found: tuple[Judgement, Plan]) -> float:
    return found[0].energy_rate
