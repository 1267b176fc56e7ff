"""A memory limit on a process, Linux only, as root: a control group (v1 or v2) and a swap file, both removed again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
FILES = {
    1: {"limit": "memory.limit_in_bytes", "usage": "memory.usage_in_bytes", "peak": "memory.max_usage_in_bytes"},
    2: {"limit": "memory.max", "usage": "memory.current", "peak": "memory.peak"},
}


def version() -> int | None:
    """Of the control groups that can limit memory here: 1, 2, or None."""
    if (ROOT / "memory" / "memory.limit_in_bytes").exists():
        return 1
    controllers = ROOT / "cgroup.controllers"
    return 2 if controllers.exists() and "memory" in controllers.read_text().split() else None


def refusal() -> str | None:
    """Why this cannot run here, or None."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root, to limit memory and to add a swap file"
    return None if version() is not None else "there is no memory controller of control groups"


@dataclass(frozen=True)
class Group:
    """A control group; `path` is its folder."""

    path: Path
    version: int

    def add(self, process: int) -> None:
        (self.path / "cgroup.procs").write_text(str(process))

    def limit(self, size: int) -> None:
        """Bytes of memory, without swap. Until it can be kept, memory is reclaimed."""
        for _ in range(50):
            try:
                (self.path / FILES[self.version]["limit"]).write_text(str(size))
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise OSError(f"the group does not shrink to {size} bytes")

    def read(self, what: str) -> int:
        """`usage` or `peak`, in bytes."""
        return int((self.path / FILES[self.version][what]).read_text())

    def restart_peak(self) -> None:
        """Of version 2, kernels before 6.12 do not let it restart; then the peak is since the group was made."""
        try:
            (self.path / FILES[self.version]["peak"]).write_text("0")
        except OSError:
            return


@contextmanager
def group(name: str) -> Iterator[Group]:
    """A group of that name; it is empty, and removed, in the end."""
    found = version()
    assert found is not None
    parent = ROOT / "memory" if found == 1 else ROOT
    if found == 2:
        (ROOT / "cgroup.subtree_control").write_text("+memory")
    path = parent / name
    path.mkdir()
    try:
        yield Group(path, found)
    finally:
        for _ in range(50):
            try:
                path.rmdir()
            except OSError:
                time.sleep(0.1)
            else:
                break


@contextmanager
def swap(size: int) -> Iterator[Path]:
    """A swap file of `size` bytes on the disk of temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "swap"
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        path.chmod(0o600)
        subprocess.run(["mkswap", path], check=True, capture_output=True)
        subprocess.run(["swapon", path], check=True)
        try:
            yield path
        finally:
            subprocess.run(["swapoff", path], check=True)


def swapped_out_bytes() -> int:
    """Since the machine started, by all processes."""
    lines = Path("/proc/vmstat").read_text().splitlines()
    pages = next(int(line.split()[1]) for line in lines if line.startswith("pswpout "))
    return pages * os.sysconf("SC_PAGE_SIZE")
