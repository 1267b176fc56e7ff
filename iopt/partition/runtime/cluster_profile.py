"""A cluster file of running ranks: a device for each, measured by itself while the others wait, and their links."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from iopt.errors import OptionError
from iopt.partition.runtime.agreement import Started, check_alike
from iopt.partition.runtime.folders import work_folder
from iopt.partition.runtime.group import gather_json, meet
from iopt.partition.runtime.launched import joined
from iopt.partition.runtime.links import LinkTimes, measure_links
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.profiling import DeviceProfile, profile_device
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.threads import threads_of_rank

CLUSTER = "cluster.yaml"
"""Name of a file."""


class Measured(NamedTuple):
    """A device; `memory_bytes`: its part of its host's."""

    flops_per_s: float
    overhead_s: float
    memory_bytes: int
    threads: int


def as_yaml(devices: Sequence[Measured], links: Sequence[LinkTimes]) -> str:
    """A cluster file of devices and links between them.

    `up` and `down` of a device are the fastest of its links, `connection` half the median time of a small message there
    and back.
    """
    lines = ["devices:"]
    for rank, device in enumerate(devices):
        up, down = (
            max(link.bytes_per_s for link in links if getattr(link, end) == rank) for end in ("sender", "receiver")
        )
        lines += [
            f"  - name: {_name(rank)}",
            f"    compute: {device.flops_per_s / 1e9:.4g} GFLOP/s  # with {device.threads} of torch's threads",
            f"    overhead: {device.overhead_s * 1e3:.4g} ms",
            f"    memory: {device.memory_bytes} B",
            f"    up: {up / 1e6:.4g} MB/s",
            f"    down: {down / 1e6:.4g} MB/s",
        ]
    connection = median(link.small_s for link in links) / 2
    return "\n".join([*lines, "network:", f"  connection: {connection * 1e3:.4g} ms"]) + "\n"


def profile_here(ranks: int, timeout_s: float = 30.0) -> str:
    """The cluster file of so many processes of this machine, each with its part of the cores and of the memory."""
    if ranks < 2:
        raise OptionError(f"--ranks: {ranks}; expected two or more, to have links between them")
    with work_folder() as folder:
        run_together(partial(_measure_and_keep, ranks), _names(ranks), folder, timeout_s)
        return (folder / CLUSTER).read_text()


def profile_launched(timeout_s: float = 30.0) -> str | None:
    """The cluster file of the ranks that torchrun started, on rank 0; None elsewhere."""
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if ranks < 2:
        raise OptionError("there is one rank; expected two or more, to have links between them")
    with joined(_names(ranks), timeout_s) as pulse:
        check_alike(pulse, Started("profile"), ranks)
        return _measure(rank, ranks, int(os.environ.get("LOCAL_WORLD_SIZE", "1")), pulse)


def _names(ranks: int) -> list[str]:
    return [_name(rank) for rank in range(ranks)]


def _name(rank: int) -> str:
    return f"rank-{rank}"


def _measure_and_keep(ranks: int, rank: int, folder: Path, pulse: Pulse) -> None:
    if text := _measure(rank, ranks, ranks, pulse):
        (folder / CLUSTER).write_text(text)


def _measure(rank: int, ranks: int, here: int, pulse: Pulse) -> str | None:
    """`here`: how many of the ranks share this host's memory and cores."""
    profile = _alone(rank, ranks, here, pulse)
    mine = measure_links(rank, ranks, pulse)
    fit = profile.overall
    device = Measured(fit.flops_per_s, fit.overhead_s, profile.memory_bytes // here, profile.threads)
    told = gather_json(pulse, {"device": device, "links": mine}, rank, ranks)
    links = [LinkTimes(*link) for each in told for link in each["links"]]
    return as_yaml([Measured(*each["device"]) for each in told], links) if told else None


def _alone(rank: int, ranks: int, here: int, pulse: Pulse) -> DeviceProfile:
    """This rank's profile, measured while the others wait."""
    for turn in range(ranks):
        meet(pulse, "while devices are measured")
        if turn == rank:
            pulse.begin("measurement of its device")
            profile = profile_device(threads_of_rank(here), on_sample=pulse.beat)
    return profile
