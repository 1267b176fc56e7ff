"""Where the ranks of a launch are: each says so before every step, in memory shared by a file, and the parent reads it
when one is lost."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

ENTRY = struct.Struct("=qq")
"""Job and step, both from 1 on; zeros before the first."""


class Board:
    """A file with an entry for each rank; made by `empty`, opened by everybody."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    @staticmethod
    def empty(path: Path, ranks: int) -> Board:
        path.write_bytes(bytes(ENTRY.size * ranks))
        return Board(path)

    def write(self, rank: int, job: int, step: int) -> None:
        """That the rank begins a step of a job, both counted from 0."""
        ENTRY.pack_into(self._map, ENTRY.size * rank, job + 1, step + 1)

    def read(self, rank: int) -> tuple[int, int] | None:
        """Job and step that the rank began last, None before its first."""
        job, step = ENTRY.unpack_from(self._map, ENTRY.size * rank)
        return (job - 1, step - 1) if job else None
