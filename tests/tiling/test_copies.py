"""The bytes that tiles copy: by hand, and as the executor copies them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from iopt.graph import Graph
from iopt.graph.layers import Add
from iopt.tiling.copies import step_copies
from iopt.tiling.evaluation import evaluate
from iopt.tiling.executor import maps
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.latency import TICK_S, HostModel, LayerTime
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from iopt.tiling.plan import Configuration
from iopt.tiling.predictors import Predictor
from iopt.tiling.problem import Problem
from iopt.tiling.tiles import Padding, group_tiles
from tests import instances
from tests.instances import avg_pool, conv, max_pool, pool
from tests.tiling.branches import Drawing, executed_branches
from tests.tiling.executed import State, weights

NET = instances.chain(
    "net",
    (2, 17, 14),
    [conv(4, 3, padding=1), pool(max_pool(3, 2, 1)), conv(3, 3, 2, 1), conv(3, (1, 3)), pool(avg_pool(2, 1, 1))],
)


def copied(problem: Problem, configuration: Configuration) -> int:
    return sum(
        step_copies(problem, group, step)
        for group in configuration.groups
        if group.is_tiled
        for tile in group_tiles(problem.layers, group, problem.grid)
        for step in tile.steps
    )


def test_two_tiles_by_hand() -> None:
    """Two 3x3 convolutions on 8 columns: a tile of the first reads 6 columns and one of padding."""
    graph = instances.chain("two", (1, 8, 8), [conv(1, 3, padding=1), conv(1, 3, padding=1)])
    options: dict[str, Any] = {"graph": graph, "weights": "none"}
    # The rows of a tile are padded by the convolution itself, and the column by a copy of 8 x 7, then of 8 x 6.
    assert copied(Problem(**options), parse("1x2/NoCut", 2)) == 4 * (2 * 8 * 7 + 2 * 8 * 6 + 2 * 8 * 4)
    assert copied(Problem(**options, predictor="torch"), parse("1x2/NoCut", 2)) == 4 * (
        2 * 10 * 7 + 2 * 10 * 6 + 2 * 8 * 4
    )
    # The second tile reads 5 columns for the 3 that it computes, and puts them together with 2 strips.
    strips = 2 * 8 + 5 * 8
    assert copied(Problem(**options), parse("1x2c/NoCut", 2)) == 4 * (8 * (7 + 5) + 2 * 8 * 6 + strips + 2 * 8 * 4)
    assert copied(Problem(**options), parse("1x1/NoCut", 2)) == 0


def test_copies_take_time() -> None:
    time = LayerTime((1.0,), (1.0,))
    graph = instances.chain("apart", (1, 6, 6), [conv(1, 1)])
    host = HostModel((time,), copy_s=0.001)
    for text, count in (("2x1/NoCut", 36), ("1x2/NoCut", 2 * 36), ("1x1/NoCut", 0)):
        configuration = parse(text, 1)
        tiles = configuration.groups[0].rows * configuration.groups[0].columns
        evaluation = evaluate(Problem(graph, host=host), configuration)
        assert evaluation.latency_s == pytest.approx(tiles + 0.001 * 4 * count, abs=4 * TICK_S)


@pytest.mark.parametrize("predictor", ["bound", "plain11", "mafat"])
def test_predictors_of_memory_alone_count_the_copies_of_the_lean_executor(predictor: Predictor) -> None:
    configuration = parse("2x3c/2/2x2", 5)
    bias_bytes = 0 if predictor == "mafat" else None
    own = copied(Problem(NET, predictor=predictor, bias_bytes=bias_bytes), configuration)
    assert own == copied(Problem(NET), configuration) < copied(Problem(NET, predictor="torch"), configuration)


class Copies(TorchDispatchMode):
    """Bytes that operators copy while it is active, into tensors that are there. A bias that fills a map is no copy."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **kwargs or {})
        if func is torch.ops.aten.copy_.default and args[1].shape == result.shape:
            self.count += result.nbytes
        return result


