"""A swap file is on a disk, and gone in the end; where there can be none, one line says why."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from experiments import swapfile
from experiments.cgroups import LeftBehind, Unavailable
from experiments.interrupts import interruptible
from experiments.swapfile import filesystem, left, swap


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `disk` on ext4, one with a space in its name in memory, and programs that only write what is on."""
    for name in ("disk", "my memory"):
        (tmp_path / name).mkdir()
    mounts, swaps = tmp_path / "mounts", tmp_path / "swaps"
    memory = str(tmp_path / "my memory").replace(" ", r"\040")
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nnone {memory} ext4 rw 0 0\ntmpfs {memory} tmpfs rw 0 0\n")
    swaps.write_text("Filename Type Size Used Priority\n")
    monkeypatch.setattr(swapfile, "MOUNTS", mounts)
    monkeypatch.setattr(swapfile, "SWAPS", swaps)

    def run(words: list[str | Path], **_: object) -> subprocess.CompletedProcess[str]:
        program, path = words[0], str(Path(words[1]).resolve()).replace(" ", r"\040")
        line = f"{path} file 8 0 -2\n"
        if program == "swapon":
            swaps.write_text(swaps.read_text() + line)
        if program == "swapoff":
            swaps.write_text(swaps.read_text().replace(line, ""))
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return tmp_path


@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError, None])
def test_it_is_gone_however_it_ends(machine: Path, how: type[BaseException] | None) -> None:
    try:
        with swap(8192, machine / "disk") as path:
            assert path.stat().st_size == 8192
            assert path.stat().st_mode & 0o777 == 0o600
            assert str(path) in (machine / "swaps").read_text()
            if how is not None:
                raise how
    except (KeyboardInterrupt, RuntimeError):
        assert how is not None
    assert list((machine / "disk").iterdir()) == []
    assert len((machine / "swaps").read_text().splitlines()) == 1


@pytest.mark.parametrize("how", ["a link", "relative", "a space in its name"])
def test_the_kernel_names_it_in_its_own_way(machine: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "link").symlink_to(machine / "disk")
    (machine / "large disk").mkdir()
    monkeypatch.chdir(machine)
    folders = {"a link": machine / "link", "relative": Path("disk"), "a space in its name": machine / "large disk"}
    with swap(8192, folders[how]):
        assert len((machine / "swaps").read_text().splitlines()) == 2
        assert len(left(folders[how])) == 1
    assert len((machine / "swaps").read_text().splitlines()) == 1
    assert left(folders[how]) == [] and list(folders[how].iterdir()) == []


def test_one_of_somebody_else_stays_on(machine: Path) -> None:
    """Its name has ours in it."""
    with swap(8192, machine / "disk") as path:
        other = f"/mnt{path}.old file 8 0 -3\n"
        (machine / "swaps").write_text((machine / "swaps").read_text() + other)
    assert (machine / "swaps").read_text().splitlines(keepends=True)[1:] == [other]


def test_the_first_signal_does_not_break_off_the_cleaning(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = subprocess.run

    def interrupted(words: list[str | Path], **given: object) -> object:
        if words[0] == "swapoff":
            os.kill(os.getpid(), signal.SIGTERM)
        return run(words, **given)  # type: ignore[call-overload]  # as it was called

    monkeypatch.setattr(subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt), interruptible(), swap(8192, machine / "disk"):
        pass
    assert len((machine / "swaps").read_text().splitlines()) == 1
    assert list((machine / "disk").iterdir()) == []


def test_one_that_stays_on_is_one_line(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = subprocess.run

    def fails(words: list[str | Path], **given: object) -> object:
        if words[0] == "swapoff":
            return subprocess.CompletedProcess(words, 255, "", "swapoff failed: Cannot allocate memory\n")
        return run(words, **given)  # type: ignore[call-overload]  # as it was called

    monkeypatch.setattr(subprocess, "run", fails)
    with (
        pytest.raises(LeftBehind, match=r"/swap stays on: swapoff failed: Cannot allocate memory$"),
        swap(8192, machine / "disk"),
    ):
        pass


def test_the_kind_of_a_filesystem(machine: Path) -> None:
    assert filesystem(machine / "disk") == "ext4"
    assert filesystem(machine / "my memory" / "below") == "tmpfs"


def refused(folder: Path) -> str:
    with pytest.raises(Unavailable) as caught, swap(8192, folder):
        pass
    assert "\n" not in str(caught.value)
    assert not folder.is_dir() or list(folder.iterdir()) == []
    return str(caught.value)


def test_where_there_can_be_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = machine / "disk"
    assert refused(machine / "my memory").endswith("is a tmpfs, which is in memory itself; expected a folder on a disk")
    assert refused(machine / "gone").endswith("gone: there is no such folder")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        assert refused(disk) == f"{disk} (ext4) has no room for a swap file of 0 MiB: No space left on device"

    def unknown(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(words[0])

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", unknown)
        assert refused(disk) == "there is no mkswap; install util-linux"

    def fails(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        said = "a warning\nswapon failed: Invalid argument\n" if words[0] == "swapon" else ""
        return subprocess.CompletedProcess(words, 255 if said else 0, "", said)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", fails)
        assert refused(disk) == f"no swap file in {disk} (ext4): swapon failed: Invalid argument"
