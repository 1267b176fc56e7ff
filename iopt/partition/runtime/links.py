"""Between running ranks: what a connection costs, and how fast links are."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import permutations
from statistics import median
from typing import NamedTuple

import torch
from torch import distributed

from iopt.errors import RunError
from iopt.partition.runtime.group import meet
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.timing import spread

SMALL, LARGE = 1, 2**20
"""Elements of the messages; 4 bytes each."""
MESSAGES = ((SMALL, 15), (LARGE, 5))
"""With how often each is sent."""


class LinkTimes(NamedTuple):
    """From one rank to another and back, as the first sees it: the whole way of a small message, and with a large one
    there and a small one back: medians. Their spreads: by what fraction the upper quartile exceeds the lower."""

    sender: int
    receiver: int
    small_s: float
    large_s: float
    small_spread: float
    large_spread: float

    @property
    def bytes_per_s(self) -> float:
        """At most twice what the large message reached with all that belongs to it."""
        return 4 * (LARGE - SMALL) / max(self.large_s - self.small_s, self.large_s / 2)


def measure_links(rank: int, ranks: int, pulse: Pulse) -> list[LinkTimes]:
    """The links out of this rank, one at a time over all ranks; each of them calls it. Raises `RunError` where one is
    lost."""
    found = []
    for sender, receiver in permutations(range(ranks), 2):
        meet(pulse, "while links are measured")
        if rank == sender:
            small, large = (_times(partial(_ask, receiver, size), count, receiver, pulse) for size, count in MESSAGES)
            found.append(LinkTimes(sender, receiver, median(small), median(large), spread(small), spread(large)))
        elif rank == receiver:
            for size, count in MESSAGES:
                _times(partial(_answer, sender, size), count, sender, pulse)
    return found


def _times(action: Callable[[], None], repeat: int, peer: int, pulse: Pulse) -> list[float]:
    times = []
    for _ in range(repeat):
        with pulse.waiting(f"waits for rank {peer} while links are measured"):
            began = time.perf_counter()
            try:
                action()
            except RuntimeError as error:
                raise RunError(f"{pulse.name!r} lost rank {peer} while links were measured") from error
            times.append(time.perf_counter() - began)
    return times


def _ask(peer: int, size: int) -> None:
    distributed.send(torch.zeros(size), peer)
    distributed.recv(torch.empty(SMALL), peer)


def _answer(peer: int, size: int) -> None:
    distributed.recv(torch.empty(size), peer)
    distributed.send(torch.zeros(SMALL), peer)
