"""A memory limit on a process, Linux only, as root: a control group (v1 or v2), removed again.

Version 2, from the kernel's documentation (admin-guide/cgroup-v2): `memory.max` counts memory without swap, and what a
group holds above it when it is written is reclaimed, or its processes are killed; in version 1 the write fails until it
can be kept. Memory stays charged to the group in which it was first touched: a process has to be moved before it
allocates. What is written to `memory.peak` (since Linux 6.12) restarts the peak for readers of that open file alone, so
the file is kept open; before, the peak is since the group was made; before 5.19 there is none.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from experiments.interrupts import shielded

ROOT = Path("/sys/fs/cgroup")
FILES = {
    1: {
        "limit": "memory.limit_in_bytes",
        "usage": "memory.usage_in_bytes",
        "peak": "memory.max_usage_in_bytes",
        "kills": "memory.oom_control",
    },
    2: {"limit": "memory.max", "usage": "memory.current", "peak": "memory.peak", "kills": "memory.events"},
}
TRIES, PAUSE_S = 50, 0.1


class Unavailable(Exception):
    """What an experiment needs and cannot set up here: one line."""


class LeftBehind(Exception):
    """What an experiment has set up and cannot undo: one line."""


def version(root: Path = ROOT) -> int | None:
    """Of the control groups that can limit memory here: 1, 2, or None."""
    if (root / "memory" / "memory.limit_in_bytes").exists():
        return 1
    controllers = root / "cgroup.controllers"
    return 2 if controllers.exists() and "memory" in controllers.read_text().split() else None


def refusal() -> str | None:
    """Why this cannot run here, or None."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root, to limit memory and to add a swap file"
    return None if version() is not None else "there is no memory controller of control groups"


@dataclass
class Group:
    """A control group; `path` is its folder."""

    path: Path
    version: int
    _peak: int | None = None

    def add(self, process: int) -> None:
        (self.path / "cgroup.procs").write_text(str(process))

    def limit(self, size: int) -> None:
        """Bytes of memory, without swap. In version 1 tried until memory is reclaimed; in version 2 the kernel reclaims
        at once, and kills where that is not enough."""
        for _ in range(TRIES):
            try:
                (self.path / FILES[self.version]["limit"]).write_text(str(size))
            except OSError:
                time.sleep(PAUSE_S)
            else:
                return
        raise OSError(f"the group does not shrink to {size} bytes")

    def read(self, what: str) -> int:
        """`usage` or `peak`, in bytes."""
        if what == "peak" and self._peak is not None:
            return int(os.pread(self._peak, 64, 0))
        return int((self.path / FILES[self.version][what]).read_text())

    def kills(self) -> int | None:
        """Processes of the group that the kernel killed for want of memory; None before Linux 4.13."""
        lines = (self.path / FILES[self.version]["kills"]).read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)

    def restart_peak(self) -> bool:
        """Whether the peak is from now on; if not, it is since the group was made."""
        path = self.path / FILES[self.version]["peak"]
        if self.version == 1:
            path.write_text("0")
            return True
        self.close()
        try:
            self._peak = os.open(path, os.O_RDWR)
            os.write(self._peak, b"0\n")
        except OSError:  # before Linux 6.12 it is for reading only
            self.close()
            return False
        return True

    def close(self) -> None:
        """Give back what is open."""
        if self._peak is not None:
            os.close(self._peak)
        self._peak = None


def left(prefix: str, root: Path = ROOT) -> list[Path]:
    """Groups whose names begin so."""
    found = version(root)
    return [] if found is None else sorted(_folder(root, found).glob(f"{prefix}*"))


@contextmanager
def group(name: str, root: Path = ROOT) -> Iterator[Group]:
    """A group of that name; it is empty, and removed, in the end. Raises `Unavailable` where it cannot be made, as
    within a container of version 2 whose processes are all in its root, and `LeftBehind` where it stays."""
    found = version(root)
    if found is None:
        raise Unavailable("there is no memory controller of control groups")
    with _enabled(root) if found == 2 else nullcontext():
        path = _folder(root, found) / name
        _make(path)
        try:
            made = _made(path, found)
            try:
                yield made
            finally:
                made.close()
        finally:
            with shielded():
                _remove(path)


def _folder(root: Path, found: int) -> Path:
    return root / "memory" if found == 1 else root


def _make(path: Path) -> None:
    try:
        path.mkdir()
    except OSError as error:
        raise Unavailable(f"no control group {path}: {error.strerror}") from None


def _made(path: Path, found: int) -> Group:
    try:
        made = Group(path, found)
        if found == 2 and not (path / FILES[2]["peak"]).exists():
            raise Unavailable("this kernel does not count the peak of a group (Linux 5.19 does)")
        _allow_swap(made)
    except OSError as error:
        raise Unavailable(f"no control group {path}: {error.strerror}") from None
    return made


@contextmanager
def _enabled(root: Path) -> Iterator[None]:
    """With the memory controller in the groups below `root`; as before in the end."""
    control = root / "cgroup.subtree_control"
    try:
        was_on = "memory" in control.read_text().split()
        if not was_on:
            control.write_text("+memory")
    except OSError as error:
        raise Unavailable(f"no memory controller below {root}: {error.strerror}") from None
    try:
        yield
    finally:
        if not was_on:
            with shielded(), suppress(OSError):  # another group uses it by now
                control.write_text("-memory")


def _allow_swap(made: Group) -> None:
    """No limit of swap; it is the default, and version 2 without swap in its kernel has no such file."""
    file = made.path / "memory.swap.max"
    if made.version == 2 and file.exists():
        file.write_text("max")


def _remove(path: Path) -> None:
    """A group can be removed when its last process has been waited for. Raises `LeftBehind`."""
    if not path.exists():
        return
    for _ in range(TRIES):
        try:
            path.rmdir()
        except OSError:
            time.sleep(PAUSE_S)
        else:
            return
    running = " ".join((path / "cgroup.procs").read_text().split())
    raise LeftBehind(f"the control group {path} cannot be removed; processes in it: {running or 'none'}")
