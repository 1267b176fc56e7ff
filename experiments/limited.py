"""One inference under a memory limit, in a process of its own: Linux, as root.

The process, `limited_worker`, loads everything, runs once, locks what it then has in memory, and is limited to that and
some headroom; then it runs once more, and that is measured.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import count
from tempfile import TemporaryFile
from typing import IO, Any

from experiments import cgroups
from experiments.interrupts import shielded
from experiments.swapfile import swapped_out_bytes

LOAD_S, RUN_S, END_S = 120.0, 180.0, 30.0
"""How long loading, the run, and ending may take."""
PREFIX = f"iopt-{os.getpid()}-"
NUMBERS = count()
"""Of control groups: one that cannot be removed is not in the way of the next."""


class Stopped(Exception):
    """The process did not answer; `outcome` says why."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def limited(network: str, configuration: str, headroom_bytes: int) -> dict[str, Any]:
    """`outcome` of one run: `finished` with `time_s`, `major_faults`, `swapped_bytes` and, where the kernel can count
    it, `peak_bytes` over what was loaded; `killed` for want of memory, `timed out` or `failed`, with a `message`.

    Raises `Unavailable` where there can be no control group, `LeftBehind` where it cannot be removed.
    """
    command = [sys.executable, "-m", "experiments.limited_worker", network, configuration]
    with cgroups.group(f"{PREFIX}{next(NUMBERS)}") as group, TemporaryFile("w+") as said:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            return {"outcome": "finished", **_measured(worker, group, headroom_bytes, said)}
        except Stopped as stop:
            return {"outcome": stop.outcome, "message": str(stop)}
        finally:
            with shielded(), suppress(subprocess.TimeoutExpired):  # then its group cannot be removed, which says so
                worker.kill()
                worker.communicate(timeout=END_S)


def _measured(
    worker: subprocess.Popen[str], group: cgroups.Group, headroom_bytes: int, said: IO[str]
) -> dict[str, Any]:
    def ask(word: str, patience_s: float) -> str:
        return _asked(worker, word, patience_s, group, said)

    group.add(worker.pid)
    ask("load", LOAD_S)
    baseline, swapped = group.read("usage"), swapped_out_bytes()
    try:
        group.limit(baseline + headroom_bytes)
    except OSError as error:
        raise Stopped("failed", str(error)) from None
    is_peak_of_run = group.restart_peak()
    found: dict[str, Any] = json.loads(ask("run", RUN_S))
    if is_peak_of_run:
        found["peak_bytes"] = group.read("peak") - baseline
    return {**found, "swapped_bytes": swapped_out_bytes() - swapped}


def _asked(worker: subprocess.Popen[str], word: str, patience_s: float, group: cgroups.Group, said: IO[str]) -> str:
    """The line that it answers. Raises `Stopped` without one."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(f"{word}\n")
        worker.stdin.flush()
    except BrokenPipeError:
        raise _stopped(worker, group, said) from None
    ready, _, _ = select.select([worker.stdout], [], [], patience_s)
    if not ready:
        raise Stopped("timed out", f"no answer to {word!r} in {patience_s:g} s")
    line = worker.stdout.readline()
    if not line:
        raise _stopped(worker, group, said)
    return line


def _stopped(worker: subprocess.Popen[str], group: cgroups.Group, said: IO[str]) -> Stopped:
    """Why a process ended. Where the kernel does not count whom it killed, SIGKILL is taken for that."""
    try:
        code = worker.wait(END_S)
    except subprocess.TimeoutExpired:
        return Stopped("timed out", "the process neither answers nor ends")
    kills = group.kills()
    if kills or (kills is None and code == -signal.SIGKILL):
        return Stopped("killed", "out of memory")
    said.seek(0)
    lines = said.read().strip().splitlines()
    return Stopped("failed", f"exit code {code}: {lines[-1] if lines else 'it said nothing'}")
