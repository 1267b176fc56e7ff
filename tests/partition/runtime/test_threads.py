"""A profile is measured with as many threads as a run has, however either is started."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from iopt.cli.profile import as_yaml
from iopt.partition.runtime import command, profiling, threads
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.threads import threads_of_rank
from tests.partition.runtime.faults import limited


@pytest.mark.parametrize(
    ("stated", "ranks", "expected"),
    [(None, 1, 6), (None, 2, 3), (None, 4, 1), (None, 9, 1), ("2", 1, 2), ("2", 9, 2), ("", 1, 6), ("0", 1, 6)],
)
def test_one_rule(stated: str | None, ranks: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if stated is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert threads_of_rank(ranks) == expected


def test_cores_where_the_system_says_less(monkeypatch: pytest.MonkeyPatch) -> None:
    assert threads.cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert threads.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.cores() == 1


def test_a_device_alone_is_profiled_as_it_runs_under_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process on its host: both have all cores unless they are told otherwise."""
    monkeypatch.setattr(threads, "cores", lambda: 3)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    try:
        found = profiling.profile_device(repeat=1)
        assert found.threads == 3
        assert "with 3 of torch's threads" in as_yaml(found, "x")
        torch.set_num_threads(1)
        command.use_threads({"LOCAL_WORLD_SIZE": "1"})
        assert torch.get_num_threads() == 3
        command.use_threads({"LOCAL_WORLD_SIZE": "3"})
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def note_threads(rank: int, folder: Path, pulse: Pulse) -> None:
    (folder / f"threads-{rank}.json").write_text(json.dumps([torch.get_num_threads(), os.environ.get("IOPT_TEST")]))


def test_ranks_have_the_environment_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of the server which they are forked off, and which started with the first run."""
    for stated, word in (("1", "a"), ("3", "b")):
        monkeypatch.setenv("OMP_NUM_THREADS", stated)
        monkeypatch.setenv("IOPT_TEST", word)
        folder = tmp_path / word
        folder.mkdir()
        with limited(60):
            run_together(note_threads, ["x", "y"], folder, 30.0)
        found = [json.loads((folder / f"threads-{rank}.json").read_text()) for rank in (0, 1)]
        assert found == [[int(stated), word]] * 2