def executed_copies(
    graph: Graph, configuration: Configuration, state: State, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Bytes that an executor copies, but for the network's input."""
    copies = Copies()
    padded, dense = maps.padded, maps.dense

    def count_padding(tensor: torch.Tensor, padding: Padding, value: float) -> torch.Tensor:
        result = padded(tensor, padding, value)
        copies.count += result.nbytes - tensor.nbytes
        return result

    def count_dense(tensor: torch.Tensor) -> torch.Tensor:
        result = dense(tensor)
        copies.count += 0 if result is tensor else result.nbytes
        return result

    runtime, image = Runtime(graph, configuration, state, executor), torch.zeros(1, *graph.input_shape)
    with monkeypatch.context() as patched, copies:
        patched.setattr(maps, "padded", count_padding)
        patched.setattr(maps, "dense", count_dense)
        runtime(image)
    return copies.count - image.nbytes


@pytest.mark.parametrize("executor", ["lean", "torch"])
@pytest.mark.parametrize("text", ["1x1/NoCut", "3x1/NoCut", "1x3/2/2x2", "3x3c/NoCut", "2x4c/2/1x1", "4x4/1/2x3c"])
def test_the_executor_copies_so_many_bytes(text: str, executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = parse(text, 5)
    found = executed_copies(NET, configuration, weights(NET, 0), executor, monkeypatch)
    assert found == copied(Problem(NET, predictor=executor), configuration)


def residual() -> Graph:
    """A convolution, and a 3x3 convolution beside what it reads, added."""
    drawing = Drawing(Random(0), (2, 8, 8))
    before = drawing.add(conv(2, 1), drawing.input)
    drawing.join(Add(), [before, drawing.add(conv(2, 3, padding=1), before)])
    return drawing.graph("residual")


def test_two_tiles_of_a_residual_block_by_hand() -> None:
    """A tile holds 5 columns of the map that the block reads: the 3x3 convolution copies them with one of padding, the
    sum reads 4 of them as a view. The 1x1 convolution reads 5 of the 8 columns of the input, made dense."""
    configuration = parse("1x2/NoCut", 3)
    dense, padded, part = 2 * 8 * 5, 2 * 8 * 6, 2 * 8 * 4
    assert copied(Problem(residual()), configuration) == 4 * 2 * (dense + padded + part)


@pytest.mark.parametrize("executor", ["lean", "torch"])
def test_the_executor_copies_so_many_bytes_in_a_residual_block(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = residual()
    for text in ("1x1/NoCut", "1x2/NoCut", "3x3/NoCut", "2x2c/1/1x4", "1x1/1/4x2"):
        configuration = parse(text, 3)
        found = executed_copies(graph, configuration, weights(graph, 0), executor, monkeypatch)
        assert found == copied(Problem(graph, predictor=executor), configuration)


def computed_by_copying(problem: Problem, configuration: Configuration) -> int:
    """Bytes of the outputs of layers that compute by a copy: a concatenation, or steps in place alone."""
    count = 0
    for group in configuration.groups:
        tiles = group_tiles(problem.layers, group, problem.grid) if group.is_tiled else ()
        for layer in problem.layers[group.first : group.last + 1]:
            if layer.kind in ("concat", "elementwise"):
                part = sum(tile.steps[layer.index - group.first].computes.cells for tile in tiles)
                count += 4 * layer.output.channels * part if group.is_tiled else layer.output.bytes
    return count


@pytest.mark.parametrize("executor", ["lean", "torch"])
def test_the_executor_copies_so_many_bytes_in_branches(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums, concatenations and forks, nested ones too, with windows of every kind."""
    joins, some = set(), 0
    for graph, state, configuration in map(executed_branches, range(60)):
        problem = Problem(graph, predictor=executor)
        expected = copied(problem, configuration)
        found = executed_copies(graph, configuration, state, executor, monkeypatch)
        assert found == expected + computed_by_copying(problem, configuration), graph.name
        tiled = [group for group in configuration.groups if group.is_tiled]
        layers = [layer for group in tiled for layer in layers_of(graph)[group.first : group.last + 1]]
        joins |= {layer.kind for layer in layers}
        some += expected > 0
    assert joins >= {"add", "concat"}
    assert some > 20
