"""Processes of a run that is broken off while they start do not stay, and leave nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from iopt.partition.runtime import processes
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.pulse import Pulse


def nothing(rank: int, folder: Path, pulse: Pulse) -> None:
    """What the ranks would do."""


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit, OSError])
def test_those_that_had_started_are_ended(
    how: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first waits for the second, which never comes."""
    start, began = processes.start_processes, []

    def broken_off(target: object, arguments: tuple[object, ...], count: int, **options: Any) -> None:
        start(target, arguments, 1, **options)
        began.extend(active_children())
        raise how

    monkeypatch.setattr(processes, "start_processes", broken_off)
    with pytest.raises(how):
        run_together(nothing, ["a", "b"], tmp_path, 30.0)
    assert len(began) == 1
    assert not active_children()


def test_processes_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: object, **options: object) -> Sequence[object]:
        raise OSError

    other = processes.get_context("spawn").Process(target=print)
    other.start()
    monkeypatch.setattr(processes, "start_processes", refused)
    try:
        with pytest.raises(OSError):
            run_together(nothing, ["a", "b"], tmp_path, 30.0)
        other.join(60)
        assert other.exitcode == 0
    finally:
        other.kill()
        other.join()


def test_a_rank_without_a_folder_ends_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where who started it has ended by then, and removed the folder. A fork server that starts here makes one of
    its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    arguments = (nothing, ("a",), str(tmp_path / "none"), dict(os.environ))
    (process,) = processes._started(processes._rank, arguments, 1)
    process.join(60)
    assert process.exitcode == 1
    assert [path for path in tmp_path.iterdir() if not path.name.startswith("pymp-")] == []
