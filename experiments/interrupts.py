"""Interrupts as an exception, so that what an experiment has set up is undone, and undone whole."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """The first of `SIGNALS` raises `KeyboardInterrupt`; others do not disturb what then cleans up within the context.
    A signal that is ignored, as under `nohup`, stays so."""
    before: dict[signal.Signals, Any] = {}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for each in SIGNALS:
            if signal.getsignal(each) is not signal.SIG_IGN:
                before[each] = signal.signal(each, interrupt)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def shielded() -> Iterator[None]:
    """`SIGNALS` wait until the context has ended, also those to the programs that are started in it: for cleaning up,
    which the first of them would else break off.

    Blocked is only the thread that asks; where another one takes a signal, its handler remembers it.
    """
    waiting: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        waiting.append(number)

    handlers = {each: signal.signal(each, remember) for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each, handler in handlers.items():
            signal.signal(each, handler)
        if waiting:
            signal.raise_signal(waiting[0])
