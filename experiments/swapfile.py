"""A swap file on a disk of this machine, Linux only, as root; it is removed again."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.cgroups import LeftBehind, Unavailable
from experiments.interrupts import shielded

MOUNTS, SWAPS, COUNTERS = Path("/proc/self/mounts"), Path("/proc/swaps"), Path("/proc/vmstat")
IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
PREFIX = f"iopt-swap-{os.getpid()}-"
MIB = 2**20


def filesystem(folder: Path) -> str:
    """Kind of the one that holds a folder: of the mounts above it the lowest, of several in one place the last."""
    found, depth = "unknown", -1
    for line in MOUNTS.read_text().splitlines():
        _, escaped, kind, *_ = line.split(" ")
        mount = _unescaped(escaped)
        if folder.resolve().is_relative_to(mount) and len(mount.parts) >= depth:
            found, depth = kind, len(mount.parts)
    return found


@contextmanager
def swap(size: int, folder: Path) -> Iterator[Path]:
    """A swap file of `size` bytes in a folder. Raises `Unavailable` where there is none, `LeftBehind` if it stays."""
    folder = folder.resolve()
    if not folder.is_dir():
        raise Unavailable(f"{folder}: there is no such folder")
    kind = filesystem(folder)
    if kind in IN_MEMORY:
        raise Unavailable(f"{folder} is a {kind}, which is in memory itself; expected a folder on a disk")
    made = _made(folder, kind)
    path = Path(made.name) / "swap"
    try:
        _allocate(path, size, kind)
        _run("mkswap", path, kind)
        _run("swapon", path, kind)
        yield path
    finally:
        with shielded():
            if path in _active():
                _turn_off(path)
            made.cleanup()


def left(folder: Path) -> list[Path]:
    """What this process has made in a folder and not removed."""
    return sorted(folder.resolve().glob(f"{PREFIX}*"))


def _active() -> list[Path]:
    """Swap files that are on, as the kernel names them: resolved."""
    return [_unescaped(line.split()[0]) for line in SWAPS.read_text().splitlines()[1:]]


def _unescaped(name: str) -> Path:
    """The kernel writes spaces and the like in octal."""
    return Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), name))


def _turn_off(path: Path) -> None:
    done = subprocess.run(["swapoff", path], capture_output=True, text=True)
    if done.returncode:
        raise LeftBehind(f"the swap file {path} stays on: {_said(done)}")


def _made(folder: Path, kind: str) -> TemporaryDirectory[str]:
    try:
        return TemporaryDirectory(prefix=PREFIX, dir=folder)
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
        raise Unavailable(f"no swap file in {path.parent.parent} ({kind}): {_said(done)}")


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of what a program that failed says."""
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def swapped_out_bytes() -> int:
    """Since the machine started, by all processes."""
    lines = COUNTERS.read_text().splitlines()
    pages = next(int(line.split()[1]) for line in lines if line.startswith("pswpout "))
    return pages * os.sysconf("SC_PAGE_SIZE")
