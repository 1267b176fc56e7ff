"""Networks with branches at random: sums, concatenations and forks with windows of every kind, nested ones too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Add, Body, Concat, Shape
from iopt.tiling.layers import layers_of
from iopt.tiling.plan import Configuration, Group, Reuse
from iopt.tiling.segments import segments_of
from tests import instances
from tests.instances import adaptive_pool, avg_pool, conv, linear, max_pool, pool
from tests.tiling.executed import State, a_layer, varied, weights

REUSES: tuple[Reuse, ...] = ("none", "checkerboard")
Value = tuple[str, Shape]
"""Who writes a map, and its shape."""


class Drawing:
    """A graph that grows."""

    def __init__(self, random: Random, shape: tuple[int, int, int]) -> None:
        self.random, self.operators = random, list[Operator]()
        self.input: Value = (INPUT, Shape(*shape))

    def graph(self, name: str) -> Graph:
        return Graph(name, self.input[1], tuple(self.operators))

    def add(self, layer: instances.Layer, value: Value) -> Value:
        """The layer on a value."""
        return self._written(layer(self._name(), *value))

    def join(self, body: Body, values: Sequence[Value]) -> Value:
        shapes = tuple(shape for _, shape in values)
        channels = sum(shape.channels for shape in shapes) if isinstance(body, Concat) else shapes[0].channels
        output = Shape(channels, *shapes[0][1:])
        names = tuple(name for name, _ in values)
        return self._written(Operator(self._name(), body, names, shapes, output, output))

    def branch(self, value: Value, most: int = 2) -> Value:
        """A few layers in a row."""
        for _ in range(self.random.randint(1, most)):
            value = self._drawn(value)
        return value

    def block(self, value: Value, depth: int = 2) -> Value:
        """Branches of a value that end on maps of one size, joined."""
        ends = [self._branch(value, depth)]
        for _ in range(self.random.choice((1, 1, 1, 2))):
            ends.append(self._alike(value, ends[0][1], depth))
        if self.random.random() < 0.2:
            ends.append(self.random.choice(ends))
        if self.random.random() < 0.5:
            return self.join(Concat(), ends)
        channels = ends[0][1].channels
        ends = [end if end[1].channels == channels else self.add(conv(channels, 1), end) for end in ends]
        return self.join(Add(), ends)

    def _branch(self, value: Value, depth: int) -> Value:
        if depth > 1 and self.random.random() < 0.25:
            return self.block(value, depth - 1)
        return self.branch(value)

    def _alike(self, value: Value, target: Shape, depth: int) -> Value:
        """A branch that ends on a map of the target's height and width, by its last layer; or the value itself."""
        if value[1][1:] == target[1:] and self.random.random() < 0.4:
            return value
        before = len(self.operators)
        end = self._branch(value, depth) if self.random.random() < 0.6 else value
        sides = [_windows(end[1][side], target[side]) for side in (1, 2)]
        if not all(sides):
            del self.operators[before:]
            end, sides = value, [_windows(value[1][side], target[side]) for side in (1, 2)]
        if not all(sides):
            return self.add(pool(adaptive_pool((target.height, target.width))), value)
        first, second = (self.random.choice(found) for found in sides)
        kernel, stride, padding, dilation = zip(first, second, strict=True)
        is_pooled = max(dilation) == 1 and all(2 * p <= k for k, p in zip(kernel, padding, strict=True))
        if is_pooled and self.random.random() < 0.6:
            return self.add(pool(self.random.choice((max_pool, avg_pool))(kernel, stride, padding)), end)
        return self.add(conv(self.random.randint(1, 4), kernel, stride, padding, dilation), end)

    def _drawn(self, value: Value) -> Value:
        while True:
            layer = a_layer(self.random, value[1])
            if min(layer("op", *value).output_shape) >= 1:
                return self.add(layer, value)

    def _written(self, operator: Operator) -> Value:
        self.operators.append(operator)
        return operator.name, operator.output_shape

    def _name(self) -> str:
        return f"op{len(self.operators) + 1}"


def _windows(size: int, target: int) -> list[tuple[int, int, int, int]]:
    """Kernels, strides, paddings and dilations that make `target` cells of `size`."""
    return [
        (kernel, stride, padding, dilation)
        for kernel in range(1, 6)
        for stride in range(1, 5)
        for dilation in (1, 2)
        for padding in range(4)
        if padding < (reach := dilation * (kernel - 1) + 1) <= size + 2 * padding
        and (size + 2 * padding - reach) // stride + 1 == target
    ]


def branched(seed: int, most: int = 20, parts: int = 3) -> Graph:
    """Layers and blocks in a row, at least one block, on a map that is not square; deterministic."""
    random = Random(seed)
    drawing = Drawing(random, (random.randint(1, 4), random.randint(6, most), random.randint(6, most)))
    value, count = drawing.input, random.randint(1, parts)
    at = random.randint(count // 2, count - 1)
    for index in range(count):
        value = drawing.block(value) if index == at or random.random() < 0.3 else drawing.branch(value, 1)
    if random.random() < 0.15:
        drawing.add(linear(3), value)
    graph = drawing.graph(f"branched-{seed}")
    return replace(graph, operators=tuple(varied(random, operator) for operator in graph))


def executed_branches(seed: int) -> tuple[Graph, State, Configuration]:
    """A network, its weights, and a configuration of up to 3 x 3 tiles."""
    graph = branched(seed, most=16)
    return graph, weights(graph, seed), configuration(Random(seed), graph)


def configuration(random: Random, graph: Graph) -> Configuration:
    """Runs of segments under tilings at random; reuse in every second tiled group without a block."""
    layers, groups = layers_of(graph), list[Group]()
    segments = segments_of(layers)
    while not groups or groups[-1].last < len(layers) - 1:
        left = [segment for segment in segments if not groups or segment.first > groups[-1].last]
        own = left[: random.choice((len(left), random.randint(1, len(left))))]
        first, last = own[0].first, own[-1].last
        output = layers[last].output
        rows, columns = random.randint(1, min(3, output.height)), min(random.choice((1, 2, 3, 3)), output.width)
        has_block, reuse = any(segment.is_block for segment in own), random.choice(REUSES)
        if rows * columns == 1 or any(layer.whole for layer in layers[first : last + 1]):
            groups.append(Group(first, last))
        else:
            groups.append(Group(first, last, rows, columns, "none" if has_block else reuse))
    return Configuration(tuple(groups))
