"""Files that can run code when they are read, and files that must be those that were meant."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from iopt.door.reason import unreadable
from iopt.door.wording import shown
from iopt.errors import ModelError, OptionError


def check_archive(path: Path, trust: bool) -> None:
    """Raise `ModelError` unless there is such a file and its author is trusted: reading a `.pt2` file can run code."""
    if path.is_dir():
        raise ModelError(f"{path}: cannot be read: it is a folder")
    if not path.is_file():
        raise ModelError(f"{path}: cannot be read: there is no such file")
    if not trust:
        raise ModelError(
            f"{path}: reading a .pt2 file can run code that is hidden in it (PyTorch unpickles parts of it); "
            "if you trust its author, say so with trust (--trust)"
        )


class Stamp(NamedTuple):
    """Which file, and as of when."""

    device: int
    number: int
    size: int
    changed_ns: int

    @staticmethod
    def of(found: os.stat_result) -> Stamp:
        return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def check_sha256(path: Path, stated: str) -> Stamp:
    """Raise `ModelError` unless the file has this SHA-256, as `sha256sum` prints it, with or without `sha256:` before
    it; `OptionError` where it is none. The stamp is of what was read, for `check_stamp`."""
    expected = stated.strip().lower().removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{64}", expected):
        raise OptionError(f"the hash of the weights is {shown(stated)}; expected sha256: and 64 hexadecimal digits")
    try:
        with path.open("rb") as file:
            stamp = Stamp.of(os.fstat(file.fileno()))
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {unreadable(error)}") from None
    if found != expected:
        raise ModelError(f"{path}: wrong weights: its SHA-256 is {found}; expected {expected}")
    return stamp


def check_stamp(path: Path, stamp: Stamp) -> None:
    """Call it when the file is open again. Raise `ModelError` unless it is still the one whose hash was checked."""
    if not path.is_file() or Stamp.of(path.stat()) != stamp:
        raise ModelError(f"{path}: wrong weights: the file was changed after its SHA-256 was checked")
