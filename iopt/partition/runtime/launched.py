"""Ranks that torchrun started, or somebody by hand with the same variables: how they meet, and watch each other."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import Any

from torch import distributed
from torch.distributed import rendezvous  # type: ignore[attr-defined]  # documented, but not in __all__

from iopt.door.reason import reason
from iopt.errors import OptionError, RunError
from iopt.partition.runtime.board import Sign
from iopt.partition.runtime.failures import hanging
from iopt.partition.runtime.group import join, meet
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.watch import Watch

LOOK_S = 0.25
"""Between two looks at the others."""
LINGER_S = 2.0
"""How long a rank that found out who hangs stays, so that the others find it out and do not blame it for leaving."""


@contextmanager
def joined(names: Sequence[str], timeout_s: float) -> Iterator[Pulse]:
    """A process group of these ranks, one of which this process is; left when all come to the end.

    Ends the process with a line and exit code 5 where a rank hangs for `timeout_s`. Raises `OptionError` where the port
    is in use or a variable is missing, `RunError` where ranks do not come in that time.
    """
    rank, where = int(os.environ["RANK"]), f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
    pulse = Pulse(names[rank])
    pulse.begin("")
    pulse.keep_alive()
    try:
        with _silent_stderr():
            store = _store(len(names), rank, timeout_s, pulse)
    except ValueError as error:
        raise OptionError(f"the ranks cannot meet: {reason(error)}") from None
    except RuntimeError as error:
        if "EADDRINUSE" in str(error):
            raise OptionError(f"the ranks cannot meet at {where}: the port is in use; choose another") from None
        raise RunError(f"not all ranks came to {where} within {timeout_s:g} s: {reason(error)}") from None
    mates = Mates(store.clone(), pulse, names, timeout_s, where)
    try:
        join(store, rank, len(names), pulse)
        yield pulse
        meet(pulse, "at the end")
        pulse.leave()
    finally:
        mates.leave()
    distributed.destroy_process_group()


def _store(ranks: int, rank: int, timeout_s: float, pulse: Pulse) -> Any:
    """Where all ranks have left a sign."""
    store = next(iter(rendezvous("env://", timeout=timedelta(seconds=timeout_s))))[0]
    store.set(_key(rank), pulse.entry)
    try:
        store.wait([_key(each) for each in range(ranks)], timedelta(seconds=timeout_s))
    except RuntimeError:
        missing = [str(each) for each in range(ranks) if not store.check([_key(each)])]
        raise RuntimeError(f"there is no rank {' and no rank '.join(missing)}") from None
    return store


class Mates:
    """The other ranks, as their signs in a store show them; this rank's sign is renewed there."""

    def __init__(self, store: Any, pulse: Pulse, names: Sequence[str], timeout_s: float, where: str) -> None:
        self._store, self._pulse, self._names = store, pulse, names
        self._timeout_s, self._where = timeout_s, where
        self._rank = names.index(pulse.name)
        self._signs: dict[int, Sign] = {}
        self._rounds, self._over, self._last_word = 0, Event(), Lock()
        for target in (self._tell_and_ask, self._watch):
            Thread(target=target, daemon=True).start()

    def leave(self) -> None:
        """With a last sign; not if this process has found out who hangs, and is about to end."""
        with self._last_word:
            self._over.set()
        with suppress(RuntimeError):
            self._store.set(_key(self._rank), self._pulse.entry)

    def _tell_and_ask(self) -> None:
        keys = [_key(rank) for rank in range(len(self._names))]
        while not self._over.wait(LOOK_S):
            with suppress(RuntimeError):
                self._store.set(keys[self._rank], self._pulse.entry)
                self._signs = dict(enumerate(map(Sign.of, self._store.multi_get(keys))))
                self._rounds += 1

    def _watch(self) -> None:
        """In a thread of its own: a store whose host is lost may keep the other one."""
        watch, store = Watch(self._timeout_s), Watch(self._timeout_s)
        last = time.monotonic()
        while not self._over.wait(LOOK_S):
            passed, last = time.monotonic() - last, time.monotonic()
            store.look({0: Sign(0, 1 + self._rounds, "", "")}, passed)
            if store.silent:
                self._end(f"the store at {self._where} does not answer: the host that has it may be lost")
            watch.look({rank: sign for rank, sign in self._signs.items() if sign.moves >= 0}, passed)
            silent = [rank for rank in watch.silent if rank != self._rank]
            if silent or watch.is_stuck:
                self._end(hanging(self._names, self._signs, silent, self._timeout_s))

    def _end(self, message: str) -> None:
        """The work waits in torch, where no exception reaches it; what it says when others end is said here already."""
        with self._last_word:
            if not self._over.is_set():
                print(f"iopt: {' '.join(message.split())}", file=sys.stderr, flush=True)
                time.sleep(LINGER_S)
                os._exit(RunError.exit_code)


def _key(rank: int) -> str:
    return f"iopt/sign/{rank}"


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Meanwhile nothing that torch's C++ says gets through; what matters of it is in its errors."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
