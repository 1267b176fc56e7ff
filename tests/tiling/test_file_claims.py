"""Whatever a configuration file says that is not so is found."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iopt.errors import PlanError
from iopt.result import Result, Status
from iopt.tiling import files
from iopt.tiling.files import claims
from iopt.tiling.methods import solve
from tests.changes import Change, put, together
from tests.tiling.file_example import COST, PROBLEM, RESULT, data, read

FIRST = ("evaluation", "groups", 0)
UNTRUE: dict[str, Change] = {
    "instance_hash is '000": put("instance_hash", value="0" * 64),
    "instance_hash is": put("options", "memory_bytes", value=2**19),
    "instance_hash is '": put("host", "call_s", value=1.0),
    "model is 'other'; the embedded network is 'net'": put("model", value="other"),
    "input_shape is [1, 24, 32]": put("input_shape", value=[1, 24, 32]),
    "notation is '2x3/3/1x1'; the groups are '2x3c/3/1x1'": put("notation", value="2x3/3/1x1"),
    "notation is '2x3c/3/1x1'; the groups are": put("groups", 0, "rows", value=3),
    "evaluation.peak_bytes": put("evaluation", "peak_bytes", value=COST.peak_bytes - 1),
    "evaluation.macs": put("evaluation", "macs", value=PROBLEM.macs),
    "evaluation.mac_factor": put("evaluation", "mac_factor", value=1.0),
    "evaluation.latency_s": put("evaluation", "latency_s", value=1.0),
    "evaluation.latency_s is None": put("evaluation", "latency_s", value=None),
    "evaluation.groups[0].peak_bytes": put(*FIRST, "peak_bytes", value=1),
    "evaluation.groups[0].layer": put(*FIRST, "layer", value="op3"),
    "evaluation.groups[0].tile": put(*FIRST, "tile", value=None),
    "evaluation.groups[0].strips_bytes": put(*FIRST, "strips_bytes", value=0),
    "evaluation.groups: 1 are stated; there are 2": lambda data: data["evaluation"]["groups"].pop(),
    "evaluation.violations": put("evaluation", "violations", value=["too much"]),
    "result.objective_value": put("result", "objective_value", value=float(PROBLEM.macs)),
    "result.gap": put("result", "gap", value=0.0),
    "result.bound_value": together(
        put("result", "bound_value", value=COST.macs * 2.0), put("result", "gap", value=0.0)
    ),
    "result.status is OPTIMAL": put("result", "status", value="OPTIMAL"),
    "result.status is INFEASIBLE": put("result", "status", value="INFEASIBLE"),
    "result.gap_tolerance is 0.5; configurations are proved to 1e-08": put("result", "gap_tolerance", value=0.5),
    "result.status is UNKNOWN": put("result", "status", value="UNKNOWN"),
}


def test_the_example_is_true() -> None:
    assert files.check(read(data())) == []


@pytest.mark.parametrize("key", UNTRUE)
def test_a_claim_that_is_not_true(key: str, tmp_path: Path) -> None:
    changed = copy.deepcopy(data())
    UNTRUE[key](changed)
    untrue = files.check(read(changed))
    assert any(line.startswith(key.replace("None", "null")) for line in untrue), untrue
    (tmp_path / "config.json").write_text(json.dumps(changed))
    with pytest.raises(PlanError, match=r"config\.json: changed by hand, or made for another model"):
        files.load(tmp_path / "config.json")


def test_every_number_of_the_evaluation_is_a_claim() -> None:
    def leaves(value: Any, *path: str | int) -> list[tuple[str | int, ...]]:
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            return [leaf for key, entry in items for leaf in leaves(entry, *path, key)]
        return [path] if isinstance(value, int | float) else []

    paths = leaves(data()["evaluation"], "evaluation")
    assert len(paths) > 10
    for path in paths:
        changed = data()
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] += 1
        assert len(files.check(read(changed))) == 1, path


def test_a_bound_and_infeasibility_are_proved_anew() -> None:
    best = solve(PROBLEM).objective
    assert best is not None
    assert best < COST.macs
    bold = replace(RESULT, status=Status.OPTIMAL, bound=COST.macs)
    (said,) = files.check(read(data(bold)))
    assert said.startswith(f"result.bound_value is {COST.macs:.1f}; ") and said.endswith(f"its work is {best}")
    none = Result[Any]("exact", Status.INFEASIBLE, None, None, None, 1.0)
    (said,) = files.check(read(data(none)))
    assert said.startswith("result.status is INFEASIBLE; ") and said.endswith(" keeps every limit")
    tight = replace(PROBLEM, memory_bytes=1)
    assert files.check(read(data(none, tight))) == []


def test_a_bound_is_of_the_space_that_was_searched() -> None:
    outside = {"rows": 2, "columns": 3, "reuse": "checkerboard"}
    assert outside == {key: data()["groups"][0][key] for key in outside}
    bounded, free = replace(RESULT, bound=COST.macs / 2), replace(RESULT, bound=None)
    for problem, max_groups, said in (
        (replace(PROBLEM, max_tiles=2), None, "options.max_tiles is 2; the configuration has 3"),
        (replace(PROBLEM, reuse=False), None, "options.reuse is false; the configuration has groups with reuse"),
        (PROBLEM, 1, "result.max_groups is 1; the configuration has 2 groups"),
    ):
        stated = files.to_dict(problem, bounded, max_groups)
        assert files.check(read(stated)) == [said]
        assert files.check(read(files.to_dict(problem, free, max_groups))) == []


def test_what_only_reading_finds_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "exact", None)
    assert files.check(read(data(replace(RESULT, bound=None)))) == []
