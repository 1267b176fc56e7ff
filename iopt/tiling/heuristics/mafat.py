"""MAFAT (arXiv 2107.06960): at most two groups of square tilings with a cut after a pooling, fewest tiles first.

The body of the paper was not at hand: the space is from its abstract and public code, the order of the search is a
reconstruction.
"""

from __future__ import annotations

from typing import Literal

from iopt.tiling.heuristics.spaces import Candidate, candidates, first, tileable
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem

SQUARES = (1, 2, 3, 4, 5)
Bottom = Literal["2x2", "free"]


def mafat(problem: Problem, bottom: Bottom = "2x2", fallback: bool = False) -> Configuration | None:
    """The first configuration that keeps the limits: fewest tiles over both groups, then fewest groups, then least
    multiply-accumulates. For the objective `memory`: that of least memory.

    None if nothing fits; with `fallback` then the one of least memory, which breaks a limit.
    """
    found = candidates(problem, space(problem, bottom), SQUARES[-1])
    chosen = first(found, _by_memory if problem.objective == "memory" else _by_tiles)
    if chosen is None and fallback:
        return min(found, key=_by_memory).configuration
    return chosen


def space(problem: Problem, bottom: Bottom = "2x2") -> list[Configuration]:
    """Every configuration that it considers. `bottom`: tiling of the second group, fixed or one of the squares.

    Layers that need their whole input come after both groups, untiled, with the block that they are in.
    """
    layers = problem.layers
    stop = tileable(problem)
    rest = (Group(stop, len(layers) - 1),) if stop < len(layers) else ()
    if stop == 0:
        return [Configuration(rest)]
    found = [Configuration((Group(0, stop - 1, n, n), *rest)) for n in SQUARES]
    starts = [segment.first for segment in problem.segments[1:] if segment.first < stop]
    cuts = [start for start in starts if _is_pooling(layers[start - 1])]
    for cut in cuts:
        for top in SQUARES:
            for low in (2,) if bottom == "2x2" else SQUARES:
                found.append(Configuration((Group(0, cut - 1, top, top), Group(cut, stop - 1, low, low), *rest)))
    return found


def _is_pooling(layer: Layer) -> bool:
    return layer.kind in ("max", "average")


def _by_tiles(candidate: Candidate) -> tuple[float, ...]:
    return candidate.tiles, len(candidate.configuration.groups), candidate.macs, candidate.peak_bytes


def _by_memory(candidate: Candidate) -> tuple[float, ...]:
    return candidate.peak_bytes, candidate.macs, candidate.tiles
