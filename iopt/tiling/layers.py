"""A network as tiling sees it: layers in topological order, each with a window that says what a region of it reads.

A planning operator gives one layer for its body and one for the pooling of its epilogue, each with the elementwise
steps that follow it (bias, batch norm, activation), which work in place and hold no memory of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from iopt.door.given import check_kind
from iopt.errors import ModelError
from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import (
    ELEMENT_BYTES,
    Add,
    BatchNorm,
    Body,
    Concat,
    Conv2d,
    Linear,
    Pool,
    Shape,
    Step,
    Window,
)

Kind = Literal["conv", "max", "average", "linear", "elementwise", "add", "concat"]

POINT = Window((1, 1))
"""Of a layer that reads the cell it writes."""

SOURCE = -1
"""Of the network's input among `Layer.inputs`."""


@dataclass(frozen=True)
class Layer:
    """One layer.

    `name`: of its operator, with `.pool` for the pooling of an epilogue; `body`: what it computes, `steps`: what is
    then done in place. `input`: the map that it reads, the first of several, which differ in channels alone. `window`:
    how far a region reads, in floor mode or, for a max-pool, in either; None where no window describes it. `whole`: why
    it needs its whole input, so that it runs in untiled groups only; empty where it may be tiled. `weight_bytes`:
    kernels alone; `parameter_bytes`: with biases and batch norms, as they are held.
    `inputs`: indices of the layers whose maps it reads, `SOURCE` for the network's input, several for `add` and
    `concat`; `frees`: those of them that no later layer reads.
    """

    index: int
    name: str
    kind: Kind
    body: Body
    steps: tuple[Step, ...]
    input: Shape
    output: Shape
    window: Window | None
    weight_bytes: int = 0
    parameter_bytes: int = 0
    whole: str = ""
    inputs: tuple[int, ...] = ()
    frees: tuple[int, ...] = ()

    @property
    def cell_macs(self) -> int:
        """Multiply-accumulates per output cell (row x column, all channels); pools and activations cost none."""
        return self.weight_bytes // ELEMENT_BYTES

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole layer; zero padding is counted."""
        return self.cell_macs * self.output.height * self.output.width

    @property
    def extent(self) -> int:
        """The largest of its numbers: bytes of its padded input, output, columns and weights, multiply-accumulates."""
        around = (0, 0) if self.window is None else self.window.padding
        rows, columns = (self.input[side + 1] + 2 * around[side] for side in (0, 1))
        padded, cells = self.input.channels * rows * columns * ELEMENT_BYTES, self.output.height * self.output.width
        return max(padded, 3 * self.output.bytes, self.column_bytes * cells, self.parameter_bytes, self.macs)

    @property
    def column_bytes(self) -> int:
        """Bytes that im2col writes per output cell: kernel rows x kernel columns x input channels; 0 but for `conv`."""
        if self.kind != "conv" or self.window is None:
            return 0
        rows, columns = self.window.kernel
        return rows * columns * self.input.channels * ELEMENT_BYTES


def layers_of(graph: Graph) -> tuple[Layer, ...]:
    """The layers of a graph, in topological order. Raises `ModelError`, naming the operator, for early exits."""
    check_kind(graph, Graph, "network", "iopt.load")
    layers: list[Layer] = []
    written, readers = {INPUT: SOURCE}, Counter(name for operator in graph for name in operator.inputs)
    for operator in graph:
        _check_exit(graph, operator)
        inputs = tuple(written[name] for name in operator.inputs)
        for layer in _layers(operator):
            before = inputs[0]
            if layer.kind == "elementwise" and before != SOURCE and readers[operator.inputs[0]] == 1:
                layers[before] = _joined(layers[before], layer)
            else:
                layers.append(replace(layer, index=len(layers), inputs=inputs))
                inputs = (len(layers) - 1,)
        written[operator.name] = inputs[0]
    last = {name: layer.index for layer in layers for name in layer.inputs}
    return tuple(
        replace(layer, frees=tuple(name for name in dict.fromkeys(layer.inputs) if last[name] == layer.index))
        for layer in layers
    )


def map_shape(layers: Sequence[Layer], index: int) -> Shape:
    """Of the map that a layer writes, or of the network's input."""
    return layers[0].input if index == SOURCE else layers[index].output


