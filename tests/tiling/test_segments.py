"""Where networks with branches may be cut, what is refused of them, and what their blocks take, by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from iopt.errors import PlanError
from iopt.graph import Graph, Operator
from iopt.graph.layers import Add, Shape
from iopt.tiling.evaluation import GroupCost, evaluate
from iopt.tiling.layers import layers_of
from iopt.tiling.methods import solve
from iopt.tiling.notation import parse, written
from iopt.tiling.plan import Group
from iopt.tiling.problem import Problem
from iopt.tiling.segments import Segment, alive_maps, segments_of
from iopt.tiling.tiles import Span, group_tiles
from tests import instances
from tests.instances import adaptive_pool, conv, linear, max_pool, pool
from tests.tiling.branches import branched
from tests.tiling.test_tiles import Cells, cells, read


def residual(*ends: Any, side: int = 6) -> Graph:
    """A 1x1 convolution, two of 3x3 whose output is added to what the first of them reads, and `ends`."""
    shape = Shape(2, side, side)
    graph = instances.chain("residual", shape, [conv(2, 1), conv(2, 3, padding=1), conv(2, 3, padding=1), *ends])
    operators = list(graph)
    operators.insert(3, Operator("sum", Add(), ("op3", "op1"), (shape, shape), shape, shape))
    if ends:
        operators[4] = replace(operators[4], inputs=("sum",))
    return Graph("residual", shape, tuple(operators))


def cost(text: str, graph: Graph, **options: Any) -> GroupCost:
    """Of the last group."""
    problem = Problem(graph, **{"weights": "none", **options})
    return evaluate(problem, parse(text, len(problem.layers))).groups[-1]


def test_segments_of_a_residual_network() -> None:
    layers = layers_of(residual(conv(3, 1), pool(max_pool(2))))
    assert alive_maps(layers) == ({-1}, {0}, {0, 1}, {0, 2}, {3}, {4})
    assert segments_of(layers) == (Segment(0, 0), Segment(1, 3), Segment(4, 4), Segment(5, 5))
    assert [segment.is_block for segment in segments_of(layers)] == [False, True, False, False]


def test_segments_of_a_network_that_is_one_block() -> None:
    shape = Shape(2, 6, 6)
    (first,) = instances.chain("net", shape, [conv(2, 3, padding=1)])
    graph = Graph("net", shape, (first, Operator("sum", Add(), ("op1", "input"), (shape, shape), shape, shape)))
    assert Problem(graph).segments == (Segment(0, 1),)
    found = solve(Problem(graph, weights="none", objective="memory"))
    assert found.plan is not None
    assert found.plan.groups == (Group(0, 1, 6, 6),)


def test_a_chain_has_a_segment_per_layer() -> None:
    problem = Problem(instances.chain("net", (2, 8, 8), [conv(2, 3), conv(2, 3, pooling=max_pool(2)), linear(3)]))
    assert problem.segments == tuple(Segment(index, index) for index in range(4))


MAP = 2 * 36 * 4
ROW = 2 * 6 * 4


def test_memory_of_an_untiled_block_by_hand() -> None:
    """At the last convolution of the block and at the sum three maps: what the block reads stays."""
    graph = residual()
    for predictor, peak in {"lean": 3, "torch": 4, "bound": 5, "plain11": 3}.items():
        assert cost("1x1/NoCut", graph, predictor=predictor).peak_bytes == peak * MAP
    assert cost("1x1/NoCut", graph, predictor="mafat", bias_bytes=5).peak_bytes == 3 * MAP + 5
    assert cost("1x1/NoCut", graph).layer == 2


def test_memory_of_a_tiled_block_by_hand() -> None:
    """The first of two tiles: 3 rows of the sum, 3, 4 and 5 rows of the convolutions' maps from its end.

    The first convolution of the block pads a row by a copy, and what it reads stays for the sum.
    """
    graph = residual()
    group = cost("2x1/NoCut", graph)
    assert group.peak_bytes == 2 * MAP + (5 + 6 + 4) * ROW
    assert (group.layer, group.tile) == (1, (0, 0))
    assert group.macs == 2 * 6 * (5 * 4 + 4 * 36 + 3 * 36)
    own = cost("1x1/1/2x1", graph)
    assert own.peak_bytes == 2 * MAP + (6 + 4) * ROW
    assert cost("1x1/1/2x1", graph, predictor="torch").peak_bytes == 3 * MAP + 8 * 6 * 8 + 4 * ROW
    assert cost("1x1/1/2x1", graph, predictor="bound").peak_bytes == 2 * MAP + (5 + 4) * ROW


def test_regions_of_a_tiled_block_by_hand() -> None:
    layers = layers_of(residual())
    tile = group_tiles(layers, Group(0, 3, 2, 1), "balanced")[0]
    assert [step.computes.rows for step in tile.steps] == [Span(0, 5), Span(0, 4), Span(0, 3), Span(0, 3)]
    assert [step.reads.rows for step in tile.steps] == [Span(0, 5), Span(0, 5), Span(0, 4), Span(0, 3)]


@pytest.mark.parametrize("seed", range(40))
def test_every_tile_has_what_its_windows_read(seed: int) -> None:
    """And no more than the hull of it, side by side."""
    layers = layers_of(branched(seed))
    for segment in segments_of(layers):
        own = layers[segment.first : segment.last + 1]
        rows, columns = min(3, own[-1].output.height), min(2, own[-1].output.width)
        if rows * columns == 1 or any(layer.whole for layer in own):
            continue
        for tile in group_tiles(layers, Group(segment.first, segment.last, rows, columns), "balanced"):
            wanted: dict[int, Cells] = {segment.last: cells(tile.steps[-1].computes)}
            for layer, step in reversed(list(zip(own, tile.steps, strict=True))):
                assert wanted[layer.index] <= cells(step.computes)
                found = read(layer, cells(step.computes))
                assert found <= cells(step.reads)
                for name in layer.inputs:
                    wanted.setdefault(name, set()).update(found)
            for layer, step in zip(own[:-1], tile.steps, strict=False):
                readers = [
                    other.reads for other, after in zip(tile.steps, own, strict=True) if layer.index in after.inputs
                ]
                for side in (0, 1):
                    spans = [region[side] for region in readers if region[side].size]
                    hull = (min((span.lo for span in spans), default=0), max((span.hi for span in spans), default=0))
                    assert step.computes[side].size == hull[1] - hull[0]
                    assert not spans or step.computes[side] == hull


def test_what_is_refused() -> None:
    graph = residual(conv(3, 1), pool(max_pool(2)))
    block = re.escape("the block of layers 1 ... 3 (op2 ... sum)")
    for text, expected in {
        "1x1/2/1x1": f"group of layers 0 ... 1: it ends inside {block}, whose branches stay in one group; expected it "
        "to end before layer 1 or with layer 3",
        "1x1/1/2x2/3/1x1": f"group of layers 1 ... 2: it ends inside {block}.* expected it to end with layer 3",
        "2x2c/NoCut": f"group of layers 0 ... 5: reuse is for layers in a row, not for {block}",
    }.items():
        with pytest.raises(PlanError, match=expected):
            cost(text, graph)
    with pytest.raises(PlanError, match=f"group of layers 0 ... 5: crop 'rim' is for layers in a row, not for {block}"):
        cost("2x2/NoCut", graph, predictor="bound", crop="rim")
    assert cost("2x2c/1/1x1/4/2x2c", graph).peak_bytes > 0
    assert cost("1x1/4/2x2", graph, predictor="bound", crop="rim").peak_bytes > 0


def test_a_block_with_a_global_pooling_runs_untiled() -> None:
    shape = Shape(2, 6, 6)
    first, pooled = instances.chain("net", (2, 6, 6), [conv(2, 1), pool(adaptive_pool(1))])
    other = replace(pooled, name="op3", inputs=("op1",))
    one = Shape(2, 1, 1)
    join = Operator("sum", Add(), ("op2", "op3"), (one, one), one, one)
    graph = Graph("net", shape, (first, pooled, other, join))
    assert Problem(graph).segments == (Segment(0, 0), Segment(1, 3))
    with pytest.raises(
        PlanError, match=r"group of layers 0 ... 3: op3 cannot be tiled: a global pooling|op2 cannot be"
    ):
        cost("2x2/NoCut", graph)
    assert cost("2x2/1/1x1", graph).peak_bytes > 0
    for method in ("exact", "milp", "deepthings", "mafat", "untiled"):
        found = solve(Problem(graph, weights="none"), method)
        assert found.plan is not None
        assert not found.plan.groups[-1].is_tiled


def test_baselines_cut_between_segments() -> None:
    """DeepThings' one group holds the block; MAFAT's cut is behind the pooling, after it."""
    graph = residual(pool(max_pool(2)), conv(3, 1), linear(4), side=24)
    problem = Problem(graph, objective="memory", weights="none")
    assert problem.segments[-1] == Segment(6, 6)
    for method, expected in {"deepthings": "6x6/6/1x1", "mafat": "4x4/5/2x2/6/1x1"}.items():
        found = solve(problem, method)
        assert found.plan is not None
        assert written(found.plan) == expected
