"""Whatever Python code gives to a public name of tiling, what it gets is a result or one clear line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from iopt.errors import IoptError, ModelError, OptionError, PlanError
from iopt.graph.file import graph_hash
from iopt.tiling import (
    Configuration,
    Evaluator,
    Group,
    Host,
    HostModel,
    LayerTime,
    Problem,
    Runtime,
    compare,
    evaluate,
    execute,
    front,
    layers_of,
    load,
    load_host,
    parse,
    profile,
    save,
    save_host,
    solve,
    written,
)
from iopt.tiling.host.calibration import Run, errors, fit, fitted_bias
from iopt.tiling.host.measurement import measured
from iopt.tiling.host.profiling import PARTS
from tests import instances
from tests.instances import conv, linear, max_pool
from tests.tiling.executed import weights

GRAPH = instances.chain("net", (2, 8, 8), [conv(3, 3, padding=1, pooling=max_pool(2)), linear(4)])
STATE, IMAGE = weights(GRAPH, 0), torch.zeros(1, 2, 8, 8)
HOST = HostModel((LayerTime((1.0, 2.0), (1e-6, 2e-6)),) * 3)
PROBLEM = Problem(GRAPH, max_tiles=2)
PLAN = parse("2x2/2/1x1", 3)
RESULT = solve(PROBLEM)
MODULE = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.MaxPool2d(2))
FILES = Host("net", graph_hash(GRAPH), HOST)

WRONG: list[Any] = [
    *(None, -1, 0, 1.5, float("nan"), float("inf"), True, "", "1x1/NoCut", "\0", "a" * 300, b"x", 10**400, 1e300),
    *([], (), {}, (1,), [1, 2], ("a",), object(), int, Path("gone"), np.float64(2.0), np.int64(3), np.zeros(3)),
    *(IMAGE, GRAPH, PROBLEM, PLAN, HOST, RESULT),
]

CALLS: dict[str, tuple[Callable[..., object], dict[str, Any]]] = {
    "parse": (parse, {"text": "1x1/NoCut", "layers": 3}),
    "written": (written, {"configuration": PLAN}),
    "Problem": (
        Problem,
        {
            "graph": GRAPH,
            "memory_bytes": None,
            "objective": "macs",
            "overhead": None,
            "predictor": "lean",
            "bias_bytes": None,
            "weights": "none",
            "backend": "implicit",
            "grid": "balanced",
            "crop": "exact",
            "max_tiles": 2,
            "reuse": True,
            "host": HOST,
        },
    ),
    "solve": (
        solve,
        {"problem": PROBLEM, "method": "mafat", "max_groups": None, "bottom": "2x2", "fallback": True}
        | {"time_limit_s": None},
    ),
    "compare": (
        lambda problem, time_limit_s: list(compare(problem, time_limit_s)),
        {"problem": PROBLEM, "time_limit_s": 9},
    ),
    "front": (front, {"problem": PROBLEM, "max_groups": None}),
    "evaluate": (evaluate, {"problem": PROBLEM, "configuration": PLAN}),
    "Evaluator": (Evaluator, {"problem": PROBLEM}),
    "Configuration": (lambda groups: evaluate(PROBLEM, Configuration(groups)), {"groups": PLAN.groups}),
    "Group": (
        lambda **given: evaluate(PROBLEM, Configuration((Group(**given), Group(2, 2)))),
        {"first": 0, "last": 1, "rows": 1, "columns": 1, "reuse": "none"},
    ),
    "LayerTime": (LayerTime, {"cells": (1.0, 2.0), "seconds": (1e-6, 2e-6)}),
    "HostModel": (HostModel, {"layers": HOST.layers, "call_s": 0.0, "tile_s": 0.0}),
    "Runtime": (
        Runtime,
        {"graph": GRAPH, "configuration": PLAN, "state": STATE, "executor": "lean", "grid": "balanced", "like": None},
    ),
    "Runtime of": (lambda image: Runtime(GRAPH, PLAN, STATE)(image), {"image": IMAGE}),
    "execute": (
        execute,
        {"module": MODULE, "image": IMAGE, "configuration": parse("2x2/NoCut", 2), "executor": "lean"}
        | {"grid": "balanced", "repeat": 1},
    ),
    "profile": (profile, {"graph": GRAPH, "state": STATE, "executor": "lean", "parts": (1, 2), "repeat": 1}),
    "measured": (
        measured,
        {"graph": GRAPH, "state": STATE, "image": IMAGE, "executor": "lean", "repeat": 1, "configurations": 2},
    ),
    "layers_of": (layers_of, {"graph": GRAPH}),
    "load": (load, {"path": "config.json", "graph": GRAPH}),
    "save": (save, {"path": "other.json", "problem": PROBLEM, "result": RESULT, "max_groups": None}),
    "load_host": (load_host, {"path": "host.json", "graph": GRAPH}),
    "save_host": (save_host, {"host": FILES, "path": "other.json"}),
    "Host": (
        lambda **given: save_host(Host(**given), "other.json"),
        {"network": "net", "graph_hash": "0" * 64, "model": HOST, "bias_bytes": None, "measured": None},
    ),
    "Run": (Run, {"time_s": 1.0, "configuration": PLAN}),
    "fit": (fit, {"problem": PROBLEM, "host": HOST, "runs": [Run(PLAN, 1.0)]}),
    "fitted_bias": (fitted_bias, {"problem": PROBLEM, "runs": [Run(PLAN, 1.0)]}),
    "errors": (errors, {"problem": PROBLEM, "host": HOST, "runs": [Run(PLAN, 1.0)]}),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save("config.json", PROBLEM, RESULT)
    save_host(FILES, "host.json")


@pytest.mark.parametrize("name", CALLS)
def test_wrong_kinds_are_refused_in_one_line(name: str, folder: None) -> None:
    call, given = CALLS[name]
    call(**given)
    for key in given:
        for wrong in WRONG:
            if key in ("repeat", "configurations") and type(wrong) is int and wrong > 1:
                continue  # it would be done, in the end
            try:
                call(**{**given, key: wrong})
            except IoptError as error:
                assert "\n" not in str(error)
                assert 0 < len(str(error)) < 800


SHORT: dict[str, tuple[type[IoptError], Callable[[], object]]] = {
    "configuration is 5; expected a str: such as '5x5/8/2x2'": (OptionError, lambda: parse(5, 3)),  # type: ignore[arg-type]
    "layers is 0; expected a whole number, 1 or more": (OptionError, lambda: parse("1x1/NoCut", 0)),
    "max_groups is 'x'; expected a whole number, 1 or more": (OptionError, lambda: front(PROBLEM, "x")),  # type: ignore[arg-type]
    "repeat is 0; expected a whole number, 1 or more": (OptionError, lambda: profile(GRAPH, STATE, repeat=0)),
    "executor is 'x'; expected 'lean' or 'torch'": (OptionError, lambda: profile(GRAPH, STATE, "x")),  # type: ignore[arg-type]
    f"parts is (1, 0); expected numbers of 1 or more, such as {PARTS}": (
        *(OptionError, lambda: profile(GRAPH, STATE, parts=(1, 0))),
    ),
    "host is 5; expected a HostModel: iopt.tiling.load_host(...).model is one": (
        *(OptionError, lambda: Problem(GRAPH, host=5)),  # type: ignore[arg-type]
    ),
    "cells of a layer's time are 5; expected a tuple of numbers": (OptionError, lambda: LayerTime(5, 5)),  # type: ignore[arg-type]
    "a layer's time is (1e+300,) s; expected numbers from zero to 1e+06": (
        *(OptionError, lambda: LayerTime((1.0,), (1e300,))),
    ),
    "a layer's cells are (0.0, 0.5); expected rising numbers, one or more apart": (
        *(OptionError, lambda: LayerTime((0.0, 0.5), (1.0, 2.0))),
    ),
    "memory_bytes is 10000000000000000000; expected a whole number of bytes from 1 to 2**53": (
        *(OptionError, lambda: Problem(GRAPH, 10**19)),
    ),
    "rows of a group is 1.5; expected a whole number": (
        *(PlanError, lambda: evaluate(PROBLEM, Configuration((Group(0, 2, 1.5),)))),  # type: ignore[arg-type]
    ),
    "graph 'wide': op1: its tensors are too large to be planned": (
        *(ModelError, lambda: Problem(instances.chain("wide", (2, 8, 8), [conv(3, 1, 2**40, 2**40)]))),
    ),
}


@pytest.mark.parametrize("message", SHORT)
def test_what_is_said(message: str) -> None:
    kind, call = SHORT[message]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_the_largest_numbers_that_are_taken() -> None:
    graph = instances.chain("net", (2, 8, 8), [conv(3, 3, padding=1)] * 3)
    slow = HostModel((LayerTime((0.0, 1.0), (0.0, 1e6)),) * 3, 1e6, 1e6)
    for method in ("exact", "milp", "deepthings"):
        latency = solve(Problem(graph, 2**53, objective="latency", host=slow), method)
        assert latency.objective == pytest.approx(3 * 64 * 1e6 + 3 * 1e6)
        memory = solve(Problem(graph, objective="memory", overhead=1e300), method)
        assert memory.objective is not None and memory.objective > 0
