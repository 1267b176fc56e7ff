"""The judge, on values worked out by hand, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iopt.errors import ModelError, OptionError, PlanError
from iopt.tiling.evaluation import Evaluation, evaluate
from iopt.tiling.latency import TICK_S, HostModel, LayerTime
from iopt.tiling.notation import parse
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem
from tests import instances
from tests.instances import adaptive_pool, avg_pool, conv, linear, max_pool, pool

TOY = instances.chain("toy", (1, 6, 6), [conv(2, 3, padding=1), pool(max_pool(2)), conv(3, 3, padding=1, stride=2)])
"""1x6x6, conv to 2x6x6, pool to 2x3x3, conv to 3x2x2; 20 and 57 parameters."""


def cost(text: str, graph: Any = TOY, **options: Any) -> Evaluation:
    problem = Problem(graph, **{"weights": "none", **options})
    return evaluate(problem, parse(text, len(problem.layers)))


def test_work_by_hand() -> None:
    assert cost("1x1/NoCut").macs == 36 * 18 + 4 * 54
    # Each half of 2x1 needs a row of the 3x2x2 map: rows -1 ... 1 or 1 ... 3 of the 2x3x3 one, so 2 rows, that is 4 of
    # 2x6x6: 2 x (24 x 18 + 2 x 54).
    evaluation = cost("2x1/NoCut")
    assert evaluation.macs == 2 * (24 * 18 + 2 * 54)
    assert evaluation.mac_factor == 1080 / 864
    assert cost("2x1c/NoCut").macs == 24 * 18 + 12 * 18 + 4 * 54


def test_memory_of_an_untiled_group_by_hand() -> None:
    maps = [36 * 4, 72 * 4, 18 * 4, 12 * 4]
    assert cost("1x1/NoCut").peak_bytes == maps[0] + maps[1]
    assert cost("1x1/NoCut", predictor="torch").peak_bytes == maps[1] + maps[2] + 8 * 18 + maps[0]
    assert cost("1x1/NoCut", predictor="bound").peak_bytes == maps[0] + maps[3] + maps[0] + maps[1]
    assert cost("1x1/NoCut", predictor="plain11").peak_bytes == maps[0] + maps[1]
    assert cost("1x1/NoCut", predictor="mafat", bias_bytes=7).peak_bytes == maps[0] + maps[1] + 7
    assert cost("1x1/NoCut", backend="im2col").peak_bytes == maps[0] + maps[1] + 36 * 9 * 4
    assert cost("1x1/NoCut", weights="resident").peak_bytes == maps[0] + maps[1] + 4 * (20 + 57)
    assert cost("1x1/NoCut", weights="streamed").peak_bytes == maps[0] + maps[1] + 4 * 20


def test_memory_of_a_tiled_group_by_hand() -> None:
    """2x1 on the first convolution: a tile reads 4 of 6 rows, and is padded by one row, and by both columns."""
    maps, view, out = 36 * 4 + 72 * 4, 4 * 6 * 4, 2 * 18 * 4
    text = "2x1/1/1x1"
    first = Problem(TOY, weights="none")
    lean = evaluate(first, parse(text, 3)).groups[0]
    assert lean.peak_bytes == maps + 5 * 6 * 4 + out
    assert (lean.layer, lean.tile) == (0, (0, 0))
    torch = evaluate(Problem(TOY, weights="none", predictor="torch"), parse(text, 3)).groups[0]
    assert torch.peak_bytes == maps + 5 * 8 * 4 + out
    bound = evaluate(Problem(TOY, weights="none", predictor="bound"), parse(text, 3)).groups[0]
    assert bound.peak_bytes == maps + view + out


def test_the_lean_executor_copies_what_it_must() -> None:
    graph = instances.chain("wide", (1, 4, 9), [conv(1, 3, padding=1)])
    maps = 2 * 36 * 4
    # Columns of three tiles: a copy with one more column at the borders, none inside.
    assert cost("1x3/NoCut", graph).peak_bytes == maps + 4 * (4 * (4 + 1) + 4 * 3)
    assert cost("1x3/NoCut", graph, predictor="torch").peak_bytes == maps + 4 * ((4 + 2) * 5 + 12)
    pooled = instances.chain("pooled", (1, 6, 6), [pool(max_pool(3, 1, 1))])
    assert cost("2x2/NoCut", pooled).peak_bytes == 4 * (36 + 36 + 9)
    averaged = instances.chain("averaged", (1, 6, 6), [pool(avg_pool(3, 1, 1))])
    assert cost("2x2/NoCut", averaged).peak_bytes == 4 * (36 + 36 + 9)
    assert cost("2x2/NoCut", averaged, predictor="torch").peak_bytes == 4 * (36 + 36 + 25 + 9)
    # Stride 2: a row and a column padded after the tile are beyond its last window, so the convolution pads both ends.
    strided = instances.chain("strided", (1, 8, 8), [conv(1, 3, stride=2, padding=1)])
    assert cost("2x1/NoCut", strided).peak_bytes == 4 * (64 + 16 + 8)


def test_a_tile_of_whole_rows_is_read_where_it_lies_and_others_are_copied() -> None:
    for predictor in ("lean", "torch"):
        graph = instances.chain("apart", (1, 6, 6), [conv(1, 1)])
        assert cost("2x1/NoCut", graph, predictor=predictor).peak_bytes == 4 * (72 + 18)
        assert cost("1x2/NoCut", graph, predictor=predictor).peak_bytes == 4 * (72 + 18 + 18)
        assert cost("6x2/NoCut", graph, predictor=predictor).peak_bytes == 4 * (72 + 3)
        assert cost("1x2/NoCut", graph, predictor=predictor, backend="im2col").peak_bytes == 4 * (72 + 18 + 18)


def test_strips_by_hand() -> None:
    """Two 3x3 convolutions on 8 columns, cut into two tiles: the second takes two columns of the map between."""
    graph = instances.chain("two", (1, 8, 8), [conv(1, 3, padding=1), conv(1, 3, padding=1)])
    plain, reused = cost("1x2/NoCut", graph), cost("1x2c/NoCut", graph)
    assert plain.macs == 9 * 8 * (5 + 5 + 4 + 4)
    assert reused.macs == 9 * 8 * (5 + 3 + 4 + 4)
    assert plain.groups[0].strips_bytes == 0
    assert reused.groups[0].strips_bytes == 2 * 8 * 4


def test_binding_group_layer_and_tile() -> None:
    evaluation = cost("1x1/2/2x2")
    assert evaluation.binding is evaluation.groups[0]
    assert (evaluation.binding.layer, evaluation.binding.tile) == (0, None)
    assert evaluation.peak_bytes == evaluation.groups[0].peak_bytes > evaluation.groups[1].peak_bytes


def test_limits_are_named() -> None:
    assert cost("1x1/NoCut", memory_bytes=432).is_feasible
    assert cost("1x1/NoCut", memory_bytes=431).violations == ("needs 432 B, limit 431 B",)
    late = cost("2x1/NoCut", objective="memory", overhead=1.2)
    assert late.violations == ("computes 1.25 times the untiled network, limit 1.2",)
    assert cost("2x1/NoCut", objective="memory", overhead=1.25).is_feasible


def test_latency_is_a_sum_over_tiles_and_layers() -> None:
    times = tuple(LayerTime((10.0, 20.0), (1.0 + layer, 2.0 + layer)) for layer in range(3))
    host = HostModel(times, call_s=0.25, tile_s=0.5)
    whole = cost("1x1/NoCut", host=host)
    assert whole.latency_s == pytest.approx(3.6 + 2 + 3 + 3 * 0.25, abs=10 * TICK_S)
    assert whole.latency_s == sum(host.seconds(layer, cells) for layer, cells in enumerate((36, 9, 4)))
    tiled = cost("2x1/NoCut", host=host)
    assert tiled.latency_s == pytest.approx(2 * (0.5 + 3 * 0.25 + 2.4 + 2 + 3), abs=10 * TICK_S)
    assert cost("2x1/NoCut").latency_s is None


def test_a_layer_s_time_between_and_beyond_its_points() -> None:
    time = LayerTime((10.0, 20.0), (1.0, 3.0))
    assert [float(time(cells)) for cells in (1, 10, 15, 20, 40)] == [1, 1, 2, 3, 7]
    assert float(HostModel((time,), 0.5).seconds(0, 0)) == 0.0
    for cells, seconds in (((), ()), ((1.0,), ()), ((2.0, 1.0), (1.0, 1.0)), ((1.0,), (-1.0,))):
        with pytest.raises(OptionError, match="a layer's"):
            LayerTime(cells, seconds)
    with pytest.raises(OptionError, match="call_s is -1"):
        HostModel((time,), call_s=-1)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ((), "has no groups"),
        ((Group(0, 1),), "ends with layer 1; the network ends with 2"),
        ((Group(1, 2),), "expected groups that follow each other from layer 0 to 2"),
        ((Group(0, 1), Group(1, 2)), "layers 1 ... 2: expected groups that follow each other"),
        ((Group(0, 3),), "layers 0 ... 3: expected groups that follow each other"),
        ((Group(0, 2, 0, 1),), "it has 0x1 tiles"),
        ((Group(0, 2, 3, 1),), "3 rows of tiles on a map of 2 leave one empty; expected 2 or fewer"),
        ((Group(0, 2, 2, 5),), "5 columns of tiles on a map of 2 leave one empty; expected 2 or fewer"),
        ((Group(0, 2, 2, 2, "some"),), "reuse of a group is 'some'"),
    ],
)
def test_what_does_not_fit_the_network(groups: tuple[Group, ...], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        evaluate(Problem(TOY), Configuration(groups))
    assert message in str(caught.value)


@pytest.mark.parametrize("layer", [linear(4), pool(adaptive_pool(5)), pool(adaptive_pool(1))])
def test_an_operator_that_cannot_be_tiled_is_named(layer: Any) -> None:
    graph = instances.chain("net", (3, 8, 8), [conv(4, 3, padding=1), layer])
    assert cost("1x1/NoCut", graph).mac_factor == 1
    assert cost("2x2/1/1x1", graph).groups[0].tile is not None
    with pytest.raises(PlanError, match=r"group of layers 0 \.\.\. 1: op2 cannot be tiled: .*; expected 1x1"):
        cost("2x2/NoCut", graph)


def test_the_ceil_grid_has_empty_tiles_sooner() -> None:
    graph = instances.chain("net", (1, 6, 6), [conv(1, 3, padding=1)])
    assert cost("4x1/NoCut", graph).macs == 9 * 36
    with pytest.raises(PlanError, match="4 rows of tiles on a map of 6 leave one empty; expected 3 or fewer"):
        cost("4x1/NoCut", graph, grid="ceil")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory_bytes": 0}, "memory_bytes is 0; expected a whole number of bytes from 1 to 2**53"),
        ({"memory_bytes": 1.5}, "memory_bytes is 1.5"),
        ({"objective": "mac"}, "objective is 'mac'; expected 'macs' or 'latency' or 'memory'; did you mean 'macs'"),
        ({"objective": "latency"}, "needs a host model"),
        ({"overhead": 1.1}, "overhead limits the objective 'memory'; the objective is 'macs'"),
        ({"overhead": 0, "objective": "memory"}, "overhead is 0; expected a factor above zero"),
        ({"predictor": "leen"}, "did you mean 'lean'"),
        ({"predictor": "mafat"}, "bias_bytes goes with the predictor 'mafat'"),
        ({"bias_bytes": 3}, "bias_bytes goes with the predictor 'mafat'"),
        ({"crop": "rim"}, "crop 'rim' is darknet's"),
        ({"max_tiles": 0}, "max_tiles is 0; expected a whole number from 1 to 64"),
        ({"reuse": 1}, "reuse is 1; expected True or False"),
        ({"weights": None}, "weights is None"),
        ({"host": HostModel(())}, "the host model has 0 layers; the network has 3"),
    ],
)
def test_problems_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Problem(TOY, **options)
    assert message in str(caught.value)


def test_a_problem_of_a_graph_with_early_exits() -> None:
    graph = instances.chain("net", (3, 8, 8), [conv(3, 1), conv(3, 1)])
    with pytest.raises(ModelError, match="operator 'op1' writes an early exit"):
        Problem(replace(graph, exits=(("early", "op1"), ("final", "op2"))))
