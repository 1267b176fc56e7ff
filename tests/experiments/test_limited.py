"""One run under a memory limit: what is measured, in which order, and how it ended."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

import pytest

from experiments import limited
from experiments.interrupts import interruptible


class Counted:
    """A control group that counts whom the kernel killed."""

    def __init__(self, kills: int | None) -> None:
        self._kills = kills

    def kills(self) -> int | None:
        return self._kills


ENDS: dict[str, tuple[str, int | None, str]] = {
    "out of memory": ("os.kill(os.getpid(), 9)", 1, "killed"),
    "out of memory, not counted": ("os.kill(os.getpid(), 9)", None, "killed"),
    "killed by somebody": ("os.kill(os.getpid(), 9)", 0, "failed"),
    "exit code 1: ValueError: no": ("raise ValueError('no')", 0, "failed"),
    "exit code 3: it said nothing": ("sys.exit(3)", 0, "failed"),
    "no answer to 'run' in 0.5 s": ("time.sleep(60)", 0, "timed out"),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_run_ended(name: str) -> None:
    code, kills, outcome = ENDS[name]
    command = [sys.executable, "-c", f"import os, sys, time; sys.stdin.readline(); {code}"]
    with TemporaryFile("w+") as said:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        patience = 0.5 if outcome == "timed out" else 60
        try:
            with pytest.raises(limited.Stopped) as caught:
                limited._asked(worker, "run", patience, Counted(kills), said)  # type: ignore[arg-type]
        finally:
            worker.kill()
            worker.communicate()
    assert caught.value.outcome == outcome
    if outcome == "killed":
        assert str(caught.value) == "out of memory"
    elif kills == 0 and name == "killed by somebody":
        assert str(caught.value) == f"exit code {-signal.SIGKILL}: it said nothing"
    else:
        assert str(caught.value) == name


class Steps:
    """A control group, and the process that it limits: what is done to them, in order."""

    def __init__(self, restarts: bool = True) -> None:
        self.found: list[str] = []
        self._restarts, self._usage, self._peak = restarts, 1000, 5000

    def add(self, process: int) -> None:
        self.found.append(f"add {process}")

    def read(self, what: str) -> int:
        self.found.append(f"read {what}")
        return self._usage if what == "usage" else self._peak

    def limit(self, size: int) -> None:
        self.found.append(f"limit {size}")

    def restart_peak(self) -> bool:
        self.found.append("restart peak")
        self._peak = 1300
        return self._restarts

    def asked(self, worker: object, word: str, *_: object) -> str:
        self.found.append(word)
        self._usage += 50
        return json.dumps({"time_s": 0.5, "major_faults": 2}) if word == "run" else "ready"

    def swapped_out(self) -> int:
        self.found.append("swapped")
        return 100 * self.found.count("swapped")


@pytest.mark.parametrize("restarts", [True, False])
def test_what_is_measured_is_the_second_run_within_the_limit(restarts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It joins the group before it loads; the limit, the peak and the bytes swapped are over what it has loaded."""
    steps, worker = Steps(restarts), type("Worker", (), {"pid": 7})()
    monkeypatch.setattr(limited, "_asked", steps.asked)
    monkeypatch.setattr(limited, "swapped_out_bytes", steps.swapped_out)
    found = limited._measured(worker, steps, 400, io.StringIO())  # type: ignore[arg-type]
    before = ["add 7", "load", "read usage", "swapped", "limit 1450", "restart peak", "run"]
    assert steps.found == [*before, *["read peak"] * restarts, "swapped"]
    expected = {"time_s": 0.5, "major_faults": 2, "swapped_bytes": 100}
    assert found == (expected | {"peak_bytes": 250} if restarts else expected)


def test_a_limit_that_cannot_be_set_is_a_failed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, worker = Steps(), type("Worker", (), {"pid": 7})()

    def refused(size: int) -> None:
        raise OSError(f"the group does not shrink to {size} bytes")

    monkeypatch.setattr(limited, "_asked", steps.asked)
    monkeypatch.setattr(limited, "swapped_out_bytes", steps.swapped_out)
    monkeypatch.setattr(steps, "limit", refused)
    with pytest.raises(limited.Stopped, match="does not shrink to 1450 bytes") as caught:
        limited._measured(worker, steps, 400, io.StringIO())  # type: ignore[arg-type]
    assert caught.value.outcome == "failed"


class Worker:
    """A process that a signal comes with when it is killed, and that does not end by itself."""

    pid = 7

    def __init__(self) -> None:
        self.found: list[str] = []

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        self.found.append("killed")

    def communicate(self, timeout: float) -> None:
        self.found.append("waited for")
        raise subprocess.TimeoutExpired("worker", timeout)


def test_the_first_signal_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, in vain, before its group is removed; groups have numbers."""
    worker, names = Worker(), []

    @contextmanager
    def group(name: str) -> Iterator[Steps]:
        names.append(name)
        try:
            yield Steps()
        finally:
            worker.found.append("group removed")

    def fails(*_: object) -> dict[str, object]:
        raise limited.Stopped("failed", "no")

    monkeypatch.setattr(limited.cgroups, "group", group)
    monkeypatch.setattr(limited, "_measured", fails)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **options: worker)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), interruptible():
            limited.limited("yolov2-16", "5x5/8/2x2", 400)
    assert worker.found == ["killed", "waited for", "group removed"] * 2
    assert len(set(names)) == 2
