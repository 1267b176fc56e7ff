"""Bytes that an executor has at once between two operators: for every state of a tensor and every need of it."""

from __future__ import annotations

import numpy as np

from iopt.partition.evaluation import Evaluator
from iopt.partition.footprint import exchange_bytes
from iopt.partition.geometry import Ints
from iopt.partition.search.chain import Chain
from iopt.partition.search.phases import CELLS, crossed, picked
from iopt.partition.transfer import Boxes, moved


def passing_bytes(evaluator: Evaluator, chain: Chain) -> list[Ints]:
    """By hop, bytes [states, needs, m] of its exchanges, by way of channels where the hop goes by them. Zero by memory
    models that do not count them."""
    counts = [
        (sum(len(block.kind) for block in held), len(need.kind))
        for held, need in zip(chain.held, chain.need, strict=True)
    ]
    devices = len(evaluator.problem.cluster)
    if evaluator.problem.memory != "runtime":
        return [np.zeros((*count, devices), dtype=np.int64) for count in counts]
    return [_of_hop(evaluator, chain, index) for index in range(len(counts))]


def _of_hop(evaluator: Evaluator, chain: Chain, index: int) -> Ints:
    held, need, scattered = chain.held[index], chain.need[index], chain.hops[index].scattered
    found = np.concatenate([_of_block(evaluator, index, block, need) for block in held if len(block.kind)])
    through, option = np.nonzero(scattered >= 0)
    if len(through):
        rows, channels, sums = held
        first = len(rows.kind) + len(channels.kind)
        spread = _of_block(evaluator, index, sums, channels)
        by = scattered[through, option]
        found[through, option] = np.maximum(spread[through - first, by - len(rows.kind)], found[by, option])
    return found


def _of_block(evaluator: Evaluator, index: int, held: Boxes, need: Boxes) -> Ints:
    """Between states of one kind and needs of any [states, needs, m]."""
    geometry, devices = evaluator.geometry, held.lo.shape[-1]
    tensors, given = geometry.tensors[index : index + 1], np.array([index == 0])
    pools = np.array([index > 0 and bool(geometry.pools[index - 1])])
    step = max(1, CELLS // (len(need.kind) * devices**2))
    parts = []
    for at in range(0, len(held.kind), step):
        some, wanted = crossed(picked(held, slice(at, at + step)), need)
        parts.append(exchange_bytes(tensors, some, wanted, moved(tensors, some, wanted), pools, given)[:, :, 0])
    return np.concatenate(parts)
