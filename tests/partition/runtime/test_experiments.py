"""The experiments about runs that tests can reach: skipped where they cannot run, and what they clean up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, cast

import pytest
import torch

from experiments import namespaces, runtime_convolutions, runtime_cost, runtime_latency, runtime_namespaces
from experiments.interrupts import SIGNALS
from iopt.graph.layers import Conv2d
from iopt.partition import columns
from tests.instances import chain, conv


def test_without_root_the_network_is_skipped_visibly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    runtime_namespaces.main([])
    assert capsys.readouterr().out == "skipped: it needs root, to make network namespaces\n"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert namespaces.refusal() == "there is no ip and no tc; install iproute2"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert namespaces.refusal() == "it needs Linux"


GONE = 2**30
FOREIGN = {
    "other",
    "iopt-runtime-1-0",  # of one that still runs
    "iopt-lab",
    f"iopt-{GONE}-0",
    f"iopt-runtime-{GONE}-0-copy",
    f"my-iopt-runtime-{GONE}-0",
    f"iopt-runtime-{GONE}-router",
    "iopt-runtime-x-0",
}


@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError, signal.SIGTERM, signal.SIGHUP, None])
def test_every_namespace_is_removed_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, how: type[BaseException] | signal.Signals | None
) -> None:
    """Also those that an experiment left behind that is no more, but none of others."""
    existing = FOREIGN | {f"iopt-runtime-{GONE}-0", f"iopt-runtime-{GONE}-switch"}

    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        match words:
            case ["ip", "netns", "add", name]:
                existing.add(name)
            case ["ip", "netns", "del", name]:
                existing.remove(name)
        lines = (f"{name} (id: {number})" if number % 2 else name for number, name in enumerate(sorted(existing)))
        said = "\n".join(lines) if words[-1] == "list" else ""
        return subprocess.CompletedProcess(words, 0, said, "")

    monkeypatch.setattr(subprocess, "run", run)
    try:
        with namespaces.switched_hosts(2, 10**8) as hosts:
            assert existing == FOREIGN | {*hosts, f"iopt-runtime-{os.getpid()}-switch"}
            if isinstance(how, signal.Signals):
                signal.raise_signal(how)
            elif how is not None:
                raise how
    except (KeyboardInterrupt, RuntimeError):
        assert how is not None
    assert existing == FOREIGN


def test_the_first_signal_does_not_break_off_the_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    existing: set[str] = set()

    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        match words:
            case ["ip", "netns", "add", name]:
                existing.add(name)
            case ["ip", "netns", "del", name]:
                os.kill(os.getpid(), signal.SIGTERM)
                existing.remove(name)
        return subprocess.CompletedProcess(words, 0, "", "")

    before = [signal.getsignal(each) for each in SIGNALS]
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(KeyboardInterrupt), namespaces.switched_hosts(2, 10**8):
        assert len(existing) == 3
    assert existing == set()
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_namespace_that_somebody_else_made_is_not_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name that is needed is in use: `ip` refuses, and what this made itself goes alone."""
    foreign = f"iopt-runtime-{os.getpid()}-1"
    existing = {foreign}

    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        match words:
            case ["ip", "netns", "add", name]:
                if name in existing:
                    raise subprocess.CalledProcessError(1, words)
                existing.add(name)
            case ["ip", "netns", "del", name]:
                existing.remove(name)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(subprocess.CalledProcessError), namespaces.switched_hosts(2, 10**8):
        pass
    assert existing == {foreign}


def test_the_ratio_is_of_the_same_rounds() -> None:
    names = runtime_cost.SHOWN
    row = runtime_cost.row(8, {name: [1.0, 2.0, 30.0] if name == "iopt" else [2.0, 4.0, 10.0] for name in names})
    assert row["ratio"] == 0.5
    assert len(runtime_cost.line(row)) == len(runtime_cost.HEADER)


def test_a_step_is_off_in_either_direction() -> None:
    found = [runtime_latency.is_off({"predicted_s": 1.0, "measured_s": value}) for value in (0.8, 0.95, 1.05, 1.2)]
    assert found == [True, False, False, True]


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")
def test_convolutions_that_are_compared_are_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also in several bands; and the executor takes its columns besides the output, and nothing else."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(runtime_convolutions, "REPEAT", 1)
    monkeypatch.setattr(runtime_convolutions, "INSTRUCTIONS", {"all": "DEFAULT"})
    monkeypatch.setattr(columns, "CELLS", 30)
    monkeypatch.setattr(columns, "SMALL_BYTES", 1)
    (strided,) = chain("strided", (3, 21, 21), [conv(16, 5, stride=2, padding=2)])
    try:
        with torch.inference_mode():
            found = runtime_convolutions.measurements(strided, cast(Conv2d, strided.body))
        runtime_convolutions.main(["--quick"])
    finally:
        torch.set_num_threads(threads)
    assert found["rows"] == 3
    assert found["difference"] < 1e-5
    assert found["besides_bytes"]["iopt"] == 3 * columns.column_bytes(strided)
    said = capsys.readouterr().out
    assert said.count("| lenet | conv") == 4
    assert said.count("| lenet | all |") == 1
    assert "| all | 512 | 512 | 9,437,184 |" in said
