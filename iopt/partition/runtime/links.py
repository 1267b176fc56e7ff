"""Between running ranks: what a connection costs and how fast links are; and a cluster file of all, with one device per
rank, each measured by itself while the others wait."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from torch import distributed

from iopt.errors import OptionError
from iopt.partition.runtime.group import gather_json, join_launched, meet
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.profiling import DeviceProfile, profile_device

CLUSTER = "cluster.yaml"
"""Name of a file."""

SMALL, LARGE = 1, 2**20
"""Elements of the messages; 4 bytes each."""
MESSAGES = ((SMALL, 15), (LARGE, 5))
"""With how often each is sent."""


@dataclass(frozen=True)
class LinkTimes:
    """From one rank to another and back, as the first sees it: the whole way of a small message, and with a large one
    there and a small one back."""

    sender: int
    receiver: int
    small_s: float
    large_s: float

    @property
    def bytes_per_s(self) -> float:
        """At most twice what the large message reached with all that belongs to it."""
        return 4 * (LARGE - SMALL) / max(self.large_s - self.small_s, self.large_s / 2)


def measure_links(rank: int, ranks: int) -> list[LinkTimes]:
    """The links out of this rank, one at a time over all ranks; each of them calls it."""
    found = []
    for sender, receiver in permutations(range(ranks), 2):
        meet(f"rank {rank}", "while links are measured")
        if rank == sender:
            small, large = (median(_times(partial(_ask, receiver, size), count)) for size, count in MESSAGES)
            found.append(LinkTimes(sender, receiver, small, large))
        elif rank == receiver:
            for size, count in MESSAGES:
                _times(partial(_answer, sender, size), count)
    return found


def as_yaml(devices: Sequence[tuple[float, float, int]], links: Sequence[LinkTimes]) -> str:
    """A cluster file of devices, given by FLOP/s, overhead in s and bytes of memory.

    `up` and `down` of a device are the fastest of its links, `connection` half the median time of a small message there
    and back.
    """
    lines = ["devices:"]
    for rank, (flops_per_s, overhead_s, memory_bytes) in enumerate(devices):
        up, down = (
            max(link.bytes_per_s for link in links if getattr(link, end) == rank) for end in ("sender", "receiver")
        )
        lines += [
            f"  - name: rank-{rank}",
            f"    compute: {flops_per_s / 1e9:.4g} GFLOP/s",
            f"    overhead: {overhead_s * 1e3:.4g} ms",
            f"    memory: {memory_bytes} B",
            f"    up: {up / 1e6:.4g} MB/s",
            f"    down: {down / 1e6:.4g} MB/s",
        ]
    connection = median(link.small_s for link in links) / 2
    return "\n".join([*lines, "network:", f"  connection: {connection * 1e3:.4g} ms"]) + "\n"


def profile_here(ranks: int, timeout_s: float = 30.0) -> str:
    """The cluster file of so many processes of this machine, each with its part of the cores and of the memory."""
    if ranks < 2:
        raise OptionError(f"--ranks: {ranks}; expected two or more, to have links between them")
    with TemporaryDirectory(prefix="iopt-links-") as name:
        names = [f"rank-{rank}" for rank in range(ranks)]
        run_together(partial(_measure_and_keep, ranks), names, Path(name), timeout_s, lambda rank: "measurements")
        return (Path(name) / CLUSTER).read_text()


def profile_launched(timeout_s: float = 30.0) -> str | None:
    """The cluster file of the ranks that torchrun started, on rank 0; None elsewhere."""
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if ranks < 2:
        raise OptionError("there is one rank; expected two or more, to have links between them")
    join_launched(timeout_s)
    text = _measure(rank, ranks, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    meet(f"rank {rank}", "at the end")
    distributed.destroy_process_group()
    return text


def _measure_and_keep(ranks: int, rank: int, folder: Path) -> None:
    if text := _measure(rank, ranks, ranks):
        (folder / CLUSTER).write_text(text)


def _measure(rank: int, ranks: int, here: int) -> str | None:
    """`here`: how many of the ranks share this host's memory."""
    profile = _alone(rank, ranks)
    mine = [[link.sender, link.receiver, link.small_s, link.large_s] for link in measure_links(rank, ranks)]
    fit, memory = profile.overall, profile.memory_bytes // here
    told = gather_json({"fit": [fit.flops_per_s, fit.overhead_s, memory], "links": mine}, rank, ranks)
    links = [LinkTimes(*link) for each in told for link in each["links"]]
    return as_yaml([each["fit"] for each in told], links) if told else None


def _alone(rank: int, ranks: int) -> DeviceProfile:
    """This rank's profile, measured while the others wait."""
    for turn in range(ranks):
        meet(f"rank {rank}", "while devices are measured")
        if turn == rank:
            profile = profile_device()
    return profile


def _times(action: Callable[[], None], repeat: int) -> list[float]:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return times


def _ask(peer: int, size: int) -> None:
    distributed.send(torch.zeros(size), peer)
    distributed.recv(torch.empty(SMALL), peer)


def _answer(peer: int, size: int) -> None:
    distributed.recv(torch.empty(size), peer)
    distributed.send(torch.zeros(SMALL), peer)
