"""The shortest path over a chain of operators: exact over axis, combine, share choice and scatter shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iopt.cluster import Network
from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import IC_ROWS, OC, Floats, H, Ints, Tensors
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split
from iopt.partition.search.candidates import Candidates
from iopt.partition.search.phases import block_s, phases_s
from iopt.partition.search.stage import Stage, stages
from iopt.partition.transfer import WHOLE, Boxes, whole_on


@dataclass(frozen=True)
class Hop:
    """From the states before an operator to its options: `seconds` [states, N], with a reduce-scatter where that pays;
    `scattered` [states, N] is then the channel state in between, else -1. The last hop of a chain ends on the
    sink (N = 1)."""

    seconds: Floats
    scattered: Ints


@dataclass(frozen=True)
class Chain:
    """`stages` of the operators and the `hops` into each of them, then the output phase, from the states `held` in
    blocks of a kind to the needs `need`."""

    names: tuple[str, ...]
    stages: list[Stage]
    hops: list[Hop]
    held: list[tuple[Boxes, ...]]
    need: list[Boxes]

    @staticmethod
    def of(evaluator: Evaluator, options: tuple[Candidates, ...]) -> Chain:
        cluster, tensors = evaluator.problem.cluster, evaluator.geometry.tensors
        found = stages(evaluator, options)
        source, sink = (_one(whole_on(device, len(cluster))) for device in (cluster.source, cluster.sink))
        held, need = [(source,), *(stage.left for stage in found)], [*(stage.need for stage in found), sink]
        hops = [_hop(tensors[i : i + 1], cluster.network, held[i], need[i]) for i in range(len(need))]
        return Chain(tuple(operator.name for operator in evaluator.problem.operators), found, hops, held, need)

    def costs(self, prices: Floats | None = None) -> list[Floats]:
        """Seconds of compute of each option [N], plus, with `prices` [m], seconds per resident byte of parameters."""
        if prices is None:
            return [stage.compute_s for stage in self.stages]
        return [stage.compute_s + stage.resident @ prices for stage in self.stages]

    def to_go(self, costs: list[Floats]) -> list[Floats]:
        """Least cost from each state to the end: first from the input [1], then after each stage [states]."""
        found = [self.hops[-1].seconds[:, 0]]
        for stage, hop, cost in reversed(list(zip(self.stages, self.hops, costs, strict=False))):
            found.append((hop.seconds + (cost + found[-1][stage.state])).min(axis=1))
        return found[::-1]

    def shortest(self, costs: list[Floats]) -> tuple[Plan, float]:
        """The plan of least cost, and that cost."""
        rest, state, path = self.to_go(costs), 0, []
        for stage, hop, cost, after in zip(self.stages, self.hops, costs, rest[1:], strict=False):
            path.append(int((hop.seconds[state] + cost + after[stage.state]).argmin()))
            state = int(stage.state[path[-1]])
        return self.plan(path), float(rest[0][0])

    def plan(self, path: Sequence[int]) -> Plan:
        """The plan that takes these options, partial sums combined the faster way."""
        following = [*path[1:], 0]
        splits = []
        for index, (stage, option, after) in enumerate(zip(self.stages, path, following, strict=True)):
            scattered = int(self.hops[index + 1].scattered[stage.state[option], after])
            splits.append(_split(self.names[index], stage, option, scattered))
        return Plan(tuple(splits))


def _split(name: str, stage: Stage, option: int, scattered: int) -> Split:
    mode = int(stage.mode[option])
    if mode in (H, OC):
        return Split(name, Axis.H if mode == H else Axis.OC, stage.intervals(option))
    combine = Direct() if scattered < 0 else Scatter(stage.intervals(int((stage.state == scattered).argmax())))
    return Split(name, Axis.IC, stage.intervals(option), "rows" if mode == IC_ROWS else None, combine)


def _hop(tensors: Tensors, network: Network, held: tuple[Boxes, ...], need: Boxes) -> Hop:
    """Transfers from every state; from partial sums directly, or by way of channels."""
    seconds = phases_s(tensors, network, held, need)
    scattered = np.full(seconds.shape, -1)
    if len(held) > 1 and len(held[1].kind) and len(held[2].kind):
        rows, channels, _ = (len(block.kind) for block in held)
        through = block_s(tensors, network, held[2], held[1])[:, :, None] + seconds[rows : rows + channels]
        partial, best = seconds[rows + channels :], through.argmin(axis=1)
        least = np.take_along_axis(through, best[:, None], axis=1)[:, 0]
        scattered[rows + channels :] = np.where(least < partial, rows + best, -1)
        np.minimum(partial, least, out=partial)
    return Hop(seconds, scattered)


def _one(boxes: Boxes) -> Boxes:
    """Boxes without a leading dimension as a block of one."""
    return Boxes(np.full(1, WHOLE), boxes.lo[None], boxes.hi[None])
