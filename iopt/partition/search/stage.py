"""One operator of the dynamic programme: its options and the states that it may leave its output in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import IC, OC, Floats, H, Ints
from iopt.partition.plan import Interval
from iopt.partition.search.candidates import Candidates, distinct
from iopt.partition.transfer import CHANNELS, PARTIAL, ROWS, Boxes


@dataclass(frozen=True)
class Stage:
    """`mode` [N], `lo`, `hi` [N, m]: the options. `need`: what each needs of the input; `compute_s` [N]; `resident`
    [N, m] bytes of parameters. `left`: the states that the output may be left in, `state` [N] the one of each option:
    rows of an H option, channels of an OC option, partial sums on a set of devices. What follows depends on nothing
    else.
    """

    mode: Ints
    lo: Ints
    hi: Ints
    need: Boxes
    compute_s: Floats
    resident: Ints
    left: tuple[Boxes, ...]
    state: Ints

    def intervals(self, option: int) -> tuple[Interval, ...]:
        return tuple(zip(self.lo[option].tolist(), self.hi[option].tolist(), strict=True))


def stages(evaluator: Evaluator, options: tuple[Candidates, ...]) -> list[Stage]:
    """The stages of a chain; needs and compute are the evaluator's, all operators in one call (the last option of an
    operator is repeated where others have more)."""
    mode = [np.concatenate([np.full(len(shares), code) for code, shares in own.items()]) for own in options]
    shares = [np.vstack(list(own.values())) for own in options]
    counts = [len(own) for own in mode]
    pick = [np.minimum(np.arange(max(counts)), count - 1) for count in counts]
    table = _decisions(
        np.stack([codes[at] for codes, at in zip(mode, pick, strict=True)], axis=1),
        np.stack([vectors[at] for vectors, at in zip(shares, pick, strict=True)], axis=1),
    )
    need, compute_s = evaluator.needs(table), evaluator.compute_s(table)
    geometry, found = evaluator.geometry, []
    for index, count in enumerate(counts):
        lo, hi, codes = table.lo[:count, index], table.hi[:count, index], mode[index]
        weights = geometry.weight_bytes[index, codes, None] * shares[index]
        resident = weights + geometry.fixed_bytes[index, codes, None] * (shares[index] > 0)
        boxes = Boxes(*(part[:count, index] for part in need))
        left, state = _states(codes, lo, hi)
        found.append(Stage(codes, lo, hi, boxes, compute_s[:count, index], resident, left, state))
    return found


def _states(mode: Ints, lo: Ints, hi: Ints) -> tuple[tuple[Boxes, ...], Ints]:
    """One block of states per kind (rows, channels, partial sums), and the state of each option [N]."""
    rows, channels, partial = (np.flatnonzero(some) for some in (mode == H, mode == OC, mode >= IC))
    present = (hi > lo)[partial].astype(np.int64)
    sets = distinct(present).reshape(-1, lo.shape[-1])
    blocks = tuple(
        Boxes(np.full(len(low), kind), low, high)
        for kind, low, high in (
            (ROWS, lo[rows], hi[rows]),
            (CHANNELS, lo[channels], hi[channels]),
            (PARTIAL, np.zeros_like(sets), sets),
        )
    )
    state = np.zeros(len(mode), dtype=np.int64)
    state[rows], state[channels] = np.arange(len(rows)), len(rows) + np.arange(len(channels))
    member = (present[:, None] == sets[None]).all(axis=-1)
    state[partial] = len(rows) + len(channels) + member.argmax(axis=-1) if len(sets) else 0
    return blocks, state


def _decisions(mode: Ints, shares: Ints) -> Decisions:
    """Modes [N, n] and shares [N, n, m] without any combine."""
    hi = shares.cumsum(axis=-1)
    off = np.zeros(mode.shape, dtype=bool)
    return Decisions(mode, hi - shares, hi, off, np.zeros_like(hi), np.zeros_like(hi), off)
