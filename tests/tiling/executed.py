"""Chains to be executed: layers of every kind that can be, with weights, and a configuration of each."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import torch

from iopt.graph import Graph, Operator
from iopt.graph.layers import Activation, BatchNorm, Conv2d, Linear, Shape, Step
from iopt.tiling.layers import Layer, layers_of
from iopt.tiling.plan import Configuration, Group
from tests import instances
from tests.instances import adaptive_pool, avg_pool, linear, max_pool, norm, pool

ACTIVATIONS = (
    Activation("relu"),
    Activation("relu6"),
    Activation("hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    Activation("hardswish"),
    Activation("hardsigmoid"),
    Activation("sigmoid"),
    Activation("tanh"),
    Activation("silu"),
    Activation("gelu", {"approximate": "none"}),
    Activation("gelu", {"approximate": "tanh"}),
    Activation("leaky_relu", {"negative_slope": 0.1}),
    Activation("elu", {"alpha": 0.7}),
    Activation("celu", {"alpha": 1.3}),
    Activation("selu"),
    Activation("softplus", {"beta": 1.5, "threshold": 20.0}),
    Activation("mish"),
)
State = dict[str, torch.Tensor]


def executed(seed: int, surplus: int = 0) -> tuple[Graph, State, Configuration]:
    """A chain on a map that is not square, its weights, and a configuration of up to 4 x 4 tiles; deterministic.

    With a surplus, convolutions are padded by up to so many cells more, so that some outputs are of padding alone.
    """
    random = Random(seed)
    shape = (random.randint(1, 4), random.randint(6, 20), random.randint(6, 20))
    layers, at = [], shape
    for _ in range(random.randint(1, 5)):
        layer = a_layer(random, at, surplus)
        operator = layer("op", "before", Shape(*at))
        if min(operator.output_shape) >= 1:
            layers.append(layer)
            at = operator.output_shape
    if random.random() < 0.2:
        layers += [linear(random.randint(2, 5), norm=random.random() < 0.3), linear(3)]
    graph = instances.chain(f"executed-{seed}", shape, layers)
    graph = replace(graph, operators=tuple(varied(random, operator) for operator in graph))
    return graph, weights(graph, seed), configuration(random, layers_of(graph))


def weights(graph: Graph, seed: int) -> State:
    """He-normal weights and small biases; batch norms that scale and shift."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*size: int, deviation: float = 0.1) -> torch.Tensor:
        return torch.randn(size, generator=generator) * deviation

    state: State = {}
    for operator in graph:
        body, channels = operator.body, operator.pre_shape.channels
        if isinstance(body, Conv2d | Linear):
            size = (operator.input_shapes[0].elements,)
            if isinstance(body, Conv2d):
                size = (operator.input_shapes[0].channels // body.groups, *body.window.kernel)
            state[body.weight] = normal(channels, *size, deviation=(2 / torch.Size(size).numel()) ** 0.5)
            if body.bias:
                state[body.bias] = normal(channels)
        for step in operator.epilogue:
            if isinstance(step, BatchNorm):
                keys = {"running_mean": 0.0, "running_var": 1.0} | ({"weight": 1.0, "bias": 0.0} if step.affine else {})
                state |= {f"{step.name}.{key}": normal(step.features) + mean for key, mean in keys.items()}
    return state


def configuration(random: Random, layers: tuple[Layer, ...]) -> Configuration:
    """Groups and tilings at random, reuse in every second tiled one."""
    groups: list[Group] = []
    while not groups or groups[-1].last < len(layers) - 1:
        first = groups[-1].last + 1 if groups else 0
        last = random.randint(first, len(layers) - 1)
        output = layers[last].output
        rows, columns = random.randint(1, min(4, output.height)), random.randint(1, min(4, output.width))
        if any(layer.whole for layer in layers[first : last + 1]) or rows * columns == 1:
            groups.append(Group(first, last))
        else:
            groups.append(Group(first, last, rows, columns, random.choice(("none", "checkerboard"))))
    return Configuration(tuple(groups))


def a_layer(random: Random, at: tuple[int, int, int], surplus: int = 0) -> instances.Layer:
    """A layer that fits a map of this size."""
    channels, height, width = at
    draw = random.random()
    if draw < 0.07:
        return norm()
    if draw < 0.12:
        sides = [random.choice([n for n in range(1, side + 1) if side % n == 0]) for side in (height, width)]
        return pool(adaptive_pool((sides[0], sides[1]), random.choice(("max", "average"))))
    is_pool = draw < 0.45
    kernel, stride, padding, dilation = ([0, 0] for _ in range(4))
    is_average = random.random() < 0.5
    for side, size in enumerate((height, width)):
        kernel[side], stride[side] = random.randint(1, min(4, size)), random.choice((1, 1, 2, 3))
        spread = [d for d in (1, 1, 2) if d * (kernel[side] - 1) + 1 <= size]
        dilation[side] = 1 if is_pool and is_average else random.choice(spread)
        reach = dilation[side] * (kernel[side] - 1) + 1
        padding[side] = random.randint(0, kernel[side] // 2 if is_pool else reach - 1)
    if surplus and not is_pool:
        padding = [cells + random.randint(0, surplus) for cells in padding]
    window = [(sides[0], sides[1]) for sides in (kernel, stride, padding)]
    if is_pool and is_average:
        made = avg_pool(*window, ceil_mode=random.random() < 0.2)
        counted, divisor = random.random() < 0.5, random.choice((None, None, 3))
        return pool(replace(made, layer=replace(made.layer, count_include_pad=counted, divisor_override=divisor)))
    if is_pool:
        return pool(max_pool(*window, ceil_mode=random.random() < 0.3, dilation=(dilation[0], dilation[1])))
    groups = random.choice([n for n in range(1, channels + 1) if channels % n == 0])
    return instances.conv(
        groups * random.randint(1, 4),
        *window,
        (dilation[0], dilation[1]),
        groups,
        bias=random.random() < 0.7,
        norm=random.random() < 0.2,
    )


def varied(random: Random, operator: Operator) -> Operator:
    """With an activation of any kind, or none, and at times a batch norm folded into the body."""
    steps: list[Step] = []
    for step in operator.epilogue:
        if isinstance(step, Activation):
            if random.random() < 0.3:
                features = operator.pre_shape.channels
                steps.append(BatchNorm(f"{operator.name}.folded", features, 1e-5, True, random.random() < 0.8))
            if random.random() < 0.8:
                steps.append(random.choice(ACTIVATIONS))
        else:
            steps.append(step)
    return replace(operator, epilogue=tuple(steps))
