"""`iopt profile`: of this device, and of ranks with the links between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

import iopt as package
from iopt.cluster import Cluster
from iopt.partition.runtime import cluster_profile, group, profiling
from iopt.partition.runtime.fitting import KINDS, Sample
from iopt.partition.runtime.profiling import DeviceProfile
from iopt.partition.runtime.pulse import Pulse
from tests.cli.conftest import Iopt
from tests.partition.runtime.faults import limited


def check(path: Path, ranks: int) -> None:
    """A cluster of ranks of this machine."""
    found = Cluster.load(path)
    assert [device.name for device in found.devices] == [f"rank-{rank}" for rank in range(ranks)]
    assert min(device.flops_per_s for device in found.devices) > 1e7
    assert sum(device.memory_bytes or 0 for device in found.devices) <= this_machines_memory()
    assert min(found.network.up_bytes_per_s) > 1e6
    assert 0 < found.network.connection_s < 0.1


def this_machines_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_ranks_of_this_machine_are_a_cluster(iopt: Iopt) -> None:
    with limited(60):
        said = iopt("profile", "--links", "--ranks", "2", "-o", "cluster.yaml")
    assert (said.code, said.out) == (0, "")
    *warning, linear, written = said.err.splitlines()
    assert not warning or warning[0].startswith("warning: rank-")
    assert "linear layers take" in linear
    assert written == "written to cluster.yaml"
    check(Path("cluster.yaml"), 2)
    assert iopt("plan", "net.json", "--cluster", "cluster.yaml", "--method", "dp", "-o", "plan.json").code == 0


def made_up(threads: int | None, *, scatters: bool) -> DeviceProfile:
    """In place of a measurement."""
    made = (Sample(kind, 10**each, 10.0 ** (each - 10), not scatters) for kind in KINDS for each in (6, 7, 8))
    return profiling.profile_of(tuple(made), threads or 2, 2**30)


@pytest.mark.parametrize(("threads", "advice"), [("1", "measure again"), ("2", "measure again, or with --threads 1")])
def test_doubts_are_said_once_beside_the_file_and_in_it(
    iopt: Iopt, monkeypatch: pytest.MonkeyPatch, threads: str, advice: str
) -> None:
    monkeypatch.setattr(profiling, "profile_device", partial(made_up, scatters=True))
    said = iopt("profile", "--threads", threads, "--quiet")
    assert said.code == 0
    assert said.err.startswith("warning: rate and overhead are off by 0 % at the median, times of 9 of 9 sizes scatter")
    assert said.err.endswith(f": other programs were running? {advice}\n")
    assert said.err.count("\n") == 1
    assert f"# {said.err.removeprefix('warning: ')}" in said.out


def test_a_profile_without_doubts_says_how_slow_linear_layers_are(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "profile_device", partial(made_up, scatters=False))
    said = iopt("profile", "-o", "device.yaml")
    assert (said.code, said.out) == (0, "")
    linear, written = said.err.splitlines()
    assert linear.startswith("linear layers take 1.0 times as long as compute and overhead say")
    assert written == "written to device.yaml"
    assert f"# {linear}\n" in Path("device.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--links", "--ranks", "1"), "iopt: --ranks: 1; expected two or more, to have links between them"),
        (("--links", "--threads", "2"), "iopt: --threads is of one device, not of --links"),
        (("--links", "--name", "a"), "iopt: --name is of one device, not of --links"),
        (("--ranks", "3"), "iopt: --ranks is of --links"),
        (("--links", "-o", "none/c.yaml"), "iopt: none/c.yaml: cannot be written"),
        (("--links", "--timeout", "nan"), "iopt: --timeout is nan; expected a positive number"),
        (("--timeout", "5"), "iopt: --timeout is of --links"),
        (("--threads", "0"), "iopt: --threads: 0; expected a positive number"),
    ],
)
def test_profiles_are_refused_in_one_line(iopt: Iopt, arguments: tuple[str, ...], message: str) -> None:
    said = iopt("profile", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(message)
    assert said.err.count("\n") == 1


def test_a_rank_that_dies_ends_the_measurement(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_profile, "_measure_and_keep", partial(end, signal.SIGKILL))
    with limited(60):
        said = iopt("profile", "--links")
    assert said.code == 5
    assert "the process of device 'rank-1' was ended by SIGKILL in the measurement of its device" in said.err
    assert not active_children()


def test_a_rank_that_hangs_ends_the_measurement_in_time(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_profile, "_measure_and_keep", partial(end, signal.SIGSTOP))
    with limited(20):
        said = iopt("profile", "--links", "--timeout", "1.5")
    assert said.code == 5
    assert said.err.startswith("iopt: the process of device 'rank-1' does not answer since it began the measurement")
    assert not active_children()


def end(by: signal.Signals, ranks: int, rank: int, folder: Path, pulse: Pulse) -> None:
    """In place of what a rank does."""
    pulse.begin("measurement of its device")
    if rank == 1:
        os.kill(os.getpid(), by)
    group.meet(pulse, "while links are measured")


@pytest.mark.full
def test_torchrun_measures_ranks_of_this_machine(tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "3"]
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    command = [*launcher, "-m", "iopt", "profile", "--links", "-o", str(tmp_path / "cluster.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    check(tmp_path / "cluster.yaml", 3)
