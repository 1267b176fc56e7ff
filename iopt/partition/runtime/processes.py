"""Ranks on this host: started by torch's launcher, watched, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from torch import distributed
from torch.multiprocessing.spawn import start_processes

from iopt.partition.runtime.failures import failure, leave_word
from iopt.partition.runtime.group import join_local, meet

PRELOADED = ["torch.distributed", "torch.multiprocessing.spawn", "safetensors.torch"]
"""Nothing of this package: the server does not look where the parent found it."""
GRACE_S = 5.0
"""How long the other ranks may take to say what they saw when one has failed."""

Work = Callable[[int, Path], None]
"""What a rank does, given its number and a folder that all share."""


def run_together(
    work: Work, names: Sequence[str], folder: Path, timeout_s: float, where: Callable[[int], str] = lambda rank: ""
) -> None:
    """Run `work` on one process for each name, in one process group.

    No rank waits longer than `timeout_s` for another. `where` says what a rank is at. Raises `DeviceLostError` where
    processes end or hang, `RunError` where one fails otherwise, `IoptError` for what a rank refuses; no process is left
    then. `work` is pickled.
    """
    processes = _started(_rank, (work, tuple(names), str(folder), timeout_s), len(names))
    try:
        if not _all_done(processes):
            raise failure(names, [process.exitcode for process in processes], folder, where)
    finally:
        _end(processes)


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


def _rank(rank: int, work: Work, names: Sequence[str], name: str, timeout_s: float) -> None:
    """What a process does; its exit code is 0, or it leaves a file that says why not."""
    folder = Path(name)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # also while torch waits
    Thread(target=_end_with_parent, daemon=True).start()
    _say_into(folder / f"rank-{rank}.log")
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // len(names)))
    try:
        join_local(folder / "rendezvous", rank, len(names), timeout_s)
        work(rank, folder)
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
