"""Ranks on this host: started by torch's launcher, watched, and ended whatever happens."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import distributed
from torch.multiprocessing.spawn import start_processes

from iopt.partition.runtime.board import Board
from iopt.partition.runtime.failures import failure, leave_word
from iopt.partition.runtime.group import join_local, meet
from iopt.partition.runtime.rank import Job, Outcome, run_rank
from iopt.partition.runtime.records import RankReport

BOARD = "board"
"""Name of a file."""
PRELOADED = ["torch.distributed", "torch.multiprocessing.spawn", "safetensors.torch"]
"""Nothing of this package: the server does not look where the parent found it."""
GRACE_S = 5.0
"""How long the other ranks may take to say what they saw when one has failed."""


def launch(jobs: Sequence[Job], timeout_s: float) -> list[Outcome]:
    """Run jobs one after another, on one process per device; all have equally many devices.

    No rank waits longer than `timeout_s` for another. Raises `DeviceLostError` where processes end or hang, `RunError`
    where one fails otherwise, `IoptError` for what a rank refuses; no process is left then.
    """
    ranks = len(jobs[0].problem.cluster)
    with TemporaryDirectory(prefix="iopt-run-") as name:
        folder = Path(name)
        board = Board.empty(folder / BOARD, ranks)
        processes = _started(_rank, (tuple(jobs), name, timeout_s), ranks)
        try:
            if not _all_done(processes):
                raise failure(jobs, [process.exitcode for process in processes], folder, board)
        finally:
            _end(processes)
        return [_outcome(folder, number) for number in range(len(jobs))]


def _started(target: Callable[..., None], arguments: tuple[object, ...], count: int) -> Sequence[BaseProcess]:
    """Processes by torch's launcher.

    Where they can be, they are forked off one server that has imported what they need: torch takes seconds.
    """
    method = "forkserver" if sys.platform == "linux" else "spawn"
    if method == "forkserver":
        get_context(method).set_forkserver_preload(PRELOADED)
    context: Any = start_processes(  # type: ignore[no-untyped-call]  # by torch
        target, arguments, count, join=False, start_method=method
    )
    processes: Sequence[BaseProcess] = context.processes
    return processes


def _rank(rank: int, jobs: tuple[Job, ...], name: str, timeout_s: float) -> None:
    """What a process does; its exit code is 0, or it leaves a file that says why not."""
    folder = Path(name)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # also while torch waits
    Thread(target=_end_with_parent, daemon=True).start()
    _say_into(folder / f"rank-{rank}.log")
    names = [device.name for device in jobs[0].problem.cluster.devices]
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // len(names)))
    try:
        join_local(folder / "rendezvous", rank, len(names), timeout_s)
        board = Board(folder / BOARD)
        for number, job in enumerate(jobs):
            if outcome := run_rank(job, rank, on_step=partial(board.write, rank, number)):
                _keep(folder, number, outcome)
        meet(names[rank], "at the end")
        distributed.destroy_process_group()
    except Exception as error:
        leave_word(folder, rank, error)
        os._exit(1)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _say_into(log: Path) -> None:
    """What libraries print goes to a file: standard output is for data."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(target, stream.fileno())


def _keep(folder: Path, number: int, outcome: Outcome) -> None:
    save_file({"output": outcome.output.contiguous().clone()}, folder / f"output-{number}.safetensors")
    reports = [report.to_dict() for report in outcome.reports]
    (folder / f"reports-{number}.json").write_text(json.dumps(reports))


def _outcome(folder: Path, number: int) -> Outcome:
    reports = json.loads((folder / f"reports-{number}.json").read_text())
    output = load_file(folder / f"output-{number}.safetensors")["output"].clone()
    return Outcome(output, [RankReport.from_dict(each) for each in reports])


def _all_done(processes: Sequence[BaseProcess]) -> bool:
    """Wait for all ranks; False when one has failed and the others have said what they saw, or had the time to."""
    running = {process.sentinel: process for process in processes}
    deadline = None
    while running and (deadline is None or time.monotonic() < deadline):
        for sentinel in wait(list(running), timeout=0.5):
            process = running.pop(int(sentinel))  # type: ignore[arg-type]  # sentinels are file descriptors
            process.join()
            if process.exitcode and deadline is None:
                deadline = time.monotonic() + GRACE_S
    return deadline is None


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
