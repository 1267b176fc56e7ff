"""A malformed plan file is one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopt.errors import PlanError
from iopt.partition import files
from tests.changes import Change, assert_seen, keys_dropped, put
from tests.partition.plan_files import data, read

MALFORMED: dict[str, Change] = {
    "schema: expected 'iopt/partition-plan/1', got 'iopt/graph/1'": put("schema", value="iopt/graph/1"),
    "schema: expected 'iopt/partition-plan/1', got none": lambda data: data.pop("schema"),
    "modle: unknown key; did you mean 'model'?": lambda data: data.update(modle=data.pop("model")),
    "qqqqq: unknown key; expected one of schema, model, instance_hash, input_shape, options, ": lambda data: (
        data.update(qqqqq=1)
    ),
    "result: missing": lambda data: data.pop("result"),
    "operators[0].axis: expected 'H', 'OC' or 'IC', got 'W'": put("operators", 0, "axis", value="W"),
    "operators[0].along: expected 'rows', got 'columns'": put("operators", 0, "along", value="columns"),
    "operators[0].intervals[1][0]: expected a whole number, got '2'": put("operators", 0, "intervals", 1, 0, value="2"),
    "operators[0].intervals[1][0]: expected 0 or more, got -2": put("operators", 0, "intervals", 1, 0, value=-2),
    "operators[1].combine: direct has no intervals": put("operators", 1, "combine", "how", value="direct"),
    "operators[2].combine: scatter needs intervals": put("operators", 2, "combine", "how", value="scatter"),
    "operators[0].via: expected 'source', got 'sink'": put("operators", 0, "via", value="sink"),
    "result.status: expected 'OPTIMAL', 'FEASIBLE', 'INFEASIBLE' or 'UNKNOWN', got 'BEST'": put(
        "result", "status", value="BEST"
    ),
    "result.runtime_s: expected 0.0 or more, got -1": put("result", "runtime_s", value=-1),
    "result.objective_s: expected a number, got '1'": put("result", "objective_s", value="1"),
    "result.bound_s: expected a finite number, got nan": put("result", "bound_s", value=float("nan")),
    "operators and evaluation: expected both or neither to be null": put("operators", value=None),
    "options.memory: expected 'live', 'runtime' or 'paper', got 'none'": put("options", "memory", value="none"),
    "cluster: devices[0].flops_per_s: expected a number, got '1'": put(
        "cluster", "devices", 0, "flops_per_s", value="1"
    ),
    "cluster: sink: no device is named 'd9'": put("cluster", "sink", value="d9"),
    "cluster: cluster 'hand': network.links: expected none": lambda data: data["cluster"]["network"].update(
        links=[
            {"sender": device["name"], "receiver": "d0", "bytes_per_s": None}
            for device in data["cluster"]["devices"][1:]
        ]
    ),
    "network: operators[0].name: expected a valid string, got 1": put("network", "operators", 0, "name", value=1),
    "operators: the plan is not for net": put("operators", 0, "name", value="conv1"),
    "operators: operator 'op1': intervals: they end at 3; expected 4": put("operators", 0, "intervals", 1, 1, value=3),
    "operators: operator 'op3': axis H is not one it may take": put("operators", 2, "axis", value="H"),
    "network: net has branches ('op3' reads op2 and op2)": lambda data: data["network"]["operators"][2].update(
        body={"kind": "add"},
        inputs=["op2"] * 2,
        input_shapes=[[6, 1, 1]] * 2,
        pre_shape=[6, 1, 1],
        output_shape=[6, 1, 1],
    ),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_file_is_one_line_with_its_key(message: str) -> None:
    changed = data()
    MALFORMED[message](changed)
    with pytest.raises(PlanError) as caught:
        read(changed)
    assert str(caught.value).startswith(f"plan.json: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: line 1 column 1"),
        ('{"schema": 1', "not JSON: line 1 column 13"),
        ("[]", "expected a mapping with schema 'iopt/partition-plan/1', got []"),
        ('{"schema": 1, "schema": 2}', "not JSON that iopt reads: key 'schema' occurs twice"),
        ("[" * 100_000, "not JSON that iopt reads: nested too deeply"),
        ("\udcff", "not a text file: byte 0 is not UTF-8"),
        (None, "cannot be read: there is no such file"),
    ],
)
def test_what_is_no_plan_file(text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PlanError) as caught:
        files.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", [path for path, _ in keys_dropped(data()) if path[-1] != "via"], ids=str)
def test_no_key_can_be_left_out_unseen(path: tuple[str | int, ...]) -> None:
    assert_seen(data(), path, lambda changed: files.check(read(changed)))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (
            "network: operators[0].body.groups: missing",
            lambda data: data["network"]["operators"][0]["body"].pop("groups"),
        ),
        (
            "cluster: devices[0].tier: expected only where it is set, got None",
            lambda data: data["cluster"]["devices"][0].update(tier=None),
        ),
        (
            "cluster: devices[0].overhead_s: expected 0.0, got 0",
            lambda data: data["cluster"]["devices"][0].update(overhead_s=0),
        ),
    ],
)
def test_what_is_hashed_is_what_is_there(message: str, change: Change) -> None:
    changed = data()
    change(changed)
    with pytest.raises(PlanError, match=r"^plan\.json: ") as caught:
        read(changed)
    assert str(caught.value) == f"plan.json: {message}"
