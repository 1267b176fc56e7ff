"""Shapes and receptive fields against PyTorch, and what a graph refuses to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from iopt.errors import ModelError
from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import (
    Activation,
    Add,
    BatchNorm,
    Body,
    Concat,
    Conv2d,
    Flatten,
    Identity,
    Linear,
    Pool,
    Shape,
    Step,
    Window,
)
from tests.importer.interpreter import apply, body

SIDE = st.integers(1, 12)


@st.composite
def windows(draw: st.DrawFn, pooling: bool) -> Window:
    """Any window that all of iopt takes: its padding stays below the window's reach, or half of it."""
    sides = []
    for _ in range(2):
        kernel, stride, dilation = draw(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 2)))
        reach = dilation * (kernel - 1) + 1
        limit = min(kernel // 2, reach // 2) if pooling else reach - 1
        sides.append((kernel, stride, draw(st.integers(0, limit)), dilation))
    (k0, s0, p0, d0), (k1, s1, p1, d1) = sides
    return Window((k0, k1), (s0, s1), (p0, p1), (d0, d1))


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    if draw(st.booleans()):
        return Pool(draw(st.sampled_from(["max", "average"])), None)
    window = draw(windows(pooling=True))
    if window.dilation == (1, 1) and draw(st.booleans()):
        return Pool("average", window, draw(st.booleans()), draw(st.booleans()))
    return Pool("max", window, draw(st.booleans()))


def pooled(pool: Pool, before: Shape, adaptive: tuple[int, int]) -> Shape:
    if pool.window is None:
        return Shape(before.channels, *adaptive)
    sizes = (pool.window.positions(side, before[side + 1], pool.ceil_mode) for side in (0, 1))
    return Shape(before.channels, *sizes)


@st.composite
def operators(draw: st.DrawFn) -> Operator:
    """A convolution or a weightless operator on one channel, mostly with a pooling behind it."""
    shape = Shape(1, draw(SIDE), draw(SIDE))
    sizes = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    kind = draw(st.sampled_from(["convolution", "pool", "identity"]))
    layer: Body = Identity()
    pre = shape
    if kind == "convolution":
        window = draw(windows(pooling=False))
        layer = Conv2d("weight", window)
        pre = Shape(1, *(window.positions(side, shape[side + 1]) for side in (0, 1)))
    elif kind == "pool":
        layer = draw(pools())
        pre = pooled(layer, shape, sizes)
    assume(min(pre) >= 1)
    steps: tuple[Step, ...] = (draw(pools()),) if draw(st.booleans()) else ()
    output = pooled(steps[0], pre, draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))) if steps else pre  # type: ignore[arg-type]
    assume(min(output) >= 1)
    return Operator("a", layer, (INPUT,), (shape,), pre, output, steps)


def influence(operator: Operator) -> list[set[int]]:
    """For every output row the input rows that reach it: a row of NaN per run shows where it goes."""
    _, height, width = operator.input_shape
    images = torch.zeros(height, 1, height, width)
    images[range(height), :, range(height)] = torch.nan
    kernel = operator.body.window.kernel if isinstance(operator.body, Conv2d) else (1, 1)
    tensor = body(operator, {"weight": torch.ones(1, 1, *kernel)}, [images])
    assert tuple(tensor.shape[1:]) == operator.pre_shape
    for step in operator.epilogue:
        tensor = apply(step, operator, {}, tensor)
    assert tuple(tensor.shape[1:]) == operator.output_shape
    reached = tensor.isnan().any(dim=3)[:, 0]
    return [set(column.nonzero()[:, 0].tolist()) for column in reached.T]


def is_exact(operator: Operator) -> bool:
    """A dilated window that overhangs the map may end on padding: then it needs less than its hull."""
    layers = [layer for layer in (operator.body, *operator.epilogue) if isinstance(layer, Conv2d | Pool)]
    shown = [layer.window for layer in layers if layer.window is not None]
    inside = all(window.padding == (0, 0) for window in shown)
    rounded_up = any(isinstance(layer, Pool) and layer.ceil_mode for layer in layers)
    dilated = any(window.dilation != (1, 1) for window in shown)
    return not dilated or (inside and not rounded_up)


