"""Ranks that are started apart must be started alike: else they wait for what nobody sends, or, where messages happen
to fit, compute what nobody asked for."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import torch
from torch import distributed

from iopt.errors import OptionError
from iopt.partition.runtime.group import together
from iopt.partition.runtime.pulse import Pulse


class Started(NamedTuple):
    """What a rank was started with."""

    command: str
    plan: str = ""
    options: str = ""


_OTHER = Started("another command", "another plan", "other options")


def check_alike(pulse: Pulse, mine: Started, ranks: int) -> None:
    """Raise `OptionError` on every rank, where one was started with anything else than the first; `RunError` where one
    is lost."""
    digests = torch.stack([_digest(each) for each in mine])
    found = [torch.empty_like(digests) for _ in range(ranks)]
    with together(pulse, "the others to say what they were started with"):
        distributed.all_gather(found, digests)
    first, *others = found
    words = [
        f"rank {rank} has {' and '.join(words)} than rank 0"
        for rank, other in enumerate(others, 1)
        if (words := [what for what, a, b in zip(_OTHER, first, other, strict=True) if not a.equal(b)])
    ]
    if words:
        raise OptionError(f"the ranks were not started alike: {'; '.join(words)}")


def _digest(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(hashlib.sha256(text.encode()).digest()), dtype=torch.uint8)
