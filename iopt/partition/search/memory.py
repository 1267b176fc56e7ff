"""Bytes that an option works with besides parameters, and a beam search for plans that keep the memory caps."""

from __future__ import annotations

import numpy as np

from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import Floats, Ints
from iopt.partition.plan import Plan
from iopt.partition.search.chain import Chain
from iopt.partition.search.stage import Stage

WIDTH = 100
"""Paths that the beam keeps."""

RESERVES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Each is tried: what is left under tight caps can hardly all be filled."""


def working_bytes(evaluator: Evaluator, index: int, stage: Stage) -> Ints:
    """Bytes of the boxes of each option of operator `index` [N, m], found from that operator alone."""
    count, operators, devices = len(stage.mode), len(evaluator.problem.operators), len(evaluator.problem.cluster)
    mode, off = np.zeros((count, operators), dtype=np.int64), np.zeros((count, operators), dtype=bool)
    lo, hi, none = (np.zeros((count, operators, devices), dtype=np.int64) for _ in range(3))
    mode[:, index], lo[:, index], hi[:, index] = stage.mode, stage.lo, stage.hi
    alone = Decisions(mode, lo, hi, off, none, none, off)
    working: Ints = evaluator.working_bytes(alone, evaluator.needs(alone))[:, index]
    return working


def fitting_plan(
    chain: Chain, working: list[Ints], passing: list[Ints], caps: Floats, prices: Floats, reserve: float
) -> Plan | None:
    """A plan that keeps the caps [m], by beam search; None if the beam runs dry. `working` [N, m] by operator and
    `passing` [states, N, m] by hop: bytes in use besides parameters.

    Of the paths that keep the caps so far, and leave room for 1 + `reserve` times the parameters to come, the `WIDTH`
    are kept whose seconds, price and least priced rest (`prices` [m], seconds per byte) are the lowest.
    """
    rest = chain.to_go(chain.costs(prices))
    least = np.array([stage.resident.sum(axis=1).min() for stage in chain.stages])
    still = (1 + reserve) * (least[::-1].cumsum()[::-1] - least)
    state, seconds = np.zeros(1, dtype=np.int64), np.zeros(1)
    used, peak = (np.zeros((1, len(caps)), dtype=np.int64) for _ in range(2))
    trail: list[tuple[Ints, Ints]] = []
    for index, (stage, hop) in enumerate(zip(chain.stages, chain.hops, strict=False)):
        grown = used[:, None] + stage.resident
        highest = np.maximum(np.maximum(peak[:, None], working[index]), passing[index][state])
        room = caps - grown - highest
        reached = seconds[:, None] + hop.seconds[state] + stage.compute_s
        score = reached + grown @ prices + rest[index + 1][stage.state]
        score = np.where((room >= 0).all(axis=-1) & (room.sum(axis=-1) >= still[index]), score, np.inf)
        order = np.argsort(score, axis=None, kind="stable")[:WIDTH]
        before, option = np.unravel_index(order[np.isfinite(score.flat[order])], score.shape)
        if not len(option):
            return None
        trail.append((before, option))
        state, seconds = stage.state[option], reached[before, option]
        used, peak = grown[before, option], highest[before, option]
    fits = (np.maximum(peak, passing[-1][state, 0]) + used <= caps).all(axis=-1)
    if not fits.any():
        return None
    return _traced(chain, trail, int(np.where(fits, seconds + rest[-1][state], np.inf).argmin()))


def _traced(chain: Chain, trail: list[tuple[Ints, Ints]], label: int) -> Plan:
    path = []
    for before, option in reversed(trail):
        path.append(int(option[label]))
        label = int(before[label])
    return chain.plan(path[::-1])
