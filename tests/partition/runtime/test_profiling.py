"""Fits find what times were made of within what was measured, and files are clusters, once they have a network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iopt.cli.profile import as_yaml
from iopt.cluster.devices import Device
from iopt.cluster.file import from_yaml
from iopt.partition.runtime.fitting import KINDS, Sample, fit
from iopt.partition.runtime.links import LARGE, SMALL, LinkTimes
from iopt.partition.runtime.measured_cluster import Measured, MeasuredCluster
from iopt.partition.runtime.profiling import DeviceProfile, profile_device, profile_of
from iopt.partition.runtime.quality import Quality

FLOPS = (10**5, 10**6, 3 * 10**7, 10**9)
NETWORK = "network: {bandwidth: 1 MB/s, connection: 1 ms}\n"


def samples(flops_per_s: float, overhead_s: float) -> list[Sample]:
    return made_of(lambda flops: overhead_s + flops / flops_per_s)


def made_of(seconds: Callable[[int], float]) -> list[Sample]:
    return [Sample("convolution", flops, seconds(flops)) for flops in FLOPS]


def profile(rate: float, overhead: float, slower: float = 1.0, unsettled: int = 0) -> DeviceProfile:
    """Of a device on which linear layers take so many times as long, and so many sizes scatter."""
    made = [
        Sample(kind, each.flops, each.time_s * (slower if kind == "linear" else 1.0), number >= unsettled)
        for kind in KINDS
        for number, each in enumerate(samples(rate, overhead))
    ]
    return profile_of(tuple(made), 2, 2**31)


def read(text: str) -> Device:
    return from_yaml(f"{text}{NETWORK}", "device.yaml", "x").devices[0]


@pytest.mark.parametrize(("rate", "overhead"), [(1e9, 1e-4), (5e10, 2e-5), (2e9, 0.0)])
def test_a_fit_finds_what_times_were_made_of(rate: float, overhead: float) -> None:
    """But for the rate that the largest sample reached with its overhead, beyond which it does not go."""
    found = fit(samples(rate, overhead))
    assert found.flops_per_s == pytest.approx(FLOPS[-1] / (overhead + FLOPS[-1] / rate), rel=1e-6)
    assert found.flops_per_s == pytest.approx(rate, rel=2e-3)
    assert found.overhead_s == pytest.approx(overhead, rel=2e-3, abs=1e-12)
    assert max(map(abs, found.errors)) < 1e-3


def test_a_fit_says_how_far_it_is_off() -> None:
    first, *others = samples(1e9, 0.0)
    found = fit([first, *others, Sample("convolution", others[-1].flops, 2 * others[-1].time_s)])
    assert 0.2 < max(map(abs, found.errors)) < 0.8
    assert found.overhead_s >= 0


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(lambda flops: 0.0224, id="constant"),
        pytest.param(lambda flops: 0.0224 + flops / 1e15, id="all overhead"),
        pytest.param(lambda flops: 0.7 if flops == FLOPS[0] else flops / 1e10, id="the smallest takes longest"),
        pytest.param(lambda flops: 1 / flops, id="falling"),
        pytest.param(lambda flops: flops / 1e10 * (500 if flops == FLOPS[2] else 1), id="one disturbed"),
        pytest.param(lambda flops: flops / 1e20, id="faster than any device"),
        pytest.param(lambda flops: flops / 1e2, id="slower than any device"),
    ],
)
def test_fits_stay_within_what_was_measured_and_what_is_read(seconds: Callable[[int], float]) -> None:
    made = made_of(seconds)
    found = fit(made)
    assert 1e3 <= found.flops_per_s <= 1e18
    assert found.flops_per_s <= max(2e3, 1.000001 * max(each.flops / each.time_s for each in made))
    assert 0 <= found.overhead_s <= 1.000001 * min(each.time_s for each in made)
    each = Quality.of(found, [Sample("linear", one.flops, one.time_s) for one in made])
    fits = dict.fromkeys(KINDS, found)
    assert read(as_yaml(DeviceProfile(1, 2**30, (), found, fits, each), "x")).flops_per_s > 0


def test_one_disturbed_size_hardly_moves_the_rate() -> None:
    first, *others, last = samples(1e10, 1e-5)
    disturbed = Sample("convolution", 3 * 10**7, 0.7)
    assert fit([first, *others, disturbed, last]).flops_per_s == pytest.approx(1e10, rel=0.1)


def test_doubts_are_of_poor_fits_and_of_times_that_scatter() -> None:
    assert not profile(1e10, 1e-5).quality.is_doubtful
    assert not profile(1e10, 1e-5, slower=9.0).quality.is_doubtful
    assert profile(1e10, 1e-5, unsettled=1).quality.is_doubtful
    uneven = tuple(
        Sample(kind, each.flops, each.time_s * (4.0 if number % 2 else 0.5))
        for kind in KINDS
        for number, each in enumerate(samples(1e10, 1e-5))
    )
    assert profile_of(uneven, 1, 2**30).quality.is_doubtful


def test_linear_layers_are_compared_with_what_is_predicted() -> None:
    quality = profile(1e10, 0.0, slower=6.0).quality
    assert (quality.linear, quality.worst_linear) == (pytest.approx(6), pytest.approx(6))
    assert quality.about_linear.startswith("linear layers take 6.0 times as long as compute and overhead say")
    assert quality.about_linear.endswith("predictions of them are too low")
    assert "too low" not in profile(1e10, 0.0).quality.about_linear


def test_the_file_is_a_cluster_once_it_has_a_network() -> None:
    text = as_yaml(profile(4e9, 0.0, slower=3.0), "b: 1")
    device = read(text)
    assert (device.name, device.flops_per_s, device.memory_bytes) == ("b: 1", 4e9, 2**31)
    assert device.overhead_s < 1e-9
    assert "# linear: 1.333 GFLOP/s after 0 ms, off by" in text
    assert "# linear layers take 3.0 times as long" in text
    assert "times of 0 of 12 sizes scatter" in text
    assert "measure again" not in text
    assert "measure again, or with --threads 1" in as_yaml(profile(4e9, 0.0, unsettled=2), "x")


def test_this_machine_has_a_profile() -> None:
    found = profile_device(repeat=1)
    assert {sample.kind for sample in found.samples} == set(KINDS)
    assert min(sample.time_s for sample in found.samples) > 0
    assert 1e7 < found.overall.flops_per_s < 1e14


def test_links_become_a_cluster() -> None:
    good, bad = Quality(0.1, 0, 20, 3.0, 4.0), Quality(0.47, 14, 20, 6.0, 9.0)
    devices = (Measured(1e9, 1e-5, 2**20, 1, good), Measured(2e9, 2e-5, 2**21, 3, bad))
    there = LinkTimes(0, 1, 2e-3, 2e-3 + 4 * (LARGE - SMALL) / 5e6, 0.25, 0.5)
    made = MeasuredCluster(devices, (there, LinkTimes(1, 0, 2e-3, 2e-3 + 0.5, 0.31, 0.07)))
    text = made.as_yaml()
    found = from_yaml(text, "cluster.yaml", "x")
    assert [device.flops_per_s for device in found.devices] == [1e9, 2e9]
    assert [device.overhead_s for device in found.devices] == [1e-5, 2e-5]
    assert [device.memory_bytes for device in found.devices] == [2**20, 2**21]
    assert found.network.up_bytes_per_s[0] == found.network.down_bytes_per_s[1] == pytest.approx(5e6, rel=1e-3)
    assert found.network.connection_s == pytest.approx(1e-3)
    assert "connection: 1 ms  # times of 4 B scatter by 31 %" in text
    assert text.count("times of 4194304 B scatter by 50 %") == 2
    assert text.count("times of 4194304 B scatter by 7 %") == 2
    assert made.about_linear.startswith("rank-1: linear layers take 6.0 times")
    assert made.doubt == (
        "rank-1: rate and overhead are off by 47 % at the median, times of 14 of 20 sizes scatter: "
        "other programs were running? measure again, or with OMP_NUM_THREADS=1"
    )
    assert MeasuredCluster(devices[:1], made.links).doubt is None
    alone = devices[1]._replace(threads=1)
    assert str(MeasuredCluster((alone, alone), made.links).doubt).endswith(
        "; rank-1: rate and overhead are off by 47 % at the median, times of 14 of 20 sizes scatter: "
        "other programs were running? measure again"
    )
