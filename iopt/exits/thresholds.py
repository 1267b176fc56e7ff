"""Every threshold vector of a grid as a network of its own, without those that another one is at least as good as.

A vector dominates another one if with it, for every exit k, no fewer samples have left at k or before, and the network
whose deepest exit is k is no less accurate. Then every plan of the other network is a plan of this one: it reaches the
same accuracy target, no block is reached by more samples, so energy, expected latency and every load are no higher
(worst-case latency and memory do not depend on thresholds). So nothing is lost by dropping the other one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from iopt.door.given import check_kind
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.exits.confidence import Floats
from iopt.exits.dominance import undominated
from iopt.exits.network import ExitNetwork
from iopt.exits.observations import Observations

MOST_VECTORS = 200_000


@dataclass(frozen=True)
class Variant:
    """A network under one threshold vector; the blocks are those of all other variants."""

    thresholds: tuple[float, ...]
    network: ExitNetwork


def grid(observations: Observations, size: int) -> tuple[tuple[float, ...], ...]:
    """Thresholds per exit but the last, at most `size`: 0, 1 and some with equal shares of the samples between them.

    0 and 1 let everybody leave, or nobody but who is wholly sure. The others lie halfway between two neighbouring
    confidences, so that they divide the samples alike whatever the last bits of a score.
    """
    check_kind(observations, Observations, "observations", how="iopt.exits.observe makes them")
    if type(size) is not int or size < 2:
        raise OptionError(f"size is {shown(size)}; expected two thresholds or more per exit")
    return tuple(_between(np.sort(column), size) for column in observations.confidence[:, :-1].T)


def _between(column: Floats, size: int) -> tuple[float, ...]:
    found = {0.0, 1.0}
    for share in range(1, size - 1):
        below = column[share * len(column) // (size - 1)]
        above = column[column > below]
        if len(above):
            found.add(float(below + above[0]) / 2)
    return tuple(sorted(found))


def variants(
    network: ExitNetwork,
    observations: Observations,
    grids: Sequence[Sequence[float]],
    drop_dominated: bool = True,
) -> list[Variant]:
    """The network under every threshold vector of the grids, one grid per exit but the last, in lexical order.

    `drop_dominated` leaves out those that another one is at least as good as; of equal ones the first stays. Raises
    `OptionError` for a grid that does not fit, and for more than `MOST_VECTORS` vectors.
    """
    check_kind(network, ExitNetwork, "network", "iopt.exits.load_profile")
    check_kind(observations, Observations, "observations", how="iopt.exits.observe makes them")
    names = tuple(leave.name for leave in network.exits)
    if observations.names != names:
        raise OptionError(f"observations are of exits {', '.join(observations.names)}; expected {', '.join(names)}")
    grids = _numbers(grids)
    if len(grids) != len(names) - 1:
        raise OptionError(f"grids: {len(grids)} given; expected {len(names) - 1}, one per exit but the last")
    count = math.prod(len(values) for values in grids)
    if not 0 < count <= MOST_VECTORS:
        raise OptionError(f"grids: {count} threshold vectors; expected 1 to {MOST_VECTORS}")
    vectors = np.array(list(product(*grids)), dtype=np.float64).reshape(count, -1)
    found = observations.outcomes(vectors)
    kept = list(range(count))
    if drop_dominated:
        criteria = np.hstack([found.fractions.cumsum(axis=1)[:, :-1], found.accuracies])
        kept = undominated(-np.rint(criteria * len(observations))).tolist()
    return [
        Variant(tuple(vectors[at].tolist()), measured(network, found.fractions[at], found.accuracies[at]))
        for at in kept
    ]


def _numbers(grids: Sequence[Sequence[float]]) -> list[list[float]]:
    """As lists. Raises `OptionError` for what is no sequence of sequences of numbers."""
    try:
        return [np.asarray(values, dtype=np.float64).reshape(len(values)).tolist() for values in grids]
    except (TypeError, ValueError):
        expected = "expected numbers from 0 to 1 for each exit but the last"
        raise OptionError(f"grids are {shown(grids)}; {expected}") from None


def measured(network: ExitNetwork, fractions: Floats, accuracies: Floats) -> ExitNetwork:
    """The network with other fractions and accuracies, [exits] both."""
    pairs = zip(network.exits, fractions.tolist(), accuracies.tolist(), strict=True)
    exits = tuple(replace(leave, fraction=fraction, accuracy=accuracy) for leave, fraction, accuracy in pairs)
    return replace(network, exits=exits)
