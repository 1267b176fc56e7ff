"""Rates and overheads are those that times were made of, and the file is a cluster's once it has a network."""

from __future__ import annotations

import pytest

from iopt.cli.profile import as_yaml
from iopt.cluster.file import from_yaml
from iopt.partition.runtime.cluster_profile import Measured
from iopt.partition.runtime.cluster_profile import as_yaml as links_yaml
from iopt.partition.runtime.links import LARGE, SMALL, LinkTimes
from iopt.partition.runtime.profiling import KINDS, DeviceProfile, Sample, fit, profile_device

FLOPS = (10**5, 10**6, 3 * 10**7, 10**9)


def samples(flops_per_s: float, overhead_s: float) -> list[Sample]:
    return [Sample("convolution", flops, overhead_s + flops / flops_per_s) for flops in FLOPS]


@pytest.mark.parametrize(("rate", "overhead"), [(1e9, 1e-4), (5e10, 2e-5), (2e9, 0.0)])
def test_a_fit_finds_what_times_were_made_of(rate: float, overhead: float) -> None:
    found = fit(samples(rate, overhead))
    assert found.flops_per_s == pytest.approx(rate, rel=1e-6)
    assert found.overhead_s == pytest.approx(overhead, rel=1e-6, abs=1e-12)
    assert max(map(abs, found.errors)) < 1e-6


def test_a_fit_says_how_far_it_is_off() -> None:
    first, *others = samples(1e9, 0.0)
    found = fit([first, *others, Sample("convolution", others[-1].flops, 2 * others[-1].time_s)])
    assert 0.2 < max(map(abs, found.errors)) < 0.8
    assert found.overhead_s >= 0


def test_the_file_is_a_cluster_once_it_has_a_network() -> None:
    fits = {kind: fit(samples(4e9, 3e-5)) for kind in KINDS}
    text = as_yaml(DeviceProfile(2, 2**31, (), fits["convolution"], fits), "b: 1")
    device = from_yaml(f"{text}network: {{bandwidth: 1 MB/s, connection: 1 ms}}\n", "device.yaml", "x").devices[0]
    assert (device.name, device.flops_per_s, device.overhead_s) == ("b: 1", 4e9, pytest.approx(3e-5))
    assert device.memory_bytes == 2**31


def test_this_machine_has_a_profile() -> None:
    found = profile_device(repeat=1)
    assert {sample.kind for sample in found.samples} == set(KINDS)
    assert min(sample.time_s for sample in found.samples) > 0
    assert 1e7 < found.overall.flops_per_s < 1e14


def test_links_become_a_cluster() -> None:
    devices = [Measured(1e9, 1e-5, 2**20, 1), Measured(2e9, 2e-5, 2**21, 3)]
    times = [LinkTimes(0, 1, 2e-3, 2e-3 + 4 * (LARGE - SMALL) / 5e6), LinkTimes(1, 0, 2e-3, 2e-3 + 0.5)]
    found = from_yaml(links_yaml(devices, times), "cluster.yaml", "x")
    assert [device.flops_per_s for device in found.devices] == [1e9, 2e9]
    assert [device.overhead_s for device in found.devices] == [1e-5, 2e-5]
    assert [device.memory_bytes for device in found.devices] == [2**20, 2**21]
    assert found.network.up_bytes_per_s[0] == found.network.down_bytes_per_s[1] == pytest.approx(5e6, rel=1e-3)
    assert found.network.connection_s == pytest.approx(1e-3)
