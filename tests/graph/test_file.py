"""Graphs survive the way through a file; a file that is wrong says where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iopt.errors import IoptError, ModelError
from iopt.graph import INPUT, Graph, Operator
from iopt.graph import file as graph_file
from iopt.graph.layers import Activation, Add, BatchNorm, Concat, Conv2d, Flatten, Identity, Linear, Pool, Shape, Window

IMAGE, MAP = Shape(4, 9, 9), Shape(8, 9, 9)
SAME = Window((3, 3), padding=(1, 1))
NORM = BatchNorm("norm", 8, 1e-5, folded=True)
HALF = Pool("average", Window((2, 2), (2, 2)), ceil_mode=True, count_include_pad=False, divisor_override=3)


def graph() -> Graph:
    """One operator of every kind and one step of every kind."""
    stem = Operator("stem", Conv2d("stem.weight", SAME, bias="stem.bias"), (INPUT,), (IMAGE,), MAP, MAP, (NORM,))
    branch = replace(stem, name="b.0", body=Conv2d("ü [ 1, 2 ]", SAME, groups=2), inputs=("stem",), input_shapes=(MAP,))
    identity = Operator("i", Identity(), ("stem",), (MAP,), MAP, MAP, (Activation("elu", {"alpha": 0.5}),))
    total = Operator("add", Add(), ("b.0", "i"), (MAP, MAP), MAP, MAP, (Activation("gelu", {"approximate": "tanh"}),))
    both = Operator("cat", Concat(), ("add", "stem"), (MAP, MAP), Shape(16, 9, 9), Shape(16, 9, 9))
    pool = Operator("pool", HALF, ("cat",), (Shape(16, 9, 9),), Shape(16, 5, 5), Shape(16, 5, 5), (Flatten(),))
    last = Operator("fc", Linear("fc.weight"), ("pool",), (Shape(16, 5, 5),), Shape(3, 1, 1), Shape(3, 1, 1))
    adaptive = replace(last, name="p", body=Pool("max", None), inputs=("fc",), input_shapes=(Shape(3, 1, 1),))
    return Graph("every kind", IMAGE, (stem, branch, identity, total, both, pool, last, adaptive))


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    graph_file.save(graph(), path)
    assert graph_file.load(path) == graph()
    assert graph_file.load(str(path)).operators[1].body == Conv2d("ü [ 1, 2 ]", SAME, groups=2)
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n "schema": "iopt/graph/1",\n "name": "every kind",\n "input_shape": [4, 9, 9],\n')
    assert json.loads(text) == graph_file.to_dict(graph())
    assert max(map(len, text.splitlines())) <= 122


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    graph_file.save(graph(), tmp_path / "graph.json")
    script = "import sys; from iopt import model; model.load(sys.argv[1]); print('torch' in sys.modules)"
    command = [sys.executable, "-c", script, str(tmp_path / "graph.json")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


Change = Callable[[dict[str, Any], list[dict[str, Any]]], object]

KIND = "expected one of conv2d, linear, pool, add, concat, identity"
WRONG: list[tuple[Change, str]] = [
    (lambda data, _: data.pop("schema"), "schema: expected 'iopt/graph/1', got none"),
    (lambda data, _: data.update(schema="iopt/graph/2"), "schema: expected 'iopt/graph/1', got 'iopt/graph/2'"),
    (lambda data, _: data.pop("name"), "name: missing"),
    (lambda data, _: data.update(nmae="x"), "nmae: unknown key; did you mean 'name'?"),
    (lambda data, _: data.update(name=3), "name: expected a valid string, got 3"),
    (lambda data, _: data.update(input_shape=[4, 9]), "input_shape[2]: missing"),
    (lambda data, _: data.update(input_shape=[4, 9, True]), "input_shape[2]: expected a valid integer, got True"),
    (lambda data, _: data.update(input_shape=[4, 9, 9.0]), "input_shape[2]: expected a valid integer, got 9.0"),
    (lambda data, _: data.update(input_shape=[4, 9, -9]), "input_shape is 4x9x-9; expected positive numbers"),
    (lambda data, _: data.update(operators={}), "operators: expected a valid array, got {}"),
    (lambda data, _: data.update(operators=[7]), "operators[0]: expected an object, got 7"),
    (lambda _, ops: ops[1].pop("inputs"), "operators[1].inputs: missing"),
    (lambda _, ops: ops[1].update(input=["stem"]), "operators[1].input: unknown key; did you mean 'inputs'"),
    (lambda _, ops: ops[1].update(body=[]), "operators[1].body: expected a mapping with a kind, got []"),
    (lambda _, ops: ops[1]["body"].pop("kind"), f"operators[1].body.kind: missing; {KIND}"),
    (lambda _, ops: ops[1]["body"].update(kind="conv3d"), f"operators[1].body.kind: {KIND}, got 'conv3d'; did"),
    (lambda _, ops: ops[1]["body"].update(kind=[]), f"operators[1].body.kind: {KIND}, got []"),
    (lambda _, ops: ops[1]["body"].update(kind="linear"), "operators[1].body.window: unknown key"),
    (lambda _, ops: ops[1]["body"].pop("weight"), "operators[1].body.weight: missing"),
    (lambda _, ops: ops[1]["body"].update(groups="2"), "operators[1].body.groups: expected a valid integer, got '2'"),
    (lambda _, ops: ops[1]["body"].update(groups=3), "operator 'b.0': 3 groups do not divide its 8 input channels"),
    (
        lambda _, ops: ops[1]["body"]["window"].update(stride=[1, None]),
        "operators[1].body.window.stride[1]: expected a valid integer, got None",
    ),
    (lambda _, ops: ops[1]["body"]["window"].update(stride=[0, 1]), "operator 'b.0': stride is (0, 1); expected"),
    (
        lambda _, ops: ops[1]["body"]["window"].update(kernal=[3, 3]),
        "operators[1].body.window.kernal: unknown key; did you mean 'kernel'?",
    ),
    (lambda _, ops: ops[0].update(epilogue=[{}]), "operators[0].epilogue[0].kind: missing; expected one of activation"),
    (lambda _, ops: ops[0]["epilogue"][0].update(eps="x"), "operators[0].epilogue[0].eps: expected a valid number"),
    (lambda _, ops: ops[0]["epilogue"][0].update(eps=float("nan")), "batch norm eps is nan; expected zero or more"),
    (
        lambda _, ops: ops[2]["epilogue"][0].update(arguments={"alpha": []}),
        "operators[2].epilogue[0].arguments.alpha: expected a valid number, got []",
    ),
    (
        lambda _, ops: ops[2]["epilogue"][0].update(function="eval"),
        "operator 'i': activation 'eval' is not one of",
    ),
    (lambda _, ops: ops[5]["body"].update(reduce="sum"), "operators[5].body.reduce: expected 'max' or 'average'"),
    (lambda _, ops: ops[0].update(pre_shape=[8, 9, 8]), "operator 'stem': pre_shape is 8x9x8, its layers give 8x9x9"),
    (lambda _, ops: ops.reverse(), "'p' reads 'fc', which no earlier operator writes"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_wrong_files(change: Change, message: str, tmp_path: Path) -> None:
    data = graph_file.to_dict(graph())
    change(data, data["operators"])
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        graph_file.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def of_linears(*features: int) -> dict[str, Any]:
    """The data of a graph of linear layers between so many features."""
    names = [INPUT, *(f"fc{index}" for index in range(1, len(features)))]
    data = graph_file.to_dict(graph())
    data.update(input_shape=[features[0], 1, 1], operators=[])
    for index in range(1, len(features)):
        shape = [features[index], 1, 1]
        linear = {"kind": "linear", "weight": f"{names[index]}.weight", "bias": None}
        ends = {"inputs": [names[index - 1]], "input_shapes": [[features[index - 1], 1, 1]]}
        given = {"name": names[index], "body": linear, "pre_shape": shape, "output_shape": shape, "epilogue": []}
        data["operators"].append({**given, **ends})
    return data


@pytest.mark.parametrize(
    ("features", "operator", "what"),
    [
        ((10**9,) * 3, "fc1", "FLOPs"),
        ((2**26, 2**24, 2**26, 2**26), "fc3", "FLOPs"),
        ((2**25, 2**26, 1), "fc2", "bytes of parameters"),
        ((2**25, 2**25, 2**25, 2**25), "fc3", "bytes of parameters"),
        ((10**400, 1), "fc1", "FLOPs"),
    ],
)
def test_networks_that_are_too_large_to_count(
    features: tuple[int, ...], operator: str, what: str, tmp_path: Path
) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(of_linears(*features)), encoding="utf-8")
    expected = f"operator '{operator}': up to here the network has more {what} than iopt counts exactly (2**53)"
    with pytest.raises(ModelError) as caught:
        graph_file.load(path)
    assert str(caught.value) == f"{path}: graph 'every kind': {expected}"


def test_tensors_that_are_too_large_to_count() -> None:
    huge = Shape(2**26, 2**13, 2**13)
    with pytest.raises(ModelError, match="operator 'a': up to here the network has more bytes of tensors than"):
        Graph("g", huge, (Operator("a", Identity(), (INPUT,), (huge,), huge, huge),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON: line 1 column 2"),
        (b"", "not JSON: line 1 column 1"),
        (b"\xff\xfe", "not a text file: byte 0 is not UTF-8"),
        (b"[" * 100_000, "not JSON that iopt reads: nested too deeply"),
        (b'{"a": 1, "a": 2}', "key 'a' occurs twice"),
        (b"[]", "expected a mapping with schema 'iopt/graph/1', got []"),
    ],
)
def test_files_that_are_no_graph(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"graph\.json") as caught:
        graph_file.load(path)
    assert message in str(caught.value)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.json: cannot be read: there is no such file"):
        graph_file.load(tmp_path / "none.json")
    with pytest.raises(IoptError, match=r"graph\.json: cannot be written: No such file or directory"):
        graph_file.save(graph(), tmp_path / "none" / "graph.json")
