"""Ranks that end, stop or hang where a test wants them to, and tests that end whatever happens."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from iopt.partition.runtime import processes
from iopt.partition.runtime.processes import Work
from iopt.partition.runtime.pulse import Pulse

if TYPE_CHECKING:
    import pytest  # ranks import this file, and pytest takes longer than all they do

REAL_RANK = processes._rank


@dataclass(frozen=True)
class Fault:
    """One of `ranks` ranks does something to itself when it is at a place for the `time`-th time: a step that begins,
    or what it waits for. It gets a signal, or without one loops for ever."""

    ranks: int
    rank: int
    place: str
    by: signal.Signals | None = signal.SIGKILL
    time: int = 2

    def happen(self) -> None:
        if self.by is not None:
            os.kill(os.getpid(), self.by)
        while self.by is None:
            pass


def faulty_rank(
    faults: tuple[Fault, ...], rank: int, work: Work, names: Sequence[str], name: str, environment: Mapping[str, str]
) -> None:
    """A rank of a launch, with faults."""
    mine = [fault for fault in faults if (fault.ranks, fault.rank) == (len(names), rank)]
    begin, waiting, seen = Pulse.begin, Pulse.waiting, Counter[str]()

    def reached(place: str) -> None:
        seen[place] += 1
        for fault in mine:
            if (fault.place, fault.time) == (place, seen[place]):
                fault.happen()

    def begin_or_end(pulse: Pulse, place: str) -> None:
        begin(pulse, place)
        reached(place)

    @contextmanager
    def waiting_or_end(pulse: Pulse, what: str) -> Iterator[None]:
        with waiting(pulse, what):
            reached(what)
            yield

    Pulse.begin, Pulse.waiting = begin_or_end, waiting_or_end  # type: ignore[method-assign]
    REAL_RANK(rank, work, names, name, environment)


def inject(monkeypatch: pytest.MonkeyPatch, *faults: Fault) -> None:
    """Into every launch from now on."""
    monkeypatch.setattr(processes, "_rank", partial(faulty_rank, faults))


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise where this takes longer: a test must not wait for ever for what it tests."""

    def expired(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before, left, began = signal.signal(signal.SIGALRM, expired), signal.alarm(seconds), time.monotonic()
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.alarm(max(1, left - int(time.monotonic() - began)) if left else 0)
