"""Ranks that end or hang where a test wants them to, and tests that end whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from iopt.partition.runtime import processes
from iopt.partition.runtime.board import Board
from iopt.partition.runtime.processes import Work

if TYPE_CHECKING:
    import pytest  # ranks import this file, and pytest takes longer than all they do

REAL_RANK = processes._rank


@dataclass(frozen=True)
class Fault:
    """One of `ranks` ranks gets a signal from itself when it begins a step, in its second inference."""

    ranks: int
    rank: int
    step: int
    by: signal.Signals = signal.SIGKILL


def faulty_rank(
    faults: tuple[Fault, ...], rank: int, work: Work, names: Sequence[str], name: str, timeout_s: float
) -> None:
    """A rank of a launch, with faults."""
    write, seen, ranks = Board.write, [0], len(names)

    def write_or_end(board: Board, rank: int, job: int, step: int) -> None:
        write(board, rank, job, step)
        seen[0] += step == 0
        for fault in faults:
            if (fault.ranks, fault.rank, fault.step) == (ranks, rank, step) and seen[0] == 2:
                os.kill(os.getpid(), fault.by)

    Board.write = write_or_end  # type: ignore[method-assign]
    REAL_RANK(rank, work, names, name, timeout_s)


def inject(monkeypatch: pytest.MonkeyPatch, *faults: Fault) -> None:
    """Into every launch from now on."""
    monkeypatch.setattr(processes, "_rank", partial(faulty_rank, faults))


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise where this takes longer: a test must not wait for ever for what it tests."""

    def expired(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
