"""DeepThings' fused tile partitioning (TCAD 2018): all layers in one group of N x M tiles."""

from __future__ import annotations

from iopt.tiling.heuristics.spaces import candidates, first
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem


def deepthings(problem: Problem) -> Configuration | None:
    """The best of one group that keeps the limits, over all N x M up to `max_tiles`; None if none does.

    The layers that need their whole input end its group, and run untiled. A reconstruction: the paper
    sets N x M by hand.
    """
    layers, most = problem.layers, problem.max_tiles
    stop = next((layer.index for layer in layers if layer.whole), len(layers))
    rest = (Group(stop, len(layers) - 1),) if stop < len(layers) else ()
    space = [
        Configuration((Group(0, stop - 1, n, m), *rest)) if stop else Configuration(rest)
        for n in range(1, most + 1)
        for m in range(1, most + 1)
    ]
    found = candidates(problem, space, most)
    return first(found, lambda candidate: (candidate.value, candidate.peak_bytes, candidate.macs, candidate.tiles))
