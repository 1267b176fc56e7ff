"""Work done in a fork of this process: it finds what is loaded, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from iopt.errors import RunError

Found = TypeVar("Found")


def apart(work: Callable[[], Found]) -> Found:
    """What a fork of this process finds; what it raises is raised here. `RunError` where it ends without a word."""
    context = get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(there, work))
    process.start()
    there.close()
    try:
        found: Found | Exception = here.recv()
    except EOFError:
        process.join()
        raise RunError(f"a process that ran the network ended with exit code {process.exitcode}") from None
    finally:
        here.close()
    process.join()
    if isinstance(found, Exception):
        raise found
    return found


def _tell(there: Connection, work: Callable[[], Found]) -> None:
    try:
        there.send(work())
    except Exception as error:
        there.send(error)
