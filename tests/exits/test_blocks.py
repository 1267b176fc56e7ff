"""Backbones: cuts where one tensor crosses, exits that hang on cuts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from iopt import zoo
from iopt.errors import ModelError, OptionError
from iopt.exits.blocks import Backbone, ExitSite, Granularity, backbone
from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Add, Linear, Shape

SHAPE = Shape(3, 1, 1)
NETWORKS = ["b-lenet", "b-alexnet", "b-resnet"]


def linear(name: str, source: str) -> Operator:
    return Operator(name, Linear(f"{name}.weight"), (source,), (SHAPE,), SHAPE, SHAPE)


def add(name: str, *sources: str) -> Operator:
    return Operator(name, Add(), sources, (SHAPE,) * len(sources), SHAPE, SHAPE)


def graph(*operators: Operator, **exits: str) -> Graph:
    return Graph("g", SHAPE, operators, tuple(exits.items()))


def crossing(given: Graph, cut: Backbone, at: int) -> set[str]:
    """Tensors that pass from blocks up to `at` to later ones, counted anew."""
    before = {INPUT, *(name for names in cut.operators[:at] for name in names)}
    after = [name for names in cut.operators[at:] for name in names]
    return {source for name in after for source in given.operator(name).inputs} & before


@pytest.mark.parametrize("granularity", ["operator", "exit"])
@pytest.mark.parametrize("name", NETWORKS)
def test_one_tensor_crosses_every_cut(name: str, granularity: Granularity) -> None:
    given = zoo.graph(name)
    cut = backbone(given, granularity)
    for at, (names, block) in enumerate(zip(cut.operators[:-1], cut.blocks, strict=False), 1):
        assert crossing(given, cut, at) == {names[-1]}
        assert block.out_bits == 32 * given.operator(names[-1]).output_shape.elements
    assert (cut.blocks[-1].out_bits, cut.input_bits) == (0, 32 * given.input_shape.elements)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_operator_is_lost_and_branches_are_not_counted(name: str) -> None:
    given = zoo.graph(name)
    fine, coarse = backbone(given), backbone(given, "exit")
    trunk = [operator for names in fine.operators for operator in names]
    branches = [operator for site in fine.exits for operator in site.operators]
    assert sorted(trunk + branches) == sorted(operator.name for operator in given)
    assert all(operator.startswith("branches") for operator in branches)
    for cut in (fine, coarse):
        assert sum(block.ops for block in cut.blocks) == sum(given.operator(operator).flops for operator in trunk)
        parameters = sum(given.operator(operator).parameters for operator in trunk)
        assert sum(block.weight_bytes for block in cut.blocks) == 4 * parameters
    assert len(coarse.blocks) == len(coarse.exits)


def test_published_sizes_between_the_groups() -> None:
    """Features after groups 1 and 3 of B-ResNet and after block 1 of B-LeNet, as released with FIN."""
    resnet, lenet = backbone(zoo.graph("b-resnet"), "exit"), backbone(zoo.graph("b-lenet"), "exit")
    assert [block.out_bits / 32 for block in resnet.blocks] == [16384, 4096, 0]
    assert [block.out_bits / 32 for block in lenet.blocks] == [1600, 0]


def test_residual_sums_lie_inside_a_block() -> None:
    cut = backbone(
        graph(
            linear("a", INPUT),
            linear("b", "a"),
            linear("side", "a"),
            add("sum", "b", "a"),
            linear("c", "sum"),
            early="side",
            late="c",
        )
    )
    assert cut.operators == (("a",), ("b", "sum"), ("c",))
    assert [block.name for block in cut.blocks] == ["a", "b..sum", "c"]
    assert cut.exits == (ExitSite("early", 1, ("side",)), ExitSite("late", 3, ()))


def test_a_shortcut_from_the_input_leaves_no_cut() -> None:
    cut = backbone(graph(linear("a", INPUT), linear("b", "a"), add("c", "b", INPUT), linear("d", "c"), e="c", f="d"))
    assert cut.operators == (("a", "b", "c"), ("d",))


def test_the_order_of_parallel_branches_does_not_matter() -> None:
    side, left, right = linear("side", "t"), linear("l", "s"), linear("r", "s")
    stem, total, last = linear("s", INPUT), add("t", "l", "r"), linear("z", "t")
    for order in ((stem, left, right, total, side, last), (stem, right, left, total, last, side)):
        cut = backbone(graph(*order, early="side", late="z"))
        assert [len(names) for names in cut.operators] == [1, 3, 1]
        assert cut.exits[0] == ExitSite("early", 2, ("side",))


def test_an_exit_that_is_read_further_has_no_branch() -> None:
    cut = backbone(graph(linear("a", INPUT), linear("b", "a"), early="a", late="b"))
    assert cut.exits == (ExitSite("early", 1, ()), ExitSite("late", 2, ()))


A, B, C = linear("a", INPUT), linear("b", "a"), linear("c", "b")
SIDE = linear("side", "a")
REFUSED: dict[str, tuple[Any, str]] = {
    "a bypassed tensor": (
        graph(A, B, linear("side", "b"), add("s", "b", "a"), early="side", late="s"),
        r"exit 'early' hangs on b, which other tensors bypass \(a shortcut",
    ),
    "two tensors": (
        graph(A, B, C, add("two", "a", "b"), early="two", late="c"),
        "exit 'early' reads a and b; expected",
    ),
    "the input": (graph(A, linear("side", INPUT), early="side", late="a"), "exit 'early' hangs on the input; expected"),
    "the last exit": (graph(A, SIDE, early="side", late="a"), "exit 'early' hangs on the last exit; expected"),
    "one cut twice": (
        graph(A, SIDE, linear("more", "a"), B, one="side", two="more", last="b"),
        "exit 'two' hangs on a and exit 'one' on a; expected exits in order of depth",
    ),
    "the deepest first": (
        graph(A, B, C, SIDE, deep="c", shallow="side"),
        r"after a, exit 'deep' does more \(\d+ FLOP\) than 'shallow', the last one \(\d+ FLOP\); expected exits",
    ),
    "the wrong order": (
        graph(A, SIDE, B, linear("more", "b"), C, deep="more", shallow="side", last="c"),
        "exit 'shallow' hangs on a and exit 'deep' on b; expected exits in order of depth",
    ),
    "one output": (graph(A), "g has one output; expected a network that returns one output per exit"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(given: Graph, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        backbone(given)


def test_an_unknown_granularity() -> None:
    with pytest.raises(OptionError, match="granularity is 'layer'; expected 'operator' or 'exit'"):
        backbone(zoo.graph("b-lenet"), "layer")  # type: ignore[arg-type]  # what is tested


def test_the_network_of_a_backbone() -> None:
    cut = backbone(zoo.graph("b-lenet"))
    network = cut.network("n", [0.75, 0.25], [0.5, 1.0])
    assert (network.blocks, network.input_bits) == (cut.blocks, 32 * 784)
    assert [(leave.name, leave.after, leave.accuracy) for leave in network.exits] == [
        ("exit-1", 2, 0.5),
        ("final", 6, 1),
    ]
    assert all(second <= first for first, second in pairwise(network.reach))
