"""What Python code gives is checked where it comes in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import iopt
from iopt.errors import IoptError, OptionError, PlanError
from iopt.partition import files
from iopt.partition.evaluation import evaluate
from iopt.partition.methods import compare
from iopt.partition.plan import Axis, Plan, Scatter, Split
from tests.partition.plan_files import PLAN, PROBLEM, RESULT

FIRST, *REST = PLAN.splits


def test_the_name_of_an_axis_is_one() -> None:
    named = tuple(replace(split, axis=split.axis.value) for split in PLAN.splits)  # type: ignore[arg-type]
    assert named == PLAN.splits
    assert all(isinstance(split.axis, Axis) for split in named)


@pytest.mark.parametrize("axis", ["X", None, 3, ["H"]])
def test_what_is_no_axis(axis: Any) -> None:
    with pytest.raises(PlanError, match=r"^operator 'op1': axis is .*; expected 'H' or 'OC' or 'IC'$"):
        Split("op1", axis, ((0, 1),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"intervals": 3}, "intervals: 3; expected (lo, hi) for each device, whole numbers"),
        ({"intervals": None}, "intervals: None; expected (lo, hi) for each device, whole numbers"),
        ({"intervals": ((0, 2, 3), (2, 4, 5))}, "intervals: ((0, 2, 3), (2, 4, 5)); expected (lo, hi) for each"),
        ({"intervals": ((0, 2.0), (2.0, 4))}, "intervals: ((0, 2.0), (2.0, 4)); expected (lo, hi) for each device"),
        ({"along": "columns"}, "along is 'columns'; expected 'rows' or None"),
        ({"via": "sink"}, "via is 'sink'; expected 'source' or None"),
        ({"axis": "IC", "combine": "direct"}, "combine is 'direct'; expected Direct(), a Scatter or None"),
        ({"axis": "IC", "intervals": ((0, 3), (3, 3)), "combine": Scatter(None)}, "combine.intervals: None; expected"),  # type: ignore[arg-type]
    ],
)
def test_a_split_that_is_none(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        evaluate(PROBLEM, Plan((replace(FIRST, **change), *REST)))
    assert str(caught.value).startswith(f"operator 'op1': {message}")


@pytest.mark.parametrize("splits", [None, 3, [1, 2, 3, 4], (*REST, None)])
def test_a_plan_that_is_none(splits: Any) -> None:
    with pytest.raises(PlanError, match=r"^plan: splits is .*; expected a Split for each operator, in a tuple$"):
        evaluate(PROBLEM, Plan(splits))


def test_what_is_no_plan() -> None:
    with pytest.raises(OptionError, match=r"^plan is None; expected a Plan"):
        evaluate(PROBLEM, None)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^plan is a Result; expected a Plan: its \.plan is one"):
        evaluate(PROBLEM, RESULT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"problem": None}, "problem is None; expected a Problem"),
        ({"result": PLAN}, "result is a Plan; expected a Result: solve gives one"),
        ({"gap_tolerance": None}, "gap_tolerance is None; expected a number from 0 to below 1"),
        ({"gap_tolerance": -4}, "gap_tolerance is -4; expected a number from 0 to below 1"),
    ],
)
def test_what_cannot_be_saved(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    given = {"problem": PROBLEM, "result": RESULT, "gap_tolerance": 1e-4, **changed}
    with pytest.raises(OptionError) as caught:
        files.save(tmp_path / "plan.json", **given)
    assert str(caught.value) == message
    assert not list(tmp_path.iterdir())


def test_compare_refuses_at_once() -> None:
    with pytest.raises(OptionError, match="problem is None"):
        compare(None)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="gap is 7"):
        compare(PROBLEM, gap=7)


@pytest.mark.parametrize("spec", [None, 3, ["vgg11"]])
def test_what_names_no_network(spec: Any) -> None:
    with pytest.raises(IoptError, match=r"^expected the name of a network or a file, got "):
        iopt.load(spec)
