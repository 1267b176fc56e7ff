"""Running ranks as a cluster: a device for each, measured by itself while the others wait, and their links."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

from iopt.errors import OptionError
from iopt.partition.runtime.agreement import Started, check_alike
from iopt.partition.runtime.folders import work_folder
from iopt.partition.runtime.group import gather_json, meet
from iopt.partition.runtime.launched import joined
from iopt.partition.runtime.links import measure_links
from iopt.partition.runtime.measured_cluster import Measured, MeasuredCluster, name_of
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.profiling import DeviceProfile, profile_device
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.threads import threads_of_rank

FOUND = "cluster.json"
"""Name of a file."""


def profile_here(ranks: int, timeout_s: float = 30.0) -> MeasuredCluster:
    """The cluster of so many processes of this machine, each with its part of the cores and of the memory."""
    if ranks < 2:
        raise OptionError(f"--ranks: {ranks}; expected two or more, to have links between them")
    with work_folder() as folder:
        run_together(partial(_measure_and_keep, ranks), _names(ranks), folder, timeout_s)
        return MeasuredCluster.of([json.loads((folder / FOUND).read_text())])


def profile_launched(timeout_s: float = 30.0) -> MeasuredCluster | None:
    """The cluster of the ranks that torchrun started, on rank 0; None elsewhere."""
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if ranks < 2:
        raise OptionError("there is one rank; expected two or more, to have links between them")
    with joined(_names(ranks), timeout_s) as pulse:
        check_alike(pulse, Started("profile"), ranks)
        return _measure(rank, ranks, int(os.environ.get("LOCAL_WORLD_SIZE", "1")), pulse)


def _names(ranks: int) -> list[str]:
    return [name_of(rank) for rank in range(ranks)]


def _measure_and_keep(ranks: int, rank: int, folder: Path, pulse: Pulse) -> None:
    if found := _measure(rank, ranks, ranks, pulse):
        (folder / FOUND).write_text(json.dumps(found))


def _measure(rank: int, ranks: int, here: int, pulse: Pulse) -> MeasuredCluster | None:
    """`here`: how many of the ranks share this host's memory and cores."""
    profile = _alone(rank, ranks, here, pulse)
    mine = measure_links(rank, ranks, pulse)
    fit = profile.overall
    memory = profile.memory_bytes // here
    device = Measured(fit.flops_per_s, fit.overhead_s, memory, profile.threads, profile.quality)
    told = gather_json(pulse, MeasuredCluster((device,), tuple(mine)), rank, ranks)
    return MeasuredCluster.of(told) if told else None


def _alone(rank: int, ranks: int, here: int, pulse: Pulse) -> DeviceProfile:
    """This rank's profile, measured while the others wait."""
    for turn in range(ranks):
        meet(pulse, "while devices are measured")
        if turn == rank:
            pulse.begin("measurement of its device")
            profile = profile_device(threads_of_rank(here), on_sample=pulse.beat)
    return profile
