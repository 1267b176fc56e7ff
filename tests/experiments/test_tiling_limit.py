"""Runs under a memory limit: how each ended, and what the page says of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from experiments import cgroups, limited, page, swapfile, tiling_limit
from experiments.tiling_limit_text import FIGURE, outcomes, remarks, verdicts

MIB = 2**20
FINISHED = {"outcome": "finished", "peak_bytes": 9 * MIB, "major_faults": 3, "swapped_bytes": 0}
KILLED = {"outcome": "killed", "message": "out of memory"}


def row(headroom: int, name: str, times: list[float], killed: int = 0, predicted: int | None = 10) -> dict[str, Any]:
    runs = [{**FINISHED, "time_s": seconds} for seconds in times] + [KILLED] * killed
    predicted_bytes = None if predicted is None else predicted * MIB
    found = {"headroom_mib": headroom, "name": name, "configuration": "5x5/8/2x2", "predicted_bytes": predicted_bytes}
    return {**found, "runs": runs, **tiling_limit.summary(runs)}


ROWS = [
    row(96, "PyTorch", [1.0, 1.2, 1.1], predicted=None) | {"peak_bytes": 90 * MIB},
    row(96, "untiled, lean", [0.9] * 3, predicted=50),
    row(96, "mafat", [1.0] * 3, predicted=50),
    row(16, "PyTorch", [9.0] * 3, predicted=None),
    row(16, "untiled, lean", [2.0, 2.5, 3.0], predicted=50),
    row(16, "mafat", [1.0] * 3),
    row(12, "PyTorch", [5.0] * 3, predicted=None),
    row(12, "untiled, lean", [50.0], killed=2, predicted=50),
    row(12, "mafat", [1.0] * 3),
]


def test_there_is_a_median_only_where_most_runs_finished() -> None:
    assert ROWS[0]["time_s"] == 1.1
    short = ROWS[7]
    assert "time_s" not in short and "peak_bytes" not in short
    assert short["finished"] == 1 and len(short["runs"]) == 3
    assert outcomes(short) == "1 of 3 (2 killed)"
    most = row(12, "untiled, lean", [2.0, 4.0], killed=1)
    assert (most["time_s"], most["finished"]) == (4.0, 2), "the killed run is the slowest"
    assert most["peak_bytes"] == 9 * MIB
    uncounted = [{key: value for key, value in run.items() if key != "peak_bytes"} for run in ROWS[0]["runs"]]
    assert set(tiling_limit.summary(uncounted)) == {"finished", "time_s", "major_faults", "swapped_bytes"}


def test_the_verdict_is_at_the_tightest_limit_that_both_live_under() -> None:
    said = verdicts(ROWS)
    assert (
        "* `mafat` over our untiled executor: **missed**, 2.50 x, 20% of the memory, at 16 MiB, the tightest at which "
        "most runs of both finished." in said
    )
    killed = [*ROWS[:7], row(12, "untiled, lean", [1.0, 6.0], killed=1, predicted=50), ROWS[8]]
    assert (
        "executor: **met**, 6.00 x, 20% of the memory, at 12 MiB (untiled, lean: 2 of 3 (1 killed) finished)."
        in verdicts(killed)
    )
    assert "* `mafat` over untiled PyTorch: **met**, 5.00 x, 11% of the memory, at 12 MiB." in said
    alike = [dict(each) for each in ROWS]
    alike[-1]["predicted_bytes"] = 46 * MIB
    assert "* `mafat` over untiled PyTorch: **missed**, 5.00 x, 51% of the memory, at 12 MiB." in verdicts(alike)
    limit = [dict(each) for each in ROWS if each["headroom_mib"] == 12]
    limit[0]["peak_bytes"] = 12 * MIB
    assert "over untiled PyTorch: open, 5.00 x, memory of the baseline not known, at 12 MiB." in verdicts(limit)
    assert "over our untiled executor: open, at no limit did most runs of both finish." in verdicts(limit)


def test_the_page_its_picture_and_every_repetition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    monkeypatch.setattr(cgroups, "version", lambda: 2)
    tiling_limit.write(ROWS, 3, "ext4", is_kept=True)
    text = (tmp_path / "tiling_limit.md").read_text()
    assert f"![seconds by headroom]({FIGURE})" in text
    assert "| 12 | untiled, lean | 5x5/8/2x2 | 50.0 | 1 of 3 (2 killed) | - | - | - | - | - | - |" in text
    assert "| 16 | mafat | 5x5/8/2x2 | 10.0 | 3 of 3 | 1000 | 9.00 | 2.50 | 9.0 | 3 | 0.0 |" in text
    picture = (tmp_path / FIGURE).read_text()
    assert all(name in picture for name in ("untiled, lean", "mafat", "seconds"))
    assert [len(each["runs"]) for each in page.read("tiling_limit")] == [3] * len(ROWS)


def test_what_cannot_be_set_up_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    tiling_limit.main(["--quick"])
    assert capsys.readouterr().out == "skipped: it needs root, to limit memory and to add a swap file\n"
    monkeypatch.setattr(cgroups, "refusal", lambda: None)
    monkeypatch.setattr(tiling_limit, "check_picture", lambda path: None)
    tiling_limit.main(["--quick", "--swap-folder", "/nowhere"])
    assert capsys.readouterr().out == "skipped: /nowhere: there is no such folder\n"


def test_what_headroom_favours_and_which_kills_are_not_explained() -> None:
    rows = [
        row(96, "PyTorch", [1.0], predicted=None),
        row(96, "untiled, lean", [1.0], predicted=9) | {"configuration": "1x1/NoCut", "peak_bytes": 9 * MIB + 20},
        row(16, "mafat", [1.0], predicted=13),
        row(16, "exact", [1.0], predicted=11),
        row(9, "exact", [1.0], predicted=30),
    ]
    rows[2]["runs"][0]["swapped_bytes"] = 2 * MIB
    said = remarks(rows).replace("\n", " ")
    assert "holds up to 4.0 MiB of their maps, predicted less measured peak (`5x5/8/2x2` at 16 MiB)" in said
    assert said.endswith("of those of our untiled executor 0.0 MiB. For PyTorch there is no prediction.")
    said = remarks([*rows, row(12, "mafat", [], killed=3)]).replace("\n", " ")
    assert "Why the kernel killed 3 of 8 runs, with a swap file behind them, is not known" in said
    assert said.endswith("runs that finished swapped out at most 2 MiB.")
    assert remarks(rows[:1]) == "How far headroom favours tiled runs is not known."


@pytest.fixture
def able(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which all can be set up, with nothing set up."""

    @contextmanager
    def nothing(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(cgroups, "refusal", lambda: None)
    monkeypatch.setattr(cgroups, "group", nothing)
    monkeypatch.setattr(cgroups, "left", lambda prefix: [])
    monkeypatch.setattr(tiling_limit, "swap", nothing)
    monkeypatch.setattr(tiling_limit, "check_picture", lambda path: None)
    monkeypatch.setattr(tiling_limit, "plans", lambda headroom: [("mafat", "5x5/8/2x2")])
    monkeypatch.setattr(tiling_limit, "HEADROOMS", (16, 12))
    monkeypatch.setattr(tiling_limit, "REPETITIONS", 2)


@pytest.mark.usefixtures("able")
def test_a_run_that_could_not_be_set_up_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[dict[str, Any]] = []
    runs: list[dict[str, Any] | None] = [{**FINISHED, "time_s": 1.0}, None, {**FINISHED, "time_s": 1.0}]

    def limited_run(*_: object) -> dict[str, Any]:
        run = runs.pop(0) if runs else {**FINISHED, "time_s": 2.0}
        if run is None:
            raise cgroups.Unavailable("no control group mine: File exists")
        return run

    monkeypatch.setattr(tiling_limit, "limited", limited_run)
    monkeypatch.setattr(tiling_limit, "write", lambda rows, *_, **options: kept.extend(rows))
    tiling_limit.main([])
    assert [[run["outcome"] for run in row["runs"]] for row in kept] == [["finished", "failed"], ["finished"] * 2]
    assert outcomes(kept[0]) == "1 of 2 (1 failed)"


@pytest.mark.usefixtures("able")
def test_a_group_that_stays_ends_it_with_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def limited_run(network: str, configuration: str, headroom: int) -> dict[str, Any]:
        if headroom == 12 * MIB:
            raise cgroups.LeftBehind("the control group mine cannot be removed")
        return {**FINISHED, "time_s": 1.0}

    monkeypatch.setattr(
        tiling_limit, "plans", lambda headroom: [("PyTorch", "PyTorch"), ("untiled, lean", "1x1/NoCut")]
    )
    monkeypatch.setattr(tiling_limit, "limited", limited_run)
    with pytest.raises(SystemExit, match=r"^stopped, nothing is written: the control group mine cannot be removed$"):
        tiling_limit.main([])
    assert "| 16 | PyTorch | PyTorch | - | 2 of 2 | 1000 |" in capsys.readouterr().out


@pytest.mark.usefixtures("able")
def test_it_says_what_an_interrupt_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def limited_run(*_: object) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGTERM)
        return FINISHED

    monkeypatch.setattr(tiling_limit, "limited", limited_run)
    with pytest.raises(SystemExit, match=r"^interrupted; the control group and the swap file are gone$"):
        tiling_limit.main(["--swap-folder", str(tmp_path)])
    (tmp_path / f"{swapfile.PREFIX}x").mkdir()
    monkeypatch.setattr(cgroups, "left", lambda prefix: [Path("/groups", f"{prefix}4")])
    with pytest.raises(SystemExit) as caught:
        tiling_limit.main(["--swap-folder", str(tmp_path)])
    left = f"/groups/{limited.PREFIX}4 and {tmp_path / swapfile.PREFIX}x"
    assert caught.value.code == f"interrupted; {left} cannot be removed"
