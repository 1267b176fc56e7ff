"""Where tensors of a rank live and travel: in memory over gloo, or on a GPU over NCCL where every rank has one of its
own. Nothing here was tried on GPUs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from iopt.partition.runtime.peak import peak_bytes
from iopt.partition.runtime.watch import PATIENCE
from iopt.partition.runtime.worker import MEMORY


@dataclass(frozen=True)
class Placement:
    """`group`: of the messages, None for the default one, which is gloo's."""

    device: torch.device = MEMORY
    group: Any = None

    @property
    def is_gpu(self) -> bool:
        return self.device.type == "cuda"

    def settle(self) -> None:
        """Wait for what the device still does."""
        if self.is_gpu:
            torch.cuda.synchronize(self.device)

    def peak_bytes(self, action: Callable[[], object]) -> int:
        """The most that the device's allocator has given out during an action, without what was there before."""
        if not self.is_gpu:
            return peak_bytes(action)
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        action()
        self.settle()
        return torch.cuda.max_memory_allocated(self.device) - before


def has_gpu(local_rank: int) -> bool:
    """Whether there is one with the number that the rank has on its host, to send from and receive at."""
    return torch.cuda.is_available() and distributed.is_nccl_available() and torch.cuda.device_count() > local_rank


def on_gpu(local_rank: int) -> Placement:
    """The one of that number; all ranks call this together."""
    os.environ["TORCH_NCCL_BLOCKING_WAIT"] = "1"  # so that who waits in vain says so; else its watchdog ends it
    torch.cuda.set_device(local_rank)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return Placement(torch.device("cuda", local_rank), distributed.new_group(backend="nccl", timeout=PATIENCE))
