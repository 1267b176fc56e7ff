"""Chains by hand and at random for the tests of tiling, and the golden values."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from iopt.graph import Graph
from iopt.graph.layers import Shape
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.problem import Problem
from tests.instances import Layer, avg_pool, chain, conv, linear, max_pool, pool

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "tiling_yolov2_16.json").read_text(encoding="utf-8")
)
MIB = 2**20


@cache
def yolov2_16() -> Graph:
    """The layers of the golden file, one operator each."""
    layers = [
        conv(row["out_channels"], row["kernel"], row["stride"], row["padding"], bias=False)
        if row["type"] == "conv"
        else pool(max_pool(row["kernel"], row["stride"], row["padding"]))
        for row in GOLDEN["layers"]
    ]
    return chain("golden", tuple(GOLDEN["input"]), layers)


def drawn(seed: int, most_layers: int = 4, ceil_mode: bool = True, most: int = 14, surplus: int = 0) -> Graph:
    """A small chain of convolutions and poolings of every kind on a map that is not square; deterministic.

    With a surplus, convolutions are padded by up to so many cells more, so that some outputs are of padding alone.
    """
    random = Random(seed)
    while True:
        size = (random.randint(1, 3), random.randint(5, most), random.randint(5, most))
        count, layers, at = random.randint(1, most_layers), [], (size[1], size[2])
        while len(layers) < count:
            found = _layer(random, at, ceil_mode, surplus)
            if found is None:
                break
            layers.append(found[0])
            at = found[1]
        if layers and random.random() < 0.15:
            layers.append(linear(random.randint(1, 4)))
        if layers:
            return chain(f"drawn-{seed}", size, layers)


def _layer(
    random: Random, at: tuple[int, int], ceil_mode: bool, surplus: int = 0
) -> tuple[Layer, tuple[int, int]] | None:
    """A layer on a map of this size, and the size of its output."""
    for _ in range(20):
        kernel = (random.randint(1, 4), random.randint(1, 4))
        stride = tuple(random.choice((1, 1, 2, 3)) for _ in kernel)
        is_pool = random.random() < 0.35
        dilation = tuple(random.choice((1, 1, 2)) for _ in kernel) if not is_pool else (1, 1)
        reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
        padding = tuple(random.randint(0, r // 2 if is_pool else r - 1) for r in reach)
        if surplus and not is_pool:
            padding = tuple(cells + random.randint(0, surplus) for cells in padding)
        room = [n + 2 * p - r for n, p, r in zip(at, padding, reach, strict=True)]
        if min(room) < 0:
            continue
        after = tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
        if min(after) < 2 and random.random() < 0.7:
            continue
        if is_pool:
            make = random.choice((max_pool, avg_pool))
            ceiled = ceil_mode and random.random() < 0.3
            layer = make(kernel, stride, padding, ceil_mode=ceiled)
            shape = layer.shape(Shape(1, *at))
            return pool(layer), (shape.height, shape.width)
        return conv(random.randint(1, 4), kernel, stride, padding, dilation, norm=random.random() < 0.2), after
    return None


def with_host(problem: Problem, seed: int) -> Problem:
    """Times that rise and bend, other ones for each layer."""
    random = Random(seed)
    layers = tuple(
        LayerTime((1.0, 6.0, 30.0), (random.random(), 1 + random.random(), 2 + 5 * random.random()))
        for _ in problem.layers
    )
    return replace(problem, host=HostModel(layers, random.random(), random.random(), 1e-2 * random.random()))
