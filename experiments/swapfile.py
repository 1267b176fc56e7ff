"""A swap file on a disk of this machine, Linux only, as root; it is removed again."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.cgroups import Unavailable

MOUNTS, SWAPS, COUNTERS = Path("/proc/self/mounts"), Path("/proc/swaps"), Path("/proc/vmstat")
IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
MIB = 2**20


def filesystem(folder: Path) -> str:
    """Kind of the one that holds a folder: of the mounts above it the lowest, of several in one place the last."""
    found, depth = "unknown", -1
    for line in MOUNTS.read_text().splitlines():
        _, escaped, kind, *_ = line.split(" ")
        mount = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), escaped))
        if folder.resolve().is_relative_to(mount) and len(mount.parts) >= depth:
            found, depth = kind, len(mount.parts)
    return found


@contextmanager
def swap(size: int, folder: Path) -> Iterator[Path]:
    """A swap file of `size` bytes in a folder. Raises `Unavailable` where there can be none."""
    if not folder.is_dir():
        raise Unavailable(f"{folder}: there is no such folder")
    kind = filesystem(folder)
    if kind in IN_MEMORY:
        raise Unavailable(f"{folder} is a {kind}, which is in memory itself; expected a folder on a disk")
    with _made(folder, kind) as name:
        path = Path(name) / "swap"
        _allocate(path, size, kind)
        _run("mkswap", path, kind)
        try:
            _run("swapon", path, kind)
            yield path
        finally:
            if str(path) in SWAPS.read_text():
                subprocess.run(["swapoff", path], check=True)


def _made(folder: Path, kind: str) -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix="iopt-swap-", dir=folder)
    except OSError as error:
        raise Unavailable(f"{folder} ({kind}) takes no swap file: {error.strerror}") from None


def _allocate(path: Path, size: int, kind: str) -> None:
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        path.chmod(0o600)
    except OSError as error:
        what = f"a swap file of {size // MIB} MiB"
        raise Unavailable(f"{path.parent.parent} ({kind}) has no room for {what}: {error.strerror}") from None


def _run(program: str, path: Path, kind: str) -> None:
    try:
        done = subprocess.run([program, path], capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable(f"there is no {program}; install util-linux") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise Unavailable(f"no swap file in {path.parent.parent} ({kind}): {said}")


def swapped_out_bytes() -> int:
    """Since the machine started, by all processes."""
    lines = COUNTERS.read_text().splitlines()
    pages = next(int(line.split()[1]) for line in lines if line.startswith("pswpout "))
    return pages * os.sysconf("SC_PAGE_SIZE")
