"""DeepThings' fused tile partitioning (TCAD 2018): all layers in one group of N x M tiles, with or without reuse."""

from __future__ import annotations

from iopt.tiling.heuristics.spaces import candidates, first, tileable
from iopt.tiling.plan import Configuration, Group, Reuse
from iopt.tiling.problem import Problem


def deepthings(problem: Problem) -> Configuration | None:
    """The best of one group that keeps the limits, over all N x M up to `max_tiles`, and with checkerboard reuse
    where the problem allows it; None if none does.

    The layers that need their whole input end its group, and run untiled, with the block that they are in. A
    reconstruction: the paper sets N x M by hand.
    """
    layers, most = problem.layers, problem.max_tiles
    kinds: tuple[Reuse, ...] = ("none", "checkerboard") if problem.may_reuse else ("none",)
    stop = tileable(problem)
    rest = (Group(stop, len(layers) - 1),) if stop < len(layers) else ()
    space = [
        Configuration((Group(0, stop - 1, n, m, reuse), *rest)) if stop else Configuration(rest)
        for n in range(1, most + 1)
        for m in range(1, most + 1)
        for reuse in kinds
    ]
    found = candidates(problem, space, most)
    return first(found, lambda candidate: (candidate.value, candidate.peak_bytes, candidate.macs, candidate.tiles))
