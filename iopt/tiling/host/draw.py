"""Configurations drawn at random: most are what a latency model is fitted to, the others judge it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from iopt.door.given import check_count, check_kind
from iopt.errors import PlanError
from iopt.tiling.admissible import check
from iopt.tiling.plan import Configuration, Group, Reuse
from iopt.tiling.problem import Problem

MOST_CUTS, MOST_SIDE = 3, 5
REUSED, WHOLE = 0.2, 0.6
"""Shares of tiled groups with reuse, and of groups in the second half of the network that are not tiled."""
JUDGING = 4
"""Every so many-th configuration judges the model, which is not fitted to it."""
TRIES = 1000
"""Draws in a row that find nothing new: then there are no more, as of a small network."""


def drawn(problem: Problem, count: int, seed: int = 0) -> list[Configuration]:
    """Up to `count` different configurations, the first untiled: up to four groups of up to 5 x 5 tiles, a fifth of
    them with reuse where that can be. The first ones are the same for every `count`. Raises `OptionError`."""
    check_kind(problem, Problem, "problem")
    check_count(count, "configurations")
    random, found = Random(seed), {Configuration((Group(0, len(problem.layers) - 1),)): None}
    vain = 0
    while len(found) < count and vain < TRIES:
        vain += 1
        configuration = _one(problem, random)
        if configuration not in found and _is_admissible(problem, configuration):
            found[configuration] = None
            vain = 0
    return list(found)


def divided(configurations: Sequence[Configuration]) -> tuple[list[Configuration], list[Configuration]]:
    """Those that a model is fitted to, and those that judge it."""
    judging = set(range(JUDGING - 1, len(configurations), JUDGING))
    fitted = [configuration for index, configuration in enumerate(configurations) if index not in judging]
    return fitted, [configurations[index] for index in sorted(judging)]


def _is_admissible(problem: Problem, configuration: Configuration) -> bool:
    """Not with reuse in blocks."""
    try:
        check(problem, configuration)
    except PlanError:
        return False
    return True


def _one(problem: Problem, random: Random) -> Configuration:
    layers, between = problem.layers, [segment.first for segment in problem.segments[1:]]
    cuts = sorted(random.sample(between, random.randint(0, min(MOST_CUTS, len(between)))))
    groups: list[Group] = []
    for first, stop in zip([0, *cuts], [*cuts, len(layers)], strict=True):
        output = layers[stop - 1].output
        rows, columns = (random.randint(1, min(MOST_SIDE, size)) for size in (output.height, output.width))
        is_whole = any(layer.whole for layer in layers[first:stop])
        if is_whole or rows * columns == 1 or (first >= len(layers) // 2 and random.random() < WHOLE):
            groups = _with_untiled(groups, first, stop - 1)
        else:
            reuse: Reuse = "checkerboard" if random.random() < REUSED else "none"
            groups.append(Group(first, stop - 1, rows, columns, reuse))
    return Configuration(tuple(groups))


def _with_untiled(groups: list[Group], first: int, last: int) -> list[Group]:
    """Two untiled groups next to each other run as one does."""
    if groups and not groups[-1].is_tiled:
        return [*groups[:-1], Group(groups[-1].first, last)]
    return [*groups, Group(first, last)]
