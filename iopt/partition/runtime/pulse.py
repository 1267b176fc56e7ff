"""How a rank says that it lives and gets on: whoever watches can tell one that works or waits from one that hangs."""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from iopt.partition.runtime.board import ALIVE, ENTRY_BYTES, WORK

BEAT_S = 0.1
"""Between two signs of a process that lives."""


class Pulse:
    """The entry of the rank that plays device `name`, in `memory` from `at` on; by default where nobody reads it.

    Its work says with `begin`, `beat` and `waiting` that it gets on, its process with `keep_alive` that it runs.
    """

    def __init__(self, name: str = "", memory: mmap.mmap | bytearray | None = None, at: int = 0) -> None:
        self.name, self._at = name, at
        self._memory = bytearray(ENTRY_BYTES) if memory is None else memory
        self._moves, self._place = 0, b""

    @property
    def entry(self) -> bytes:
        return bytes(self._memory[self._at : self._at + ENTRY_BYTES])

    def begin(self, place: str) -> None:
        """A step of the work, by its name."""
        self._place = place.encode()
        self.beat()

    def beat(self) -> None:
        """The work has got on, or waits on purpose."""
        self._say(b"")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """For other ranks; `what`: such as `waits to receive from 'd2'`."""
        self._say(what.encode())
        try:
            yield
        finally:
            self.beat()

    def leave(self) -> None:
        """Nobody is to wait for this rank any more."""
        self._moves = -2
        self.beat()

    def keep_alive(self) -> None:
        """Say so from now on as long as the process runs."""
        Thread(target=self._live, daemon=True).start()

    def _live(self) -> None:
        alive = 0
        while True:
            alive += 1
            ALIVE.pack_into(self._memory, self._at, alive)
            time.sleep(BEAT_S)

    def _say(self, wait: bytes) -> None:
        self._moves += 1
        WORK.pack_into(self._memory, self._at + ALIVE.size, self._moves, self._place, wait)
