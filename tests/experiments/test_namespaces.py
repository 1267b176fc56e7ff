"""Hosts on a switch: what makes them, what removes them, and what is said of what stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from experiments import namespaces, runtime_namespaces
from experiments.cgroups import Unavailable
from experiments.interrupts import SIGNALS


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
                    return subprocess.CompletedProcess(words, 1, "", "some\nFile exists\n")
                existing.add(name)
            case ["ip", "netns", "del", name]:
                existing.remove(name)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    with (
        pytest.raises(Unavailable, match=f"ip netns add {foreign}: File exists"),
        namespaces.switched_hosts(2, 10**8),
    ):
        pass
    assert existing == {foreign}


def test_a_signal_while_a_namespace_is_made_does_not_leave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    existing: set[str] = set()

    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        match words:
            case ["ip", "netns", "add", name]:
                existing.add(name)
                os.kill(os.getpid(), signal.SIGTERM)
            case ["ip", "netns", "del", name]:
                existing.remove(name)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(KeyboardInterrupt), namespaces.switched_hosts(2, 10**8):
        pytest.fail("it goes on")
    assert existing == set()


@pytest.mark.parametrize("stays", [False, True])
def test_what_is_left_of_an_interrupted_experiment_is_looked_up(monkeypatch: pytest.MonkeyPatch, stays: bool) -> None:
    existing: set[str] = set()

    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        match words:
            case ["ip", "netns", "add", name]:
                existing.add(name)
            case ["ip", "netns", "del", name] if not (stays and name.endswith("switch")):
                existing.remove(name)
        said = "\n".join(sorted(existing)) if words[-1] == "list" else ""
        return subprocess.CompletedProcess(words, 0, said, "")

    def interrupted(hosts: Sequence[str]) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(namespaces, "refusal", lambda: None)
    monkeypatch.setattr(runtime_namespaces, "links", interrupted)
    with pytest.raises(SystemExit) as caught:
        runtime_namespaces.main(["--quick"])
    said = f"iopt-runtime-{os.getpid()}-switch cannot be removed" if stays else "the namespaces are gone"
    assert caught.value.code == f"interrupted; {said}"


def test_without_namespaces_the_network_is_skipped_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container that may not make them."""

    def run(words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        refused = words[2] == "add"
        return subprocess.CompletedProcess(words, int(refused), "", "Operation not permitted\n" if refused else "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(namespaces, "refusal", lambda: None)
    runtime_namespaces.main(["--quick"])
    name = f"iopt-runtime-{os.getpid()}-switch"
    assert capsys.readouterr().out == f"skipped: ip netns add {name}: Operation not permitted\n"
