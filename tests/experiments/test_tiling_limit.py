"""Runs under a memory limit: how each ended, and what the page says of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from experiments import cgroups, limited, page, tiling_limit
from experiments.tiling_limit_text import FIGURE, outcomes, verdicts

MIB = 2**20
FINISHED = {"outcome": "finished", "peak_bytes": 9 * MIB, "major_faults": 3, "swapped_bytes": 0}
KILLED = {"outcome": "killed", "message": "out of memory"}


class Counted:
    """A control group that counts whom the kernel killed."""

    def __init__(self, kills: int | None) -> None:
        self._kills = kills

    def kills(self) -> int | None:
        return self._kills


ENDS: dict[str, tuple[str, int | None, str]] = {
    "out of memory": ("os.kill(os.getpid(), 9)", 1, "killed"),
    "out of memory, not counted": ("os.kill(os.getpid(), 9)", None, "killed"),
    "killed by somebody": ("os.kill(os.getpid(), 9)", 0, "failed"),
    "exit code 1: ValueError: no": ("raise ValueError('no')", 0, "failed"),
    "exit code 3: it said nothing": ("sys.exit(3)", 0, "failed"),
    "no answer to 'run' in 0.5 s": ("time.sleep(60)", 0, "timed out"),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_run_ended(name: str) -> None:
    code, kills, outcome = ENDS[name]
    command = [sys.executable, "-c", f"import os, sys, time; sys.stdin.readline(); {code}"]
    with TemporaryFile("w+") as said:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        patience = 0.5 if outcome == "timed out" else 60
        try:
            with pytest.raises(limited.Stopped) as caught:
                limited._asked(worker, "run", patience, Counted(kills), said)  # type: ignore[arg-type]
        finally:
            worker.kill()
            worker.communicate()
    assert caught.value.outcome == outcome
    if outcome == "killed":
        assert str(caught.value) == "out of memory"
    elif kills == 0 and name == "killed by somebody":
        assert str(caught.value) == f"exit code {-signal.SIGKILL}: it said nothing"
    else:
        assert str(caught.value) == name


def row(headroom: int, name: str, times: list[float], killed: int = 0, predicted: int | None = 10) -> dict[str, Any]:
    runs = [{**FINISHED, "time_s": seconds} for seconds in times] + [KILLED] * killed
    predicted_bytes = None if predicted is None else predicted * MIB
    found = {"headroom_mib": headroom, "name": name, "configuration": "5x5/8/2x2", "predicted_bytes": predicted_bytes}
    return {**found, "runs": runs, **tiling_limit.summary(runs)}


ROWS = [
    row(96, "untiled", [1.0, 1.2, 1.1], predicted=None) | {"peak_bytes": 90 * MIB},
    row(96, "untiled, lean", [0.9] * 3, predicted=50),
    row(96, "mafat", [1.0] * 3, predicted=50),
    row(16, "untiled", [9.0] * 3, predicted=None),
    row(16, "untiled, lean", [2.0, 2.5, 3.0], predicted=50),
    row(16, "mafat", [1.0] * 3),
    row(12, "untiled", [5.0] * 3, predicted=None),
    row(12, "untiled, lean", [1.0, 50.0], killed=1, predicted=50),
    row(12, "mafat", [1.0] * 3),
]


def test_there_is_a_median_only_of_runs_that_all_finished() -> None:
    assert ROWS[0]["time_s"] == 1.1
    short = ROWS[7]
    assert "time_s" not in short and "peak_bytes" not in short
    assert short["finished"] == 2 and len(short["runs"]) == 3
    assert outcomes(short) == "2 of 3 finished (1 killed)"
    uncounted = [{key: value for key, value in run.items() if key != "peak_bytes"} for run in ROWS[0]["runs"]]
    assert set(tiling_limit.summary(uncounted)) == {"finished", "time_s", "major_faults", "swapped_bytes"}


def test_the_verdict_is_at_the_tightest_limit_that_both_live_under() -> None:
    said = verdicts(ROWS)
    assert (
        "* `mafat` over our untiled executor: **missed**, 2.50 x, 20% of the memory, at 16 MiB, the tightest at which "
        "all of their runs finished (at 12 MiB untiled, lean: 2 of 3 finished (1 killed))." in said
    )
    assert "* `mafat` over untiled PyTorch: **met**, 5.00 x, 11% of the memory, at 12 MiB." in said
    alike = [dict(each) for each in ROWS]
    alike[-1]["predicted_bytes"] = 46 * MIB
    assert "* `mafat` over untiled PyTorch: **missed**, 5.00 x, 51% of the memory, at 12 MiB." in verdicts(alike)
    limit = [dict(each) for each in ROWS if each["headroom_mib"] == 12]
    limit[0]["peak_bytes"] = 12 * MIB
    assert "over untiled PyTorch: open, 5.00 x, memory of the baseline not known, at 12 MiB." in verdicts(limit)
    assert "over our untiled executor: open, at no limit did all of their runs finish." in verdicts(limit)


def test_the_page_its_picture_and_every_repetition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    monkeypatch.setattr(cgroups, "version", lambda: 2)
    tiling_limit.write(ROWS, 3, "ext4", is_kept=True)
    text = (tmp_path / "tiling_limit.md").read_text()
    assert f"![seconds by headroom]({FIGURE})" in text
    assert "| 12 | untiled, lean | 5x5/8/2x2 | 50.0 | 2 of 3 finished (1 killed) | - | - | - | - | - |" in text
    assert "| 16 | mafat | 5x5/8/2x2 | 10.0 | 1000 | 9.00 | 2.50 | 9.0 | 3 | 0.0 |" in text
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