@given(operators(), st.data())
@settings(max_examples=150, deadline=None)
def test_rows_that_an_interval_of_output_rows_needs(operator: Operator, data: st.DataObject) -> None:
    operator.check()
    reached = influence(operator)
    lo = data.draw(st.integers(0, len(reached) - 1))
    hi = data.draw(st.integers(lo + 1, len(reached)))
    first, last = operator.input_rows(*operator.pre_rows(lo, hi))
    rows = set().union(*reached[lo:hi])
    assert 0 <= first < last <= operator.input_shape.height
    assert rows <= set(range(first, last))
    if is_exact(operator):
        assert (first, last) == (min(rows), max(rows) + 1)


@given(operators(), st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_an_empty_interval_needs_nothing(operator: Operator, row: int) -> None:
    assert operator.pre_rows(row, row) == (0, 0)
    assert operator.input_rows(*operator.pre_rows(row, row)) == (0, 0)


def test_a_convolution_may_have_outputs_of_padding_alone() -> None:
    grown = Shape(8, 13, 9)
    operator = replace(conv(kernel=(1, 1), padding=(2, 0)), pre_shape=grown, output_shape=grown)
    operator.check()
    assert isinstance(operator.body, Conv2d)
    assert operator.body.window.may_read_nothing
    assert [operator.input_rows(*interval) for interval in ((0, 2), (0, 3), (9, 12), (11, 13))] == [
        (0, 0), (0, 1), (7, 9), (0, 0)
    ]  # fmt: skip


@given(windows(pooling=True), SIDE, SIDE, st.booleans())
@settings(max_examples=100, deadline=None)
def test_positions_of_a_pooling(window: Window, height: int, width: int, ceil_mode: bool) -> None:
    counts = tuple(window.positions(side, size, ceil_mode) for side, size in ((0, height), (1, width)))
    assume(min(counts) >= 1)
    layer = torch.nn.MaxPool2d(window.kernel, window.stride, window.padding, window.dilation, ceil_mode=ceil_mode)
    assert tuple(layer(torch.zeros(1, 1, height, width)).shape[2:]) == counts


IMAGE = Shape(4, 9, 9)
CONV = Operator("a", Conv2d("w", Window((3, 3))), (INPUT,), (IMAGE,), Shape(8, 7, 7), Shape(8, 7, 7))
HALF = Pool("max", Window((2, 2), (2, 2)))


def test_parameters_and_flops() -> None:
    operator = replace(CONV, body=Conv2d("w", Window((3, 3)), groups=2, bias="b"), epilogue=(Flatten(),))
    assert (operator.weight_elements, operator.channel_elements) == (8 * 2 * 9, 8)
    assert operator.flops == 2 * 8 * 2 * 9 * 49
    linear = Operator("l", Linear("w"), ("a",), (Shape(8, 7, 7),), Shape(3, 1, 1), Shape(3, 1, 1))
    assert (linear.parameters, linear.flops) == (8 * 49 * 3, 2 * 8 * 49 * 3)
    graph = Graph("g", IMAGE, (operator, linear))
    assert graph.parameters == operator.parameters + linear.parameters
    assert graph.flops == operator.flops + linear.flops
    assert graph.output_shape == (3, 1, 1)
    assert len({graph, replace(graph), replace(graph, name="h")}) == 2


def conv(**changes: Any) -> Operator:
    """A convolution whose window or groups are changed."""
    groups = changes.pop("groups", 1)
    return replace(CONV, body=Conv2d("w", replace(Window((3, 3)), **changes), groups=groups))


def with_steps(*steps: Step) -> Operator:
    return replace(CONV, epilogue=steps)


def norm(features: int, **changes: Any) -> BatchNorm:
    return replace(BatchNorm("n", features, 1e-5, folded=False), **changes)


def pooling(pool: Pool) -> Operator:
    return Operator("a", pool, (INPUT,), (IMAGE,), Shape(4, 4, 4), Shape(4, 4, 4))


def several(layer: Body, *shapes: Shape) -> Operator:
    return Operator("a", layer, (INPUT,) * len(shapes), shapes, IMAGE, IMAGE)


WRONG: list[tuple[Operator, str]] = [
    (conv(stride=(0, 1)), r"stride is \(0, 1\); expected positive numbers"),
    (conv(kernel=(3, -3)), r"kernel is \(3, -3\); expected positive"),
    (conv(dilation=(0, 1)), r"dilation is \(0, 1\); expected positive"),
    (conv(padding=(-1, 0)), r"padding is \(-1, 0\); expected zero or more"),
    (conv(groups=3), "3 groups do not divide its 4 input channels"),
    (conv(groups=0), "0 groups do not divide"),
    (replace(conv(groups=4), pre_shape=Shape(6, 7, 7)), "4 groups do not divide its 6 output channels"),
    (replace(CONV, pre_shape=Shape(8, 8, 7)), "pre_shape is 8x8x7, its layers give 8x7x7"),
    (replace(CONV, output_shape=Shape(8, 3, 3)), "output_shape is 8x3x3, its layers give 8x7x7"),
    (replace(CONV, pre_shape=Shape(0, 7, 7), output_shape=Shape(0, 7, 7)), "pre_shape is 0x7x7, an empty tensor"),
    (conv(kernel=(11, 11)), "pre_shape is 8x7x7, its layers give 8x-1x-1"),
    (with_steps(HALF, HALF), "its epilogue has several poolings"),
    (with_steps(Activation("system")), "activation 'system' is not one of relu, "),
    (with_steps(Activation("relu", {"alpha": 1.0})), "activation relu has no argument 'alpha'"),
    (with_steps(Activation("elu", {"alpha": float("nan")})), "alpha is nan; expected a finite number"),
    (with_steps(Activation("elu", {"alpha": "x"})), "alpha is 'x'; expected a finite number"),
    (with_steps(Activation("gelu", {"approximate": "x"})), "approximate is 'x'; expected 'none' or 'tanh'"),
    (with_steps(norm(5)), "batch norm has 5 features for 8x7x7"),
    (with_steps(norm(8, eps=-1.0)), "batch norm eps is -1.0; expected zero or more"),
    (with_steps(Activation("relu"), norm(8, folded=True)), "a folded batch norm must follow a convolution"),
    (replace(several(Identity(), IMAGE), epilogue=(norm(4, folded=True),)), "a folded batch norm must follow"),
    (pooling(Pool("max", Window((2, 2), (2, 2), (2, 0)))), "at most half of the pooling's window"),
    (pooling(Pool("max", Window((3, 3), (2, 2), (0, 2)))), r"at most half of the pooling's window \(3\)"),
    (pooling(Pool("average", Window((2, 2), (2, 2)), divisor_override=0)), "divisor_override is 0"),
    (pooling(Pool("max", Window((2, 2), (2, 2)), divisor_override=2)), "for an average pooling"),
    (several(Add(), IMAGE), "it adds 4x9x9; expected two or more tensors of one shape"),
    (several(Concat(), IMAGE, Shape(4, 9, 8)), "it concatenates 4x9x9, 4x9x8; expected tensors of one height"),
    (several(Identity(), IMAGE, IMAGE), "it has 2 inputs; expected one"),
    (replace(CONV, inputs=(INPUT, INPUT)), "it has 2 inputs and 1 input_shapes"),
]


@pytest.mark.parametrize(("operator", "message"), WRONG)
def test_wrong_operators(operator: Operator, message: str) -> None:
    with pytest.raises(ModelError, match=f"operator 'a': .*{message}"):
        Graph("g", IMAGE, (operator,)) if "input_shapes" in message else operator.check()


def test_wrong_graphs() -> None:
    identity = Operator("b", Identity(), ("a",), (CONV.output_shape,), CONV.output_shape, CONV.output_shape)
    assert Graph("g", IMAGE, (CONV, identity)).is_chain
    cases: list[tuple[tuple[Operator, ...], str]] = [
        ((), "graph 'g' has no operators"),
        ((CONV, CONV), "two operators are named 'a'"),
        ((replace(CONV, name=INPUT),), "two operators are named 'input'"),
        ((identity, CONV), "'b' reads 'a', which no earlier operator writes"),
        ((CONV, replace(identity, input_shapes=(IMAGE,))), "'b' reads 'a' as 4x9x9, it is 8x7x7"),
        ((CONV, replace(CONV, name="c")), "graph 'g' has several outputs: a, c; expected one"),
    ]
    for members, message in cases:
        with pytest.raises(ModelError, match=message):
            Graph("g", IMAGE, members)
    with pytest.raises(ModelError, match="graph 'g': input_shape is 0x9x9; expected positive numbers"):
        Graph("g", Shape(0, 9, 9), (CONV,))
