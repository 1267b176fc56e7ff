"""Networks and clusters by hand: `chain("net", (3, 8, 8), [conv(4, 3, pooling=max_pool(2)), linear(10)])`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from iopt.cluster import Charge, Cluster, Device, Medium, Network
from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Activation, BatchNorm, Conv2d, Flatten, Identity, Linear, Pool, Shape, Step, Window
from iopt.partition.problem import Problem

Layer = Callable[[str, str, Shape], Operator]
"""A layer waits for its name, the name of its input and the shape of that, and is then an operator."""


@dataclass(frozen=True)
class Pooling:
    """A pooling layer; an adaptive one states the height and width that it makes."""

    layer: Pool
    size: tuple[int, int] | None = None

    def shape(self, before: Shape) -> Shape:
        window = self.layer.window
        if window is None:
            assert self.size is not None
            return Shape(before.channels, *self.size)
        height, width = (window.positions(side, before[side + 1], self.layer.ceil_mode) for side in (0, 1))
        return Shape(before.channels, height, width)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def max_pool(
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    ceil_mode: bool = False,
    dilation: int | tuple[int, int] = 1,
) -> Pooling:
    window = Window(_pair(kernel), _pair(kernel if stride is None else stride), _pair(padding), _pair(dilation))
    return Pooling(Pool("max", window, ceil_mode))


def avg_pool(
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
    ceil_mode: bool = False,
) -> Pooling:
    window = Window(_pair(kernel), _pair(kernel if stride is None else stride), _pair(padding))
    return Pooling(Pool("average", window, ceil_mode))


def adaptive_pool(size: int | tuple[int, int], reduce: Literal["max", "average"] = "average") -> Pooling:
    return Pooling(Pool(reduce, None), _pair(size))


def conv(
    channels: int,
    kernel: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    bias: bool = True,
    pooling: Pooling | None = None,
    norm: bool = False,
) -> Layer:
    """A convolution to `channels` with its epilogue; `norm` adds a batch norm that is not folded."""

    def operator(name: str, before: str, shape: Shape) -> Operator:
        window = Window(_pair(kernel), _pair(stride), _pair(padding), _pair(dilation))
        height, width = (window.positions(side, shape[side + 1]) for side in (0, 1))
        body = Conv2d(f"{name}.weight", window, groups, f"{name}.bias" if bias else None)
        return _operator(name, before, shape, body, Shape(channels, height, width), pooling, norm)

    return operator


def linear(features: int, bias: bool = True, norm: bool = False) -> Layer:
    """A fully connected layer; it flattens what it reads."""

    def operator(name: str, before: str, shape: Shape) -> Operator:
        body = Linear(f"{name}.weight", f"{name}.bias" if bias else None)
        return _operator(name, before, shape, body, Shape(features, 1, 1), None, norm)

    return operator


def pool(pooling: Pooling) -> Layer:
    """A pooling as an operator of its own, as a second pool in a row is."""

    def operator(name: str, before: str, shape: Shape) -> Operator:
        return _operator(name, before, shape, pooling.layer, pooling.shape(shape), None, False)

    return operator


def norm() -> Layer:
    """A batch norm as an operator of its own."""

    def operator(name: str, before: str, shape: Shape) -> Operator:
        return _operator(name, before, shape, Identity(), shape, None, True)

    return operator


def _operator(
    name: str,
    before: str,
    shape: Shape,
    body: Conv2d | Linear | Pool | Identity,
    pre: Shape,
    pooling: Pooling | None,
    norm: bool,
) -> Operator:
    epilogue: list[Step] = [Activation("relu")] if isinstance(body, Conv2d | Linear) else []
    if norm:
        epilogue.append(BatchNorm(f"{name}.norm", pre.channels, 1e-5, folded=False))
    output = pre
    if pooling is not None:
        epilogue.append(pooling.layer)
        output = pooling.shape(pre)
    return Operator(name, body, (before,), (shape,), pre, output, tuple(epilogue))


def chain(name: str, input_shape: tuple[int, int, int], layers: Sequence[Layer]) -> Graph:
    """The layers in a row, named `op1`, `op2`, ...; a flatten joins the epilogue of the operator before a linear."""
    operators: list[Operator] = []
    shape, before = Shape(*input_shape), INPUT
    for index, layer in enumerate(layers, start=1):
        operator = layer(f"op{index}", before, shape)
        if operators and isinstance(operator.body, Linear) and not isinstance(operators[-1].body, Linear):
            operators[-1] = replace(operators[-1], epilogue=(*operators[-1].epilogue, Flatten()))
        operators.append(operator)
        before, shape = operator.name, operator.output_shape
    return Graph(name, Shape(*input_shape), tuple(operators))


def cluster(
    flops_per_s: Sequence[float],
    up: Sequence[float] | None = None,
    down: Sequence[float] | None = None,
    *,
    bandwidth: float | None = None,
    connection_s: float = 0.0,
    overhead_s: Sequence[float] | None = None,
    memory_bytes: Sequence[int | None] | None = None,
    charge: Charge = Charge.PHASE,
    source: int = 0,
    sink: int = 0,
) -> Cluster:
    """Devices `d0`, `d1`, ... on a switch with `up` and `down` links (1 byte/s by default), or on one radio channel."""
    count = len(flops_per_s)
    devices = tuple(
        Device(
            f"d{index}",
            flops_per_s[index],
            None if memory_bytes is None else memory_bytes[index],
            0.0 if overhead_s is None else overhead_s[index],
        )
        for index in range(count)
    )
    if bandwidth is not None:
        network = Network(connection_s, (), (), bandwidth, charge, Medium.SHARED)
    else:
        network = Network(connection_s, tuple(up or (1.0,) * count), tuple(down or up or (1.0,) * count), None, charge)
    return Cluster("hand", devices, network, source, sink)


def rescaled(problem: Problem, seconds: float) -> Problem:
    """The same problem with every time multiplied by `seconds`: rates are divided, `tau` and overheads multiplied."""
    network = problem.cluster.network
    bandwidth = network.bandwidth_bytes_per_s
    devices = tuple(
        replace(device, flops_per_s=device.flops_per_s / seconds, overhead_s=device.overhead_s * seconds)
        for device in problem.cluster.devices
    )
    scaled = replace(
        network,
        connection_s=network.connection_s * seconds,
        up_bytes_per_s=tuple(rate / seconds for rate in network.up_bytes_per_s),
        down_bytes_per_s=tuple(rate / seconds for rate in network.down_bytes_per_s),
        bandwidth_bytes_per_s=None if bandwidth is None else bandwidth / seconds,
    )
    return replace(problem, cluster=replace(problem.cluster, devices=devices, network=scaled))
