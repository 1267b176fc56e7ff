"""Ranks on this host: started by torch's launcher, watched by who started them, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from torch import distributed
from torch.multiprocessing.spawn import start_processes

from iopt.errors import DeviceLostError, RunError
from iopt.partition.runtime.board import ENTRY_BYTES, Board, Sign
from iopt.partition.runtime.failures import failure, hanging, leave_word
from iopt.partition.runtime.group import join_local, meet
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.threads import threads_of_rank
from iopt.partition.runtime.watch import Watch

PRELOADED = ["torch.distributed", "torch.multiprocessing.spawn", "safetensors.torch"]
"""Nothing of this package: the server does not look where the parent found it."""
GRACE_S = 5.0
"""How long the other ranks may take to say what they saw when one has failed."""
LOOK_S = 0.1
"""Between two looks at what ranks say."""
BOARD = "board"
"""Name of a file."""

Work = Callable[[int, Path, Pulse], None]
"""What a rank does, given its number, a folder that all share, and whom to tell that it gets on."""


def run_together(work: Work, names: Sequence[str], folder: Path, timeout_s: float) -> None:
    """Run `work` on one process for each name, in one process group.

    A rank may wait for another as long as that one gets on; one that does not for `timeout_s` hangs. Raises
    `DeviceLostError` where processes end or hang, `RunError` where one fails otherwise or all wait for each other,
    `IoptError` for what a rank refuses; no process is left then. `work` is pickled.
    """
    if _is_being_imported():  # by such a process, of a script without a guard: `failure` says so where that was started
        raise SystemExit(1)
    board = Board.empty(folder / BOARD, len(names))
    processes = _started(_rank, (work, tuple(names), str(folder), dict(os.environ)), len(names))
    try:
        if not _all_done(processes, names, board, timeout_s):
            codes, signs = (
                [process.exitcode for process in processes],
                dict(enumerate(map(board.read, range(len(names))))),
            )
            raise failure(names, codes, folder, signs)
    finally:
        _end(processes)


def _started(target: Callable[..., None], arguments: tuple[object, ...], count: int) -> Sequence[BaseProcess]:
    """Processes by torch's launcher; none is left where it is broken off.

    Where they can be, they are forked off one server that has imported what they need: torch takes seconds.
    """
    method = "forkserver" if sys.platform == "linux" else "spawn"
    if method == "forkserver":
        get_context(method).set_forkserver_preload(PRELOADED)
    others = active_children()
    try:
        context: Any = start_processes(  # type: ignore[no-untyped-call]  # by torch
            target, arguments, count, join=False, start_method=method
        )
    except BaseException:  # an interrupt, too: this process would wait for them at its end
        _end([process for process in active_children() if process not in others])
        raise
    processes: Sequence[BaseProcess] = context.processes
    return processes


def _rank(rank: int, work: Work, names: Sequence[str], name: str, environment: Mapping[str, str]) -> None:
    """What a process does; its exit code is 0, or it leaves a file that says why not.

    `environment`: the parent's of now; that of the server that this was forked off is of its own start.
    """
    folder = Path(name)
    try:
        pulse = Pulse(names[rank], Board(folder / BOARD).memory, ENTRY_BYTES * rank)
        pulse.begin("")
        pulse.keep_alive()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # also while torch waits
        Thread(target=_end_with_parent, daemon=True).start()
        _say_into(folder / f"rank-{rank}.log")
        os.environ.clear()
        os.environ.update(environment)
        torch.set_num_threads(threads_of_rank(len(names)))
        join_local(folder / "rendezvous", rank, len(names), pulse)
        work(rank, folder, pulse)
        meet(pulse, "at the end")
        distributed.destroy_process_group()
    except Exception as error:
        with suppress(OSError):  # who would read it has ended, and removed the folder
            leave_word(folder, rank, error)
        os._exit(1)  # torch's launcher would leave a file in the folder for temporary ones


def _is_being_imported() -> bool:
    """Whether this process is one of multiprocessing's, which imports the script that started it as `__mp_main__`."""
    main = sys.modules.get("__mp_main__")
    return main is not None and main is not sys.modules["__main__"]


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _say_into(log: Path) -> None:
    """What libraries print goes to a file: standard output is for data."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as where it is closed
            stream.flush()
            os.dup2(target, stream.fileno())


def _all_done(processes: Sequence[BaseProcess], names: Sequence[str], board: Board, timeout_s: float) -> bool:
    """Wait for all ranks; False when one has failed and the others have said what they saw, or had the time to.

    Raises `DeviceLostError` where ranks hang, `RunError` where all wait for each other.
    """
    running = {process.sentinel: rank for rank, process in enumerate(processes)}
    deadline, watch, last = None, Watch(timeout_s), time.monotonic()
    while running and (deadline is None or time.monotonic() < deadline):
        for sentinel in wait(list(running), timeout=LOOK_S):
            process = processes[running.pop(int(sentinel))]  # type: ignore[arg-type]  # sentinels are file descriptors
            process.join()
            if process.exitcode and deadline is None:
                deadline = time.monotonic() + GRACE_S
        if deadline is None:
            passed, last = time.monotonic() - last, time.monotonic()
            _check(watch, {rank: board.read(rank) for rank in running.values()}, names, timeout_s, passed)
    return deadline is None


def _check(watch: Watch, signs: Mapping[int, Sign], names: Sequence[str], timeout_s: float, passed_s: float) -> None:
    watch.look(signs, passed_s)
    if silent := watch.silent:
        raise DeviceLostError(hanging(names, signs, silent, timeout_s), tuple(names[rank] for rank in silent))
    if watch.is_stuck:
        raise RunError(hanging(names, signs, (), timeout_s))


def _end(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
