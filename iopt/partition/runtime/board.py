"""What ranks tell of themselves, each in an entry of its own: in memory that a file shares, or sent as bytes."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

ALIVE = struct.Struct("=q")
"""At the start of an entry."""
WORK = struct.Struct("=q160s240s")
"""After it: what the rank is at. Longer texts are cut."""
ENTRY_BYTES = ALIVE.size + WORK.size


class Sign(NamedTuple):
    """What a rank said last.

    `alive` grows while its process runs, `moves` as it gets on with its work: 0 before it begins, -1 when it has left.
    `place`: the step that it began last, empty before its first; `wait`: what it waits for, empty while it works.
    """

    alive: int
    moves: int
    place: str
    wait: str

    @property
    def waits(self) -> bool:
        return bool(self.wait)

    @staticmethod
    def of(entry: bytes) -> Sign:
        (alive,), (moves, place, wait) = ALIVE.unpack_from(entry), WORK.unpack_from(entry, ALIVE.size)
        return Sign(alive, moves, _text(place), _text(wait))


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode(errors="ignore")


class Board:
    """A file with an entry for each rank; made by `empty`, opened by everybody."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    @staticmethod
    def empty(path: Path, ranks: int) -> Board:
        path.write_bytes(bytes(ENTRY_BYTES * ranks))
        return Board(path)

    def read(self, rank: int) -> Sign:
        return Sign.of(self.memory[ENTRY_BYTES * rank : ENTRY_BYTES * (rank + 1)])
