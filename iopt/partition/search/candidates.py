"""Candidate share vectors: what the dynamic programme may choose from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from iopt.cluster import Cluster, Medium
from iopt.graph.layers import ELEMENT_BYTES
from iopt.partition.decisions import split_code
from iopt.partition.geometry import IC_ROWS, OC, Floats, Geometry, H, Ints
from iopt.partition.heuristics.shares import earliest_shares, round_shares
from iopt.partition.plan import Interval, Plan, Scatter
from iopt.partition.problem import Problem

Candidates = dict[int, Ints]
"""For one operator: share vectors [count, m] by code of the mode (`geometry`), without repetition. Those of OC are also
the scattered channels that an IC split may choose from."""

_FEW = 4
"""With so many devices or fewer every subset is tried."""


def candidates(problem: Problem, geometry: Geometry, seeds: Sequence[Plan] = ()) -> tuple[Candidates, ...]:
    """Candidates of every operator: the rounded weights of the cluster, then the vectors that `seeds` use there."""
    weights = np.array(list(_weights(problem)))
    rounded: dict[tuple[int, int, bool], Ints] = {}
    found = []
    for index in range(len(problem.operators)):
        seeded = _seeded(seeds, index)
        own: Candidates = {}
        for code in range(IC_ROWS + 1):
            size, unit = int(geometry.size[index, code]), int(geometry.unit[index, code])
            key = (size, unit, code in (H, IC_ROWS))
            if not size:
                continue
            if key not in rounded:
                rounded[key] = _rounded(weights, *key)
            extra = [shares for shares in seeded.get(code, []) if sum(shares) == size]
            own[code] = distinct(np.vstack([rounded[key], *extra]) if extra else rounded[key])
        found.append(own)
    return tuple(found)


def _rounded(weights: Floats, size: int, unit: int, are_rows: bool) -> Ints:
    """Weights as shares; of rows, of which there are few, also those that are done earliest."""
    shares = round_shares(size, weights, unit)
    return np.vstack([shares, earliest_shares(size, weights)]) if are_rows else shares


def distinct(rows: Ints) -> Ints:
    """Rows without repetition, in the order of their first appearance."""
    return np.array(list(dict.fromkeys(map(tuple, rows.tolist()))), dtype=np.int64)


def _weights(problem: Problem) -> Iterator[Floats]:
    """Equal weights and FLOP/s over: the q fastest devices by FLOP/s and by link (q = 1 ... m), each device alone,
    every subset of a few devices. With memory caps also the caps, and FLOP/s cut off where a cap would be full
    [choice]."""
    cluster = problem.cluster
    rate, link = _speeds(cluster)
    sets = [np.argsort(-speed, kind="stable")[:count] for count in range(1, len(rate) + 1) for speed in (rate, link)]
    sets += [np.array([device]) for device in range(len(rate))]
    if len(rate) <= _FEW:
        sizes = range(1, len(rate) + 1)
        sets += [np.array(some) for size in sizes for some in itertools.combinations(range(len(rate)), size)]
    for devices in sets:
        chosen = np.zeros(len(rate))
        chosen[devices] = 1.0
        yield chosen
        yield chosen * rate / rate.max()
    parameters = sum(operator.parameters for operator in problem.operators)
    caps = [device.memory_bytes for device in cluster.devices]
    if parameters and any(cap is not None for cap in caps):
        room = np.array([np.inf if cap is None else cap / (ELEMENT_BYTES * parameters) for cap in caps])
        yield np.minimum(room, 1.0)
        yield _filled(rate, room)


def _speeds(cluster: Cluster) -> tuple[Floats, Floats]:
    """FLOP/s, and the slower direction of the link (all alike on a shared medium), of each device."""
    rate = np.array([device.flops_per_s for device in cluster.devices])
    if cluster.network.medium is Medium.SHARED:
        return rate, np.ones(len(cluster))
    return rate, np.minimum(cluster.network.up_bytes_per_s, cluster.network.down_bytes_per_s)


def _filled(rate: Floats, room: Floats) -> Floats:
    """Weights that sum to one, in proportion to `rate` up to `room` (to the last room where there is too little)."""
    weights, is_open = np.zeros(len(rate)), np.ones(len(rate), dtype=bool)
    while is_open.any():
        even = rate * is_open * (1 - weights[~is_open].sum()) / rate[is_open].sum()
        full = is_open & (even > room)
        if not full.any():
            return np.where(is_open, np.maximum(even, 0.0), weights)
        weights[full], is_open = room[full], is_open & ~full
    return weights


def _seeded(seeds: Sequence[Plan], index: int) -> dict[int, list[tuple[int, ...]]]:
    """Share vectors that plans use at one operator, by mode; scattered channels count as OC."""
    found: dict[int, list[tuple[int, ...]]] = {}
    for plan in seeds:
        split = plan.splits[index]
        found.setdefault(split_code(split), []).append(_lengths(split.intervals))
        if isinstance(split.combine, Scatter):
            found.setdefault(OC, []).append(_lengths(split.combine.intervals))
    return found


def _lengths(intervals: tuple[Interval, ...]) -> tuple[int, ...]:
    return tuple(hi - lo for lo, hi in intervals)
