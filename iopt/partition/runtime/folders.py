"""Folders that are gone when their work is: also after an end by signal, the latest when the next one is made."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from types import FrameType

if sys.platform != "win32":
    import fcntl

PREFIX, LOCK = "iopt-work-", "owner.lock"
"""A folder's lock is held by whoever made it, and let go of by the system when that process ends."""
ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def work_folder() -> Iterator[Path]:
    """An empty folder that only this user reads. A request to end (SIGTERM, SIGHUP) removes it first."""
    with _ending_in_order():
        sweep()
        folder = Path(mkdtemp(prefix=PREFIX))
        lock = _locked(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def sweep() -> None:
    """Remove the folders of this user whose makers are no more."""
    if sys.platform == "win32":
        return
    for path in Path(gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):
            if path.parent.is_symlink() or path.parent.stat().st_uid != os.geteuid():
                continue
            lock = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.parent, ignore_errors=True)
            finally:
                os.close(lock)


def _locked(folder: Path) -> int:
    """The lock appears when it is held, so that nobody sweeps the folder before."""
    path = folder / f"{LOCK}.new"
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if sys.platform != "win32":
        fcntl.flock(lock, fcntl.LOCK_EX)
        path.rename(folder / LOCK)
    return lock


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Meanwhile signals that end this process raise `SystemExit` of 128 and their number, as shells say it; those that
    somebody handles are left alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    mine = [number for number in ENDINGS if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> None:
        for each in mine:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in mine:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)
