"""Graphs with several named outputs: what they must be, and what does not change for the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iopt import zoo
from iopt.cluster import Cluster
from iopt.errors import ModelError
from iopt.graph import INPUT, Graph, Operator
from iopt.graph import file as graph_file
from iopt.graph.layers import Linear, Shape
from iopt.partition.problem import Problem

SHAPE = Shape(3, 1, 1)
LENET5_HASH = "609fdbab802d2a5f1e7193f9738d65a22165ae3cccb5f5cb0e7f980736e7d667"
"""Of the graph as it was before graphs had exits."""


def linear(name: str, source: str) -> Operator:
    return Operator(name, Linear(f"{name}.weight"), (source,), (SHAPE,), SHAPE, SHAPE)


A, SIDE, B = linear("a", INPUT), linear("side", "a"), linear("b", "a")
GRAPH = Graph("g", SHAPE, (A, B, SIDE), (("early", "side"), ("late", "b")))


def test_outputs_are_those_of_the_exits_in_order() -> None:
    assert GRAPH.outputs == ("side", "b")
    wide = replace(B, pre_shape=Shape(7, 1, 1), output_shape=Shape(7, 1, 1))
    assert replace(GRAPH, operators=(A, wide, SIDE)).output_shape == (7, 1, 1)
    assert not GRAPH.is_chain


def test_an_exit_may_be_read_further() -> None:
    chain = Graph("g", SHAPE, (A, B), (("early", "a"), ("late", "b")))
    assert chain.is_chain
    assert chain.outputs == ("a", "b")


@pytest.mark.parametrize(
    ("exits", "message"),
    [
        ((), "several outputs: b, side; expected one, or exits"),
        ((("late", "b"),), "has one exit, 'late'; expected several"),
        ((("early", "a"), ("late", "b")), "nobody reads 'side', and it is no exit"),
        ((("x", "side"), ("x", "b")), r"exits\[1\] is named 'x'; expected a name of its own"),
        ((("", "side"), ("x", "b")), r"exits\[0\] is named ''"),
        ((("early", "c"), ("late", "b")), "exit 'early' is written by 'c'; no operator has that name"),
        ((("early", "side"), ("same", "side"), ("late", "b")), "exits 'early' and 'same' are one tensor"),
    ],
)
def test_refused(exits: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(GRAPH, exits=exits)


def test_there_and_back(tmp_path: Path) -> None:
    graph_file.save(GRAPH, tmp_path / "g.json")
    assert graph_file.load(tmp_path / "g.json") == GRAPH
    assert graph_file.to_dict(GRAPH)["exits"] == [["early", "side"], ["late", "b"]]
    data = {**graph_file.to_dict(GRAPH), "exits": [["early"]]}
    with pytest.raises(ModelError, match=r"graph: exits\[0\]\[1\]: missing"):
        graph_file.from_dict(data)


def test_files_and_hashes_of_other_graphs_stay_what_they_were() -> None:
    graph = zoo.graph("lenet5")
    assert list(graph_file.to_dict(graph)) == ["schema", "name", "input_shape", "operators"]
    assert graph_file.graph_hash(graph) == LENET5_HASH


def test_the_hash_is_of_all_but_the_name() -> None:
    same = replace(GRAPH, name="other")
    others = [replace(GRAPH, exits=(("first", "side"), ("late", "b"))), replace(GRAPH, operators=(A, SIDE, B))]
    assert graph_file.graph_hash(same) == graph_file.graph_hash(GRAPH)
    assert graph_file.graph_hash(GRAPH) not in [graph_file.graph_hash(other) for other in others]


def test_a_partition_refuses_exits() -> None:
    chain = Graph("g", SHAPE, (A, B), (("early", "a"), ("late", "b")))
    for graph in (GRAPH, chain):
        with pytest.raises(ModelError, match=r"g has 2 exits; .*`iopt exits plan` places networks with exits"):
            Problem(graph, Cluster.load("mixed2"))
