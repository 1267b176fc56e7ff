"""What the pages on tiling conclude is computed from what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments import page, tiling_benchmark, tiling_gap, tiling_speed
from experiments.tiling_latency import spread
from experiments.tiling_latency_text import line, order, words
from iopt.result import Result, Status
from iopt.tiling import Configuration, solve


def limit(size: int, chosen: float, best: float, free: float, model: tuple[float, float, float]) -> dict[str, Any]:
    """`model`: seconds that it says of the three."""
    found: dict[str, Any] = {"limit_bytes": size, "feasible": 3, "chosen": f"{size}x1/NoCut", "best": "2x2/NoCut"}
    found |= {"any": "3x3/NoCut", "chosen_s": chosen, "best_s": best, "any_s": free, "above": chosen / best - 1}
    return found | dict(zip(("chosen_model_s", "best_model_s", "any_model_s"), model, strict=True))


def test_why_a_choice_of_many_is_slower_than_the_best_of_few() -> None:
    near = limit(1, 0.30, 0.30, 0.306, (0.300, 0.300, 0.297))
    far = limit(2, 0.33, 0.30, 0.29, (0.30, 0.30, 0.20))
    said = order([near, far], 0.03)
    assert said.startswith(
        "2 limits, 2 different choices: at most 10.0% above the best of the sweep, and within 6%, what\n"
        "MAFAT claims of its predictor, at 1 of them. At 1 of them\n"
    )
    assert (
        "by up to 2.0%: by the model\n`3x3/NoCut` is 1.0% faster than `2x2/NoCut`, less than the median error" in said
    )
    assert "more than the median error of the model,\nwhich is wrong here." in order([near, far], 0.005)
    assert order([far, far], 0.03).endswith(
        "What is found among any tilings is never slower than the best of the sweep."
    )
    assert order([far, far], 0.03).startswith("2 limits, 1 different choices")


def test_the_page_judges_the_file_by_what_it_was_not_fitted_to() -> None:
    data: dict[str, Any] = {
        "repeat": 5,
        "share_of_core": 0.5,
        "file": {"fitted": 24, "median_error": 0.03, "worst_error": 0.06},
        "errors": {"2x2/NoCut": -0.2, "3x3/NoCut": 0.1, "4x4/NoCut": 0.01},
        "front": 3,
        "limits": [limit(2**20, 0.3, 0.3, 0.2, (0.3, 0.3, 0.3))],
        "untiled_later_s": 0.31,
        "seconds": {"1x1/NoCut": 0.29},
        "sweep": 4,
        "cuts": [2, 4],
        "size": [3, 608, 608],
    }
    said = words(data)
    assert "a median of 3.0%, at most 6.0%. The file is judged here on the 3\n" in said
    assert "**median 10.0%, worst\n20.0%**" in said
    assert "1 of the 3 configurations of the sweep" in said
    assert "310 ms then, and 290 ms before" in said
    data["file"] |= {"median_error": None, "worst_error": None}
    assert "the file says nothing. The file is judged" in words(data)
    assert line(data["limits"][0]) == [
        *("1.0", "3", "1048576x1/NoCut", "300", "300", "2x2/NoCut", "300", "0.0", "3x3/NoCut", "300", "200")
    ]


def test_limits_are_spread_from_end_to_end() -> None:
    assert spread([9, 8, 7], 4) == [9, 8, 7]
    assert spread(list(range(10)), 4) == [0, 3, 6, 9]


def way(run: str, configuration: str | None, over: tuple[float, float, float]) -> dict[str, Any]:
    keys = ("over_torch", "over_channels_last", "over_untiled")
    found: dict[str, Any] = {"network": "net", "run": run, "configuration": configuration}
    found["over_untiled_quartiles"] = (over[2] - 0.02, over[2] + 0.03)
    return found | dict(zip(keys, over, strict=True))


def test_the_part_of_tiling_and_that_of_the_executor() -> None:
    rows = [way("untiled", "1x1/NoCut", (1.6, 1.2, 1.0)), way("again", "1x1/NoCut", (1.6, 1.2, 0.98))]
    faster = tiling_speed.parted([*rows, way("fastest", "2x2/NoCut", (1.76, 1.32, 1.1))])
    assert "net: the same programme twice is 0.98 x (middle half 0.96 to 1.01). " in faster
    assert (
        "Of 1.76 x over PyTorch and 1.32 x over channels last, tiling itself (`2x2/NoCut` over our untiled) is"
        in faster
    )
    assert (
        "**1.10 x (middle half 1.08 to 1.13)**, which is more than the noise; the executor 1.60 x over PyTorch, 1.20 x"
        in faster
    )
    slight = tiling_speed.parted([*rows, way("fastest", "2x2/NoCut", (1.6, 1.2, 1.03))])
    assert "**1.03 x (middle half 1.01 to 1.06)**, which is within" in slight
    same = tiling_speed.parted([*rows, way("fastest", "1x1/NoCut", (1.6, 1.2, 1.01))])
    assert "The fastest by the model is the untiled programme: tiling gains nothing, the executor 1.60 x" in same


def test_the_gap_of_the_published_methods() -> None:
    rows = [
        {"predictor": "lean", "limit_mib": 20, "deepthings": 1.5, "mafat": 1.1, "exact": 1.0},
        {"predictor": "lean", "limit_mib": 9, "deepthings": None, "mafat": None, "exact": 1.1},
        {"predictor": "torch", "limit_mib": 8, "deepthings": None, "mafat": 1.32, "exact": 1.1},
        {"predictor": "torch", "limit_mib": 7, "deepthings": None, "mafat": None, "exact": None},
    ]
    assert tiling_gap.conclusion(rows) == (
        "* `deepthings` does up to 50% more work than the best (at 20 MiB, `lean`), "
        "and finds nothing under 2 of 3 limits that can be kept (2 of `lean` and 1 of `torch`).\n"
        "* `mafat` does up to 20% more work than the best (at 8 MiB, `torch`), "
        "and finds nothing under 1 of 3 limits that can be kept (2 of `lean` and 1 of `torch`)."
    )


def test_quick_runs_the_experiment_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two limits and one predictor; a search that may do more finds no more work."""
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    monkeypatch.setattr(tiling_gap, "PREDICTORS", ("lean",))
    tiling_gap.main(["--quick"])
    printed = [each.strip("| ") for each in capsys.readouterr().out.splitlines() if each.startswith("|")]
    found = [each.split(" | ") for each in printed]
    assert [cells[0] for cells in found] == ["limit", "---", "64", "16"]
    for _, *cells in found[2:]:
        work = dict(zip(tiling_gap.METHODS, map(float, cells), strict=True))
        assert 1 <= work["exact"] <= min(work.values())
        assert work["deepthings"] <= work["deepthings, no reuse"]
        assert work["mafat, bottom free"] <= work["mafat"]
    assert list(tmp_path.iterdir()) == []


def test_a_row_of_the_benchmark() -> None:
    calls: list[Result[Configuration]] = []
    problem = tiling_benchmark.deep(3, size=8)
    row = tiling_benchmark.row("deep", 0.0, lambda: calls.append(solve(problem)), 2)
    assert [result.status for result in calls] == [Status.OPTIMAL] * 3
    assert row["seconds"] > 0 and row["processor_s"] > 0
    assert tiling_benchmark.line(row)[3] == "0 s: missed"
    assert tiling_benchmark.line(row | {"target_s": 600.0})[3] == "600 s: met"