def _joined(layer: Layer, steps: Layer) -> Layer:
    """The layer with the steps of the elementwise one that alone reads it."""
    return replace(
        layer,
        steps=(*layer.steps, *steps.steps),
        parameter_bytes=layer.parameter_bytes + steps.parameter_bytes,
        whole=layer.whole or steps.whole,
    )


def _check_exit(graph: Graph, operator: Operator) -> None:
    if any(writer == operator.name for _, writer in graph.exits[:-1]):
        raise ModelError(
            f"graph {graph.name!r}: operator {operator.name!r} writes an early exit; "
            "tiling is for networks with one output"
        )


def _layers(operator: Operator) -> list[Layer]:
    """Of one operator, with indices to be set."""
    at = next((i for i, step in enumerate(operator.epilogue) if isinstance(step, Pool)), len(operator.epilogue))
    first = _layer(operator, operator.name, operator.body, operator.epilogue[:at], operator.input_shape)
    weights = operator.weight_elements * ELEMENT_BYTES
    norms = [step for step in operator.epilogue[at:] if isinstance(step, BatchNorm) and not step.folded]
    tail = sum(2 * norm.features for norm in norms) * ELEMENT_BYTES
    held = operator.parameters * ELEMENT_BYTES
    if at == len(operator.epilogue):
        return [replace(first, weight_bytes=weights, parameter_bytes=held)]
    pool = operator.epilogue[at]
    assert isinstance(pool, Pool)
    second = _layer(operator, f"{operator.name}.pool", pool, operator.epilogue[at + 1 :], operator.pre_shape)
    return [
        replace(first, weight_bytes=weights, parameter_bytes=held - tail),
        replace(second, parameter_bytes=tail),
    ]


def _layer(operator: Operator, name: str, body: Body, steps: tuple[Step, ...], before: Shape) -> Layer:
    after = operator.output_shape if name != operator.name else operator.pre_shape
    kind, window, whole = _window(body, before, after)
    norms = [step for step in steps if isinstance(step, BatchNorm)]
    if not whole and any(norm.features != after.channels for norm in norms):
        whole = "its batch norm is over all cells"
    return Layer(0, name, kind, body, steps, before, after, window, whole=whole)


def _window(body: Body, before: Shape, after: Shape) -> tuple[Kind, Window | None, str]:
    """Kind, window, and why there is none that tiles may use."""
    match body:
        case Conv2d():
            return "conv", body.window, ""
        case Linear():
            return "linear", None, "a linear layer reads its whole input"
        case Pool():
            return (body.reduce, *_pool_window(body, before, after))
        case Add():
            return "add", POINT, ""
        case Concat():
            return "concat", POINT, ""
    return "elementwise", POINT, ""


def _pool_window(pool: Pool, before: Shape, after: Shape) -> tuple[Window | None, str]:
    if pool.window is None:
        return _adaptive_window(before, after)
    floor = tuple(pool.window.positions(side, before[side + 1]) for side in (0, 1))
    if pool.reduce == "average" and floor != after[1:]:
        return None, "an average pooling in ceil_mode counts cells by where its last window ends"
    return pool.window, ""


def _adaptive_window(before: Shape, after: Shape) -> tuple[Window | None, str]:
    """An adaptive pooling is a plain one where its sizes divide; to one cell it reads everything."""
    if after[1:] == (1, 1) and before[1:] != (1, 1):
        return None, "a global pooling reads its whole input"
    if before.height % after.height or before.width % after.width:
        return None, "an adaptive pooling has windows of several sizes"
    size = (before.height // after.height, before.width // after.width)
    return Window(size, size), ""
