"""Seconds of the phases between all states that a tensor may be held in and all needs of it."""

from __future__ import annotations

import numpy as np

from iopt.cluster import Network
from iopt.partition.geometry import Floats, Ints, Tensors
from iopt.partition.transfer import CHANNELS, ROWS, WHOLE, Boxes, moved, phase_time

CELLS = 1 << 17
"""Pairs of devices, over all pairs of state and need, per numpy call: its arrays stay in the cache."""


def phases_s(tensors: Tensors, network: Network, held: tuple[Boxes, ...], need: Boxes) -> Floats:
    """Seconds of the phase between every state and every need [states, needs]; the states come in blocks of a kind."""
    seconds = np.zeros((sum(len(block.kind) for block in held), len(need.kind)))
    at = 0
    for block in held:
        for kind in np.unique(need.kind):
            some = np.flatnonzero(need.kind == kind)
            if len(block.kind):
                seconds[at : at + len(block.kind), some] = block_s(tensors, network, block, picked(need, some))
        at += len(block.kind)
    return seconds


def block_s(tensors: Tensors, network: Network, held: Boxes, need: Boxes) -> Floats:
    """Seconds between states of one kind and needs of one kind: [states, needs].

    Where rows meet channels, or everything is needed, only the set of needing devices counts: equal needs are looked at
    once.
    """
    if need.kind[0] == WHOLE or (held.kind[0] in (ROWS, CHANNELS) and held.kind[0] != need.kind[0]):
        need = Boxes(np.full(len(need.kind), WHOLE), np.zeros_like(need.lo), need.present.astype(np.int64))
    boxes = np.concatenate([need.lo, need.hi], axis=-1)
    once = {tuple(box): index for index, box in reversed(list(enumerate(boxes.tolist())))}
    first = np.array(sorted(once.values()))
    place = {index: at for at, index in enumerate(first.tolist())}
    back = np.array([place[once[tuple(box)]] for box in boxes.tolist()])
    wanted = picked(need, first)
    step = max(1, CELLS // (len(first) * held.lo.shape[-1] ** 2))
    chunks = [picked(held, slice(at, at + step)) for at in range(0, len(held.kind), step)]
    seconds = [phase_time(moved(tensors, *crossed(chunk, wanted)), network) for chunk in chunks]
    return np.concatenate(seconds)[:, back, 0]


def picked(boxes: Boxes, part: Ints | slice) -> Boxes:
    """Some of the boxes [N]."""
    return Boxes(boxes.kind[part], boxes.lo[part], boxes.hi[part])


def crossed(held: Boxes, need: Boxes) -> tuple[Boxes, Boxes]:
    """Every state with every need: boxes [states, needs, 1] over one tensor.

    In memory devices come first: numpy's inner loops then run over pairs, of which there are many, not over devices.
    """
    pairs = (len(held.kind), len(need.kind))

    def spread(part: Ints) -> Ints:
        by_device = np.moveaxis(np.broadcast_to(part, (*pairs, part.shape[-1])), -1, 0)
        return np.moveaxis(np.ascontiguousarray(by_device), 0, -1)[:, :, None]

    return (
        Boxes(held.kind[:, None, None], spread(held.lo[:, None]), spread(held.hi[:, None])),
        Boxes(need.kind[None, :, None], spread(need.lo), spread(need.hi)),
    )
