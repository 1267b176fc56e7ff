"""Folders of a run do not outlive it, however it ends, and nobody else's are touched."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from iopt.partition.runtime.folders import LOCK, PREFIX, sweep, work_folder
from tests.partition.runtime.faults import limited

HOLDING = """
import time
from iopt.partition.runtime.folders import work_folder
with work_folder() as outer, work_folder() as inner:
    (outer / "weights").write_bytes(bytes(1000))
    print(inner, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def holding() -> subprocess.Popen[str]:
    """A process that has two folders."""
    process = subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert Path(process.stdout.readline().strip()).is_dir()
    return process


def test_it_is_there_meanwhile(temporary: Path) -> None:
    with work_folder() as folder:
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(KeyError), work_folder():
        raise KeyError
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("hangups_end")
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_asked_to_end_removes_it_first(temporary: Path, by: signal.Signals) -> None:
    with limited(60), holding() as process:
        process.send_signal(by)
        assert process.wait() == 128 + by
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_start(temporary: Path) -> None:
    with limited(60), holding() as lives:
        with holding() as killed:
            killed.kill()
        assert len(list(temporary.iterdir())) == 4
        with work_folder():
            assert len(list(temporary.iterdir())) == 3
        lives.terminate()
    assert list(temporary.iterdir()) == []


def test_other_folders_stay(temporary: Path) -> None:
    """Without a lock, of another name, or only a link to one elsewhere."""
    names = [f"{PREFIX}new", "other", "else"]
    for name in names:
        (temporary / name).mkdir()
    for name in names[1:]:
        (temporary / name / LOCK).touch()
    (temporary / f"{PREFIX}link").symlink_to(temporary / "else")
    sweep()
    assert sorted(path.name for path in temporary.iterdir()) == sorted([*names, f"{PREFIX}link"])
    assert (temporary / "else" / LOCK).exists()


@pytest.mark.usefixtures("hangups_end")
def test_handlers_of_others_are_left_alone() -> None:
    mine = lambda number, frame: None  # noqa: E731
    before = signal.signal(signal.SIGTERM, mine)
    try:
        with work_folder():
            assert signal.getsignal(signal.SIGTERM) is mine
            assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
