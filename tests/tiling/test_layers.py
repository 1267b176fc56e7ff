"""From a graph to the layers that tiling cuts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iopt import zoo
from iopt.errors import ModelError
from iopt.graph import Graph, Operator
from iopt.graph.layers import Activation, Add, Concat, Conv2d, Shape, Window
from iopt.tiling.layers import POINT, Layer, layers_of, map_shape
from tests import instances
from tests.instances import adaptive_pool, avg_pool, conv, linear, max_pool, norm, pool
from tests.tiling.networks import GOLDEN, yolov2_16


def drawn_layers(*parts: Any, size: tuple[int, int, int] = (3, 12, 12)) -> tuple[Layer, ...]:
    return layers_of(instances.chain("net", size, parts))


def test_the_golden_layers() -> None:
    layers = layers_of(yolov2_16())
    for layer, row in zip(layers, GOLDEN["layers"], strict=True):
        assert layer.index == row["index"]
        assert layer.kind == {"conv": "conv", "maxpool": "max"}[row["type"]]
        assert list(layer.input) == row["in_shape"]
        assert list(layer.output) == row["out_shape"]
        assert layer.input.bytes == row["input_bytes"]
        assert layer.output.bytes == row["output_bytes"]
        assert layer.input.bytes + layer.output.bytes == row["in_out_bytes"]
        cells = layer.output.height * layer.output.width
        assert layer.column_bytes * cells == row["im2col_bytes"]
        assert layer.input.bytes + layer.output.bytes + layer.column_bytes * cells == row["in_out_im2col_bytes"]
        assert layer.weight_bytes == layer.parameter_bytes == row["weight_bytes"]
        assert layer.macs == row["macs"]
    totals = GOLDEN["totals"]
    assert sum(layer.macs for layer in layers) == totals["macs"] == round(totals["gmac"] * 1e9)
    assert sum(layer.weight_bytes for layer in layers) == totals["weight_bytes"] == 13_675_904
    assert totals["weight_mib"] == round(totals["weight_bytes"] / 2**20, 4)
    assert max(layer.input.bytes + layer.output.bytes for layer in layers) == totals["max_in_out_bytes"]
    assert max(row["in_out_im2col_bytes"] for row in GOLDEN["layers"]) == totals["max_in_out_im2col_bytes"]


def test_an_epilogue_s_pooling_is_a_layer_of_its_own() -> None:
    graph = instances.chain("net", (3, 8, 8), [conv(4, 3, padding=1, pooling=max_pool(2)), conv(2, 1, norm=True)])
    first, second, third = layers_of(graph)
    assert [layer.name for layer in (first, second, third)] == ["op1", "op1.pool", "op2"]
    assert (first.output, second.input, second.output) == ((4, 8, 8), (4, 8, 8), (4, 4, 4))
    assert (first.weight_bytes, first.parameter_bytes, second.parameter_bytes) == (4 * 27 * 4, 4 * 28 * 4, 0)
    assert third.parameter_bytes == 4 * (4 * 2 + 2 + 2 * 2)
    assert sum(layer.parameter_bytes for layer in (first, second, third)) == 4 * graph.parameters
    assert second.window == Window((2, 2), (2, 2))
    assert [len(layer.steps) for layer in (first, second, third)] == [1, 0, 2]


def test_a_norm_in_the_way_joins_the_layer_before() -> None:
    (layer,) = drawn_layers(conv(4, 3), norm())
    assert [type(step).__name__ for step in layer.steps] == ["Activation", "BatchNorm"]
    assert layer.parameter_bytes == 4 * (4 * 27 + 4 + 8)
    first, second = drawn_layers(norm(), conv(4, 3))
    assert (first.kind, first.window, first.macs, first.whole) == ("elementwise", Window((1, 1)), 0, "")
    assert second.index == 1


def test_what_needs_its_whole_input_says_so() -> None:
    reasons = {
        linear(4): "linear",
        pool(adaptive_pool(5)): "windows of several sizes",
        pool(adaptive_pool(1)): "global",
        pool(avg_pool(3, 2, ceil_mode=True)): "ceil_mode",
    }
    for part, reason in reasons.items():
        assert reason in drawn_layers(part)[-1].whole
    for part in (pool(max_pool(3, 2, ceil_mode=True)), pool(avg_pool(3, 3, ceil_mode=True)), pool(adaptive_pool(4))):
        assert drawn_layers(part)[-1].whole == ""
    assert drawn_layers(pool(adaptive_pool((4, 6))))[0].window == Window((3, 2), (3, 2))


def test_a_batch_norm_over_cells_is_not_tiled() -> None:
    graph = instances.chain("net", (3, 4, 4), [conv(2, 3, padding=1, norm=True)])
    (operator,) = graph
    (activation, batch_norm) = operator.epilogue
    over_cells = replace(operator, epilogue=(activation, replace(batch_norm, features=32)))
    assert "over all cells" in layers_of(replace(graph, operators=(over_cells,)))[0].whole


def test_groups_and_dilation() -> None:
    (layer,) = drawn_layers(conv(6, (3, 2), (1, 2), (1, 0), (2, 1), groups=3))
    assert isinstance(layer.body, Conv2d)
    assert layer.body.groups == 3
    assert layer.cell_macs == 6 * 1 * 6
    assert layer.output == Shape(6, 10, 6)
    assert layer.macs == 36 * 60
    assert layer.column_bytes == 6 * 3 * 4


def test_yolov2_of_the_zoo_has_the_golden_layers() -> None:
    graph = zoo.graph("yolov2-16")
    layers = layers_of(graph)
    assert [(layer.kind, layer.input, layer.output, layer.window, layer.weight_bytes) for layer in layers] == [
        (layer.kind, layer.input, layer.output, layer.window, layer.weight_bytes) for layer in layers_of(yolov2_16())
    ]
    assert 2 * sum(layer.macs for layer in layers) == graph.flops
    assert sum(layer.parameter_bytes for layer in layers) == 4 * graph.parameters
    assert [layer.name for layer in layers[:3]] == ["layers.0", "layers.0.pool", "layers.4"]


def test_early_exits_are_refused_by_name() -> None:
    graph = instances.chain("net", (3, 8, 8), [conv(3, 1), conv(3, 1), conv(3, 1)])
    with pytest.raises(ModelError, match="operator 'op1' writes an early exit; tiling is for networks with one output"):
        layers_of(replace(graph, exits=(("early", "op1"), ("final", "op3"))))


def test_layers_say_what_they_read_and_free() -> None:
    chain = drawn_layers(conv(4, 3), conv(4, 1, pooling=max_pool(2)))
    assert [(layer.inputs, layer.frees) for layer in chain] == [((-1,), (-1,)), ((0,), (0,)), ((1,), (1,))]
    first, second = instances.chain("net", (3, 8, 8), [conv(3, 1), conv(3, 1)])
    shapes = (Shape(3, 8, 8), Shape(3, 8, 8), Shape(3, 8, 8))
    joins = [
        Operator("sum", Add(), ("op2", "input", "op2"), shapes, shapes[0], shapes[0], (Activation("relu"),)),
        Operator("cat", Concat(), ("sum", "op1"), shapes[:2], Shape(6, 8, 8), Shape(3 * 2, 8, 8)),
    ]
    layers = layers_of(Graph("net", Shape(3, 8, 8), (first, second, *joins)))
    assert [layer.inputs for layer in layers] == [(-1,), (0,), (1, -1, 1), (2, 0)]
    assert [layer.frees for layer in layers] == [(), (), (1, -1), (2, 0)]
    assert [layer.kind for layer in layers[2:]] == ["add", "concat"]
    assert [(layer.window, layer.macs, len(layer.steps)) for layer in layers[2:]] == [(POINT, 0, 1), (POINT, 0, 0)]
    assert [map_shape(layers, index).channels for index in range(-1, 4)] == [3, 3, 3, 3, 6]


def test_an_elementwise_step_joins_a_map_that_it_alone_reads() -> None:
    first, apart, alone = instances.chain("net", (3, 8, 8), [conv(3, 1), norm(), norm()])
    shape = Shape(3, 8, 8)
    other = replace(alone, name="op4", inputs=("op1",))
    join = Operator("sum", Add(), ("op3", "op4"), (shape, shape), shape, shape)
    layers = layers_of(Graph("net", shape, (first, apart, other, alone, join)))
    assert [(layer.name, layer.inputs, len(layer.steps)) for layer in layers] == [
        ("op1", (-1,), 1),
        ("op2", (0,), 2),
        ("op4", (0,), 1),
        ("sum", (1, 2), 0),
    ]
