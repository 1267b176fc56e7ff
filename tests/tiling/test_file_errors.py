"""A malformed configuration file is refused in a line that says where it is wrong."""

from __future__ import annotations

import pytest

from iopt.errors import PlanError
from iopt.tiling import files
from iopt.tiling.methods import solve
from iopt.tiling.problem import Problem
from tests.changes import Change, assert_seen, keys_dropped, put, together
from tests.instances import chain, conv, linear
from tests.tiling.file_example import data, read

MALFORMED: dict[str, Change] = {
    "schema: expected 'iopt/tiling-configuration/1'": put("schema", value="iopt/tiling-configuration/2"),
    "notation, groups and evaluation: expected all or none to be null": put("evaluation", value=None),
    "groups[0].rows: expected 1 or more, got 0": put("groups", 0, "rows", value=0),
    "groups[0].reuse: expected 'none' or 'checkerboard', got 'all'": put("groups", 0, "reuse", value="all"),
    "groups[0].colums: unknown key; did you mean 'columns'?": put("groups", 0, value={"colums": 1}),
    "groups[1].first: expected a whole number, got '3'": put("groups", 1, "first", value="3"),
    "groups: group of layers 0 ... 2: 13 rows of tiles on a map of 12": put("groups", 0, "rows", value=13),
    "groups: group of layers 2 ... 3: expected groups that follow": put("groups", 1, "first", value=2),
    "groups: the configuration ends with layer 2; the network ends with 3": lambda data: data["groups"].pop(),
    "groups: the configuration has no groups": put("groups", value=[]),
    "options.memory_bytes: expected 1 or more, got 0": put("options", "memory_bytes", value=0),
    "options.predictor: expected 'lean', 'torch', 'bound',": put("options", "predictor", value="full"),
    "options: bias_bytes goes with the predictor 'mafat'": put("options", "predictor", value="mafat"),
    "options: overhead limits the objective 'memory'": put("options", "overhead", value=1.5),
    "options: max_tiles is 1000; expected a whole number from 1 to 64": put("options", "max_tiles", value=1000),
    "options: objective 'latency' needs a host model": together(
        put("options", "objective", value="latency"), put("host", value=None)
    ),
    "options: the host model has 3 layers; the network has 4": lambda data: data["host"]["layers"].pop(),
    "host: layers[2]: a layer's cells are (100.0, 1.0); expected rising": put(
        "host", "layers", 2, "cells", value=[100, 1]
    ),
    "host.layers[0].seconds[1]: expected 0.0 or more": put("host", "layers", 0, "seconds", 1, value=-1.0),
    "network: graph 'net': operator 'op1': kernel is (0, 3); expected positive": (
        put("network", "operators", 0, "body", "window", "kernel", value=[0, 3])
    ),
    "result.max_groups: expected 1 or more, got 0": put("result", "max_groups", value=0),
    "result.runtime_s: missing": lambda data: data["result"].pop("runtime_s"),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_file_says_where(message: str) -> None:
    changed = data()
    MALFORMED[message](changed)
    with pytest.raises(PlanError) as caught:
        read(changed)
    assert str(caught.value).startswith(f"config.json: {message}")
    assert "\n" not in str(caught.value)


def test_a_network_that_cannot_be_tiled_is_named() -> None:
    graph = chain("net", (3, 8, 8), [conv(4, 3), linear(2)])
    result = solve(Problem(graph), "untiled")
    changed = data(result, Problem(graph))
    changed["groups"][0]["rows"] = 2
    with pytest.raises(
        PlanError, match=r"config\.json: groups: group of layers 0 ... 1: op2 cannot be tiled: a linear "
    ):
        read(changed)


@pytest.mark.parametrize("path", [path for path, _ in keys_dropped(data())], ids=str)
def test_no_key_can_be_left_out_unseen(path: tuple[str | int, ...]) -> None:
    assert_seen(data(), path, lambda changed: files.check(read(changed)))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (
            "network: operators[0].body.groups: missing",
            lambda data: data["network"]["operators"][0]["body"].pop("groups"),
        ),
        ("host: call_s: expected 0.0, got 0", lambda data: data["host"].update(call_s=0)),
    ],
)
def test_what_is_hashed_is_what_is_there(message: str, change: Change) -> None:
    changed = data()
    change(changed)
    with pytest.raises(PlanError, match=r"^config\.json: ") as caught:
        read(changed)
    assert str(caught.value) == f"config.json: {message}"
