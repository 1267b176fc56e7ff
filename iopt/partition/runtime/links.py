"""Between running ranks: what a connection costs and how fast links are. `torchrun ... -m iopt.partition.runtime.links`
prints a cluster file: one device per rank, each measured by itself while the others wait."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from statistics import median

import torch
from torch import distributed

from iopt.errors import IoptError, OptionError
from iopt.partition.runtime.group import gather_json, join_launched, meet
from iopt.partition.runtime.profiling import Fit, profile_device

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


def as_yaml(devices: Sequence[Fit], links: Sequence[LinkTimes]) -> str:
    """A cluster file: `up` and `down` of a device are the fastest of its links, `connection` half the median time of a
    small message there and back."""
    lines = ["devices:"]
    for rank, fit in enumerate(devices):
        up, down = (
            max(link.bytes_per_s for link in links if getattr(link, end) == rank) for end in ("sender", "receiver")
        )
        lines += [
            f"  - name: rank-{rank}",
            f"    compute: {fit.flops_per_s / 1e9:.4g} GFLOP/s",
            f"    overhead: {fit.overhead_s * 1e3:.4g} ms",
            f"    up: {up / 1e6:.4g} MB/s",
            f"    down: {down / 1e6:.4g} MB/s",
        ]
    connection = median(link.small_s for link in links) / 2
    return "\n".join([*lines, "network:", f"  connection: {connection * 1e3:.4g} ms"]) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Measure, and print the cluster file on rank 0. Exit code: 0, 2, or 5 where a rank is lost."""
    parser = argparse.ArgumentParser(prog="iopt.partition.runtime.links", description=__doc__)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for another rank")
    options = parser.parse_args(arguments)
    try:
        return _run(options.timeout)
    except IoptError as error:
        print(f"iopt: {error}", file=sys.stderr, flush=True)
        return error.exit_code


def _run(timeout_s: float) -> int:
    if not {"RANK", "WORLD_SIZE"} <= os.environ.keys():
        raise OptionError("RANK and WORLD_SIZE are not set: start this with torchrun")
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if ranks < 2:
        raise OptionError("there is one rank; expected two or more, to have links between them")
    join_launched(timeout_s)
    fit = _alone(rank, ranks)
    mine = [[link.sender, link.receiver, link.small_s, link.large_s] for link in measure_links(rank, ranks)]
    told = gather_json({"fit": [fit.flops_per_s, fit.overhead_s], "links": mine}, rank, ranks)
    if told:
        links = [LinkTimes(*link) for each in told for link in each["links"]]
        print(as_yaml([Fit(each["fit"][0], each["fit"][1], ()) for each in told], links), end="", flush=True)
    meet(f"rank {rank}", "at the end")
    distributed.destroy_process_group()
    return 0


def _alone(rank: int, ranks: int) -> Fit:
    """This rank's profile, measured while the others wait."""
    for turn in range(ranks):
        meet(f"rank {rank}", "while devices are measured")
        if turn == rank:
            fit = profile_device().overall
    return fit


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


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a process group that lost a rank may wait for it at exit
