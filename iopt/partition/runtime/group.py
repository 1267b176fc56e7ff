"""What ranks of a process group tell each other outside the steps that are measured, and the group of one host."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.distributed import FileStore  # type: ignore[attr-defined]  # documented, but not in __all__

from iopt.errors import RunError
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.watch import PATIENCE


@contextmanager
def together(pulse: Pulse, what: str) -> Iterator[None]:
    """While all ranks do something together. Raises `RunError` where one is lost; `what`: this one waits for."""
    try:
        with pulse.waiting(f"waits for {what}"):
            yield
    except RuntimeError as error:
        raise RunError(f"device {pulse.name!r} waited for {what} in vain") from error


def join_local(rendezvous: Path, rank: int, ranks: int, pulse: Pulse) -> None:
    """Join the ranks that meet in a file of this host. Nothing listens on any address but the loopback's."""
    os.environ["GLOO_SOCKET_IFNAME"] = _loopback()
    store = FileStore(str(rendezvous), ranks)
    store.set_timeout(PATIENCE)
    join(store, rank, ranks, pulse)


def join(store: Any, rank: int, ranks: int, pulse: Pulse) -> None:
    """Join the ranks that meet in a store. Raises `RunError` where one is lost."""
    with together(pulse, "the others at the start"):
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=ranks, timeout=PATIENCE)


def meet(pulse: Pulse, when: str) -> None:
    """Wait for all ranks. Raises `RunError` where one does not come."""
    with together(pulse, f"the others {when}"):
        distributed.barrier()


def agree(pulse: Pulse, what: str, mine: bool) -> bool:
    """Whether all ranks say so. Raises `RunError` where one is lost."""
    votes = torch.tensor([int(mine)])
    with together(pulse, what):
        distributed.all_reduce(votes, distributed.ReduceOp.MIN)
    return bool(votes.item())


def common_moment(pulse: Pulse, when: str) -> float:
    """What this rank's clock shows at a moment that all ranks share, to within the time of a barrier."""
    for _ in range(2):
        meet(pulse, when)
    return time.perf_counter()


def gather_json(pulse: Pulse, data: Any, rank: int, ranks: int) -> list[Any]:
    """On rank 0 the data of every rank in order, elsewhere nothing. Raises `RunError` where one is lost."""
    with together(pulse, "what was measured to be gathered"):
        if rank:
            _send(json.dumps(data).encode(), 0)
            return []
        return [data, *(json.loads(_receive(other)) for other in range(1, ranks))]


def bring_output(
    pulse: Pulse, output: torch.Tensor | None, shape: tuple[int, ...], sink: int, rank: int
) -> torch.Tensor | None:
    """The output, which `sink` has, on rank 0; None elsewhere. Raises `RunError` where one of the two is lost."""
    with together(pulse, "the output to be brought to the first device"):
        if rank == sink and rank != 0:
            assert output is not None
            distributed.send(output.contiguous(), 0)
        if rank == 0 and sink != 0:
            output = torch.empty(shape)
            distributed.recv(output, sink)
    return output if rank == 0 else None


def _send(data: bytes, peer: int) -> None:
    distributed.send(torch.tensor([len(data)]), peer)
    distributed.send(torch.frombuffer(bytearray(data), dtype=torch.uint8), peer)


def _receive(peer: int) -> bytes:
    count = torch.empty(1, dtype=torch.int64)
    distributed.recv(count, peer)
    tensor = torch.empty(int(count), dtype=torch.uint8)
    distributed.recv(tensor, peer)
    return tensor.numpy().tobytes()


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
