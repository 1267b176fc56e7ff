"""Where a network may be cut: the maps alive at each layer, and the segments between cuts.

Between two groups one whole map exists. So a cut before a layer is allowed where the map of the layer before is the
only one alive. A segment is what lies between two such cuts next to each other: a layer, or a block of branches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from iopt.tiling.layers import SOURCE, Layer


class Segment(NamedTuple):
    """Layers `first` ... `last`, both included, which are in one group."""

    first: int
    last: int

    @property
    def is_block(self) -> bool:
        """Whether it has branches."""
        return self.last > self.first


def alive_maps(layers: Sequence[Layer]) -> tuple[frozenset[int], ...]:
    """Per layer the maps that it or a later layer reads, by the layer that wrote them."""
    alive, found = {SOURCE}, []
    for layer in layers:
        found.append(frozenset(alive))
        alive = (alive - set(layer.frees)) | {layer.index}
    return tuple(found)


def segments_of(layers: Sequence[Layer]) -> tuple[Segment, ...]:
    """The segments of a network, in order."""
    firsts = [index for index, alive in enumerate(alive_maps(layers)) if alive == {index - 1}]
    return tuple(Segment(first, stop - 1) for first, stop in zip(firsts, [*firsts[1:], len(layers)], strict=True))
