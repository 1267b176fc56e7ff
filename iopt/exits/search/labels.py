"""Labels of partial placements, extended block by block: the sweep that `pareto` repeats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array
from iopt.exits.search.dominance import undominated_labels
from iopt.exits.search.prices import Potentials
from iopt.exits.search.resources import Ints, Resources

CLEARLY = 1e-12
"""A label that cannot undercut the best placement by this part of it is not followed."""

WIDE = 1.05
"""A placement known is not good as long as it needs so many times the bound."""

HasTime = Callable[[], bool]

AHEAD = 4
"""So many times the width are compared for dominance; before that, the labels with the larger bounds are cut away."""


@dataclass(frozen=True)
class Sweep:
    """`path` and `energy` of the best placement found below the one known (None, inf: none). No placement that is not
    known already is below `dropped`, the least bound of what the width cut away (inf: nothing was, so that the sweep is
    exact)."""

    path: tuple[int, ...] | None
    energy: float
    dropped: float
    labels: int


@dataclass(frozen=True)
class _Layer:
    """K labels: node, energy and time so far, priced weight [K, J] per potential, use [K, R] of every column, and the
    index of the label before."""

    node: Ints
    energy: Array
    time: Array
    weight: Array
    used: Array
    parent: Ints

    def __len__(self) -> int:
        return len(self.node)

    def __getitem__(self, chosen: Ints) -> _Layer:
        return _Layer(
            self.node[chosen],
            self.energy[chosen],
            self.time[chosen],
            self.weight[chosen],
            self.used[chosen],
            self.parent[chosen],
        )


def sweep(
    geometry: Geometry,
    columns: Resources,
    potentials: Potentials,
    known: float,
    width: int,
    has_time: HasTime = lambda: True,
) -> Sweep:
    """Follow at most `width` labels per block, those with the least bounds, from the source to the exit.

    `known`: energy of the best placement known; only what is below is looked for. Without time everything is cut away.
    """
    layers, dropped = _layers(geometry, columns, potentials, known * (1 - CLEARLY), width, has_time=has_time)
    count, last = sum(map(len, layers)), layers[-1]
    if not len(last):
        return Sweep(None, np.inf, dropped, count)
    best = int(last.energy.argmin())
    return Sweep(_path(layers, best), float(last.energy[best]), dropped, count)


def energy_and_time(
    geometry: Geometry, columns: Resources, potentials: Potentials, width: int
) -> tuple[list[tuple[float, float, tuple[int, ...]]], bool]:
    """(energy, time, path) of every placement that no other undercuts in both, by rising energy; whether that is all of
    them, or `width` has cut some away."""
    layers, dropped = _layers(geometry, columns, potentials, np.inf, width)
    last = layers[-1]
    points, least = [], np.inf
    for label in np.lexsort((last.time, last.energy)):
        if last.time[label] < least:
            least = float(last.time[label])
            points.append((float(last.energy[label]), least, _path(layers, int(label))))
    return points, dropped == np.inf


def all_below(
    geometry: Geometry, columns: Resources, potentials: Potentials, worth: float, width: int
) -> tuple[list[tuple[int, ...]], float]:
    """Every placement with less energy than `worth`, dominated or not, and the least bound of what `width` cut away."""
    layers, dropped = _layers(geometry, columns, potentials, worth, width, keep_all=True)
    return [_path(layers, label) for label in range(len(layers[-1]))], dropped


def _layers(
    geometry: Geometry,
    columns: Resources,
    potentials: Potentials,
    worth: float,
    width: int,
    keep_all: bool = False,
    has_time: HasTime = lambda: True,
) -> tuple[list[_Layer], float]:
    """The labels that are worth following, block by block, and the least bound of those cut away; the last layer is
    empty where none is left."""
    layer, layers, dropped = _root(geometry, columns, potentials), [], np.inf
    is_wide = worth > WIDE * potentials.bound(geometry.source)
    for block in range(geometry.depth):
        layer = _extended(layer, geometry, columns, potentials, block)
        reach = potentials.reach(block, layer.node, columns.of_node(layer.used, layer.node))
        bound = potentials.bounds(layer.weight, block, layer.node, reach)
        end = layer.time + potentials.fastest[block, layer.node, reach]
        most = 0 if not has_time() else width if keep_all else AHEAD * width
        late = end if is_wide and not keep_all else None
        stay, cut = _least(np.flatnonzero((bound < worth) & (end <= geometry.longest_s)), most, bound, late)
        dropped = min(dropped, cut)
        layer, bound = layer[stay], bound[stay]
        late = None if late is None else late[stay]
        if not keep_all:
            stay = undominated_labels(layer.node, layer.energy, layer.time, columns.excess(layer.used, block))
            stay, cut = _least(stay, width, bound, late)
            dropped = min(dropped, cut)
            layer = layer[stay]
        layers.append(layer)
        if not len(layer):
            break
    return layers, dropped


def _root(geometry: Geometry, columns: Resources, potentials: Potentials) -> _Layer:
    """One label on the source, before the first block."""
    source = np.array([geometry.source])
    nothing, weight = np.zeros(1), np.zeros((1, len(potentials)))
    return _Layer(source, nothing, nothing, weight, np.zeros((1, len(columns))), np.zeros(1, dtype=np.intp))


def _extended(layer: _Layer, geometry: Geometry, columns: Resources, potentials: Potentials, block: int) -> _Layer:
    """Every label on every node that the next block may run on, as far as time and the columns allow."""
    step_time = layer.time[:, None] + geometry.time[block, layer.node]
    parent, node = np.nonzero(step_time + potentials.fastest[block, :, -1] <= geometry.longest_s)
    before = layer.node[parent]
    used = columns.enter(layer.used[parent], block, before, node) if len(columns) else layer.used[parent]
    if len(columns):
        fits = np.flatnonzero((used <= columns.capacity).all(axis=1))
        parent, node, before, used = parent[fits], node[fits], before[fits], used[fits]
        used = np.where(columns.tier < np.array(geometry.tiers)[node][:, None], 0.0, used)
    return _Layer(
        node,
        layer.energy[parent] + geometry.energy[block, before, node],
        step_time[parent, node],
        layer.weight[parent] + potentials.step(block, before, node),
        used,
        parent,
    )


def _least(chosen: Ints, count: int, bound: Array, late: Array | None) -> tuple[Ints, float]:
    """The `count` of the chosen labels with the least bounds, and the least bound of the others (inf: none).

    With `late`, as long as no good placement is known, half of them are those that can be done earliest instead.
    """
    if len(chosen) <= count:
        return chosen, np.inf
    first = count if late is None else count - count // 2
    ranked = chosen[np.argpartition(bound[chosen], first)]
    stay, others = ranked[:first], ranked[first:]
    if late is not None and count > first:
        ranked = others[np.argpartition(late[others], count - first)]
        stay, others = np.concatenate((stay, ranked[: count - first])), ranked[count - first :]
    return stay, float(bound[others].min())


def _path(layers: list[_Layer], last: int) -> tuple[int, ...]:
    nodes = []
    for layer in reversed(layers):
        nodes.append(int(layer.node[last]))
        last = int(layer.parent[last])
    return tuple(reversed(nodes))
