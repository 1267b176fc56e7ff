"""The files that limit a group's memory, in a folder like the kernel's: what is written where, and undone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments import cgroups
from experiments.interrupts import interruptible

PER_GROUP = {
    1: {
        "memory.limit_in_bytes": "max",
        "memory.usage_in_bytes": "700",
        "memory.max_usage_in_bytes": "900",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    },
    2: {
        "memory.max": "max",
        "memory.current": "700",
        "memory.peak": "900",
        "memory.swap.max": "0",
        "memory.events": "low 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n",
    },
}
Make = Callable[[int], Path]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is written, by the name of the file, in order."""
    found: list[tuple[str, str]] = []
    write = Path.write_text

    def watched(path: Path, text: str, *given: object) -> int:
        found.append((path.name, text))
        return write(path, text)

    monkeypatch.setattr(Path, "write_text", watched)
    return found


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes the root of control groups of a version. As the kernel does, a new folder has its files from the start, and
    they do not keep it from being removed."""
    (tmp_path / "cgroup").mkdir()

    def make(version: int) -> Path:
        root = tmp_path / "cgroup"
        if version == 1:
            (root / "memory").mkdir()
            (root / "memory" / "memory.limit_in_bytes").write_text("max")
        else:
            (root / "cgroup.controllers").write_text("cpu memory pids\n")
            (root / "cgroup.subtree_control").write_text("cpu\n")
        mkdir, rmdir = Path.mkdir, Path.rmdir

        def populated(path: Path) -> None:
            mkdir(path)
            for name, text in {**PER_GROUP[version], "cgroup.procs": ""}.items():
                (path / name).write_bytes(text.encode())

        def emptied(path: Path) -> None:
            for file in path.iterdir():
                file.unlink()
            rmdir(path)

        monkeypatch.setattr(Path, "mkdir", populated)
        monkeypatch.setattr(Path, "rmdir", emptied)
        return root

    return make


def test_which_version(tree: Make, tmp_path: Path) -> None:
    assert cgroups.version(tmp_path / "gone") is None
    root = tree(2)
    assert cgroups.version(root) == 2
    (root / "cgroup.controllers").write_text("cpu pids\n")
    assert cgroups.version(root) is None


def test_a_group_of_version_2(tree: Make, written: list[tuple[str, str]]) -> None:
    root = tree(2)
    del written[:]
    with cgroups.group("mine", root) as group:
        assert group.path == root / "mine"
        group.add(123)
        group.limit(5000)
        assert (group.read("usage"), group.read("peak")) == (700, 900)
        assert (group.path / "cgroup.procs").read_text() == "123"
    assert written == [
        ("cgroup.subtree_control", "+memory"),
        ("memory.swap.max", "max"),
        ("cgroup.procs", "123"),
        ("memory.max", "5000"),
        ("cgroup.subtree_control", "-memory"),
    ]
    assert not (root / "mine").exists()


def test_a_controller_that_was_on_stays_on(tree: Make, written: list[tuple[str, str]]) -> None:
    root = tree(2)
    (root / "cgroup.subtree_control").write_text("cpu memory\n")
    del written[:]
    with cgroups.group("mine", root):
        pass
    assert written == [("memory.swap.max", "max")]


def test_the_peak_of_version_2_restarts_for_the_open_file(tree: Make) -> None:
    """The kernel restarts it for reads through the file that was written to, and for no other."""
    with cgroups.group("mine", tree(2)) as group:
        assert group.restart_peak()
        (group.path / "memory.peak").rename(group.path / "moved")
        (group.path / "memory.peak").write_text("8000")
        (group.path / "moved").write_text("650")
        assert group.read("peak") == 650
        opened = group._peak
        assert opened is not None
    with pytest.raises(OSError):
        os.fstat(opened)


def test_a_kernel_whose_peak_cannot_restart(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "write", refused)
    with cgroups.group("mine", tree(2)) as group:
        assert not group.restart_peak()
        assert group.read("peak") == 900


def test_a_kernel_without_peaks(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PER_GROUP[2], "memory.peak")
    root = tree(2)
    with pytest.raises(cgroups.Unavailable, match="does not count the peak"), cgroups.group("mine", root):
        pass
    assert not (root / "mine").exists()
    assert (root / "cgroup.subtree_control").read_text() == "-memory"


def test_a_group_of_version_1(tree: Make, written: list[tuple[str, str]]) -> None:
    root = tree(1)
    del written[:]
    with cgroups.group("mine", root) as group:
        assert group.path == root / "memory" / "mine"
        group.limit(5000)
        assert group.restart_peak()
        assert (group.read("usage"), group.read("peak")) == (700, 0)
    assert written == [("memory.limit_in_bytes", "5000"), ("memory.max_usage_in_bytes", "0")]
    assert not (root / "memory" / "mine").exists()


def test_a_limit_is_tried_until_memory_is_reclaimed(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "PAUSE_S", 0)
    with cgroups.group("mine", tree(1)) as group:
        write, tries = Path.write_text, []

        def busy(path: Path, text: str) -> int:
            tries.append(text)
            if len(tries) < 4:
                raise OSError(16, "Device or resource busy")
            return write(path, text)

        monkeypatch.setattr(Path, "write_text", busy)
        group.limit(10)
        assert tries == ["10"] * 4
        tries.clear()
        monkeypatch.setattr(cgroups, "TRIES", 2)
        with pytest.raises(OSError, match="the group does not shrink to 5 bytes"):
            group.limit(5)


@pytest.mark.parametrize(("version", "kills"), [(1, 2), (2, 3)])
def test_whom_the_kernel_killed(tree: Make, version: int, kills: int) -> None:
    with cgroups.group("mine", tree(version)) as group:
        assert group.kills() == kills
        file = group.path / cgroups.FILES[version]["kills"]
        file.write_text("under_oom 0\n")
        assert group.kills() is None


@pytest.mark.parametrize("version", [1, 2])
def test_a_group_that_cannot_be_made_is_one_line(tree: Make, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(version)

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with (
        pytest.raises(cgroups.Unavailable, match=r"^no control group .*mine: Permission denied$"),
        cgroups.group("mine", root),
    ):
        pass
    if version == 2:
        assert (root / "cgroup.subtree_control").read_text() == "-memory"


def test_a_controller_that_cannot_be_enabled_is_one_line(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(2)

    def busy(path: Path, text: str) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "write_text", busy)
    message = r"^no memory controller below .*: Device or resource busy$"
    with pytest.raises(cgroups.Unavailable, match=message), cgroups.group("mine", root):
        pass


def test_no_controller_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(cgroups.Unavailable, match="there is no memory controller"), cgroups.group("mine", tmp_path):
        pass


def test_an_interrupt_leaves_no_group(tree: Make) -> None:
    root = tree(2)
    with pytest.raises(KeyboardInterrupt), cgroups.group("mine", root):
        raise KeyboardInterrupt
    assert not (root / "mine").exists()


def test_a_group_that_stays_is_one_line(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root, removed = tree(2), []

    def busy(path: Path) -> None:
        removed.append(path)
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(cgroups, "PAUSE_S", 0)
    monkeypatch.setattr(Path, "rmdir", busy)
    message = r"^the control group .*mine cannot be removed; processes in it: 123$"
    with pytest.raises(cgroups.LeftBehind, match=message), cgroups.group("mine", root) as group:
        group.add(123)
    assert removed == [root / "mine"] * cgroups.TRIES
    assert cgroups.left("mi", root) == [root / "mine"]
    assert cgroups.left("other", root) == []


def test_a_group_of_that_name_that_was_there_stays(tree: Make) -> None:
    root = tree(2)
    (root / "mine").mkdir()
    with pytest.raises(cgroups.Unavailable, match=r"mine: File exists$"), cgroups.group("mine", root):
        pass
    assert (root / "mine").is_dir()


def test_the_first_signal_does_not_break_off_the_removal(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree(2)
    rmdir = Path.rmdir

    def interrupted(path: Path) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", interrupted)
    with pytest.raises(KeyboardInterrupt), interruptible(), cgroups.group("mine", root):
        pass
    assert not (root / "mine").exists()
    assert (root / "cgroup.subtree_control").read_text() == "-memory"


def test_the_first_signal_does_not_leave_the_controller_on(tree: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root, write = tree(2), Path.write_text

    def interrupted(path: Path, text: str) -> int:
        if text == "-memory":
            os.kill(os.getpid(), signal.SIGTERM)
        return write(path, text)

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt), interruptible(), cgroups.group("mine", root):
        pass
    assert (root / "cgroup.subtree_control").read_text() == "-memory"
