"""Work done in a fork of this process: it finds what is loaded, and leaves nothing behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

from iopt.errors import RunError

Found = TypeVar("Found")

PR_SET_PDEATHSIG = 1
"""Of Linux' prctl: the signal that this process gets when the one that made it ends."""


def apart(work: Callable[[], Found], asker: Connection | None = None) -> Found:
    """What a fork of this process finds; what it raises is raised here. `RunError` where it ends without a word, or has
    too little memory.

    `asker`: where this process hears from who waits for the result; the fork lets go of it, and is ended when something
    is heard meanwhile, such as its end. The fork ends with this call, and on Linux also where this process is killed.
    """
    context = get_context("fork")
    here, there = context.Pipe(duplex=False)
    others: tuple[Connection, ...] = (here,) if asker is None else (here, asker)
    process = context.Process(target=_tell, args=(there, others, os.getpid(), work))
    try:
        process.start()
        there.close()
        found: Found | Exception = _heard(process, here, asker)
        process.join()
    finally:
        here.close()
        there.close()
        if process.pid is not None:
            process.kill()
            process.join()
    if isinstance(found, Exception):
        raise found
    return found


def in_words(error: Exception) -> Exception:
    """The error itself; `RunError` where memory was too little, which torch says by a `RuntimeError`."""
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate memory" in str(error)):
        return RunError("a process that runs the network could not allocate memory: there is too little of it")
    return error


def _heard(process: BaseProcess, here: Connection, asker: Connection | None) -> Found | Exception:
    """What the fork says."""
    if asker is not None and here not in wait([here, asker]):
        raise RunError("nobody waits for the process that runs the network")
    try:
        found: Found | Exception = here.recv()
    except (EOFError, OSError):
        process.join()
        raise RunError(f"a process that ran the network ended with exit code {process.exitcode}") from None
    return found


def _tell(there: Connection, others: tuple[Connection, ...], parent: int, work: Callable[[], object]) -> None:
    """In the fork: what it finds or raises; `others` are ends of pipes that it has no use for."""
    _end_with(parent)
    for other in others:
        other.close()
    try:
        there.send(work())
    except Exception as error:
        there.send(in_words(error))


def _end_with(parent: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os.kill(os.getpid(), signal.SIGKILL)
