"""Process groups: on this host by a file and the loopback interface alone, or as torch's launcher says; and what ranks
tell each other outside the steps that are measured."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed
from torch.distributed import FileStore  # type: ignore[attr-defined]  # documented, but not in __all__

from iopt.door.reason import reason
from iopt.errors import OptionError, RunError

MEETING_S = 120.0
"""How long ranks wait for each other at the start, where each imports and loads first, at least."""


def join_local(rendezvous: Path, rank: int, ranks: int, timeout_s: float) -> None:
    """Join the ranks that meet in a file of this host. Nothing listens on any address but the loopback's."""
    os.environ["GLOO_SOCKET_IFNAME"] = _loopback()
    store = FileStore(str(rendezvous), ranks)
    store.set_timeout(timedelta(seconds=max(MEETING_S, timeout_s)))
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=ranks, timeout=_span(timeout_s))


def join_launched(timeout_s: float) -> None:
    """Join the ranks that torchrun started, on the hosts that it was given; or that somebody started with the same
    variables.

    Raises `OptionError` where the port is in use or a variable is missing, `RunError` where ranks do not come.
    """
    try:
        with _silent_stderr():
            distributed.init_process_group("gloo", timeout=_span(timeout_s))
    except ValueError as error:
        raise OptionError(f"the ranks cannot meet: {reason(error)}") from None
    except RuntimeError as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        if "EADDRINUSE" in str(error):
            raise OptionError(f"the ranks cannot meet at {where}: the port is in use; choose another") from None
        raise RunError(f"not all ranks came to {where} within {timeout_s:g} s: {reason(error)}") from None


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Meanwhile nothing that torch's C++ says gets through; what matters of it is in its errors."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def meet(device: str, when: str) -> None:
    """Wait for all ranks, as the one that plays `device`. Raises `RunError` where one does not come."""
    try:
        distributed.barrier()
    except RuntimeError as error:
        raise RunError(f"device {device!r} waited for the others in vain {when}") from error


def common_clock(device: str) -> float:
    """What this rank's clock shows at a moment that all ranks share, to within the time of a barrier."""
    for _ in range(3):
        meet(device, "at the start")
    return time.perf_counter()


def gather_json(data: Any, rank: int, ranks: int) -> list[Any]:
    """On rank 0 the data of every rank in order, elsewhere nothing."""
    if rank:
        _send(torch.frombuffer(bytearray(json.dumps(data).encode()), dtype=torch.uint8), 0)
        return []
    return [data, *(json.loads(_receive(other, torch.uint8).numpy().tobytes()) for other in range(1, ranks))]


def bring_output(output: torch.Tensor | None, shape: tuple[int, ...], sink: int, rank: int) -> torch.Tensor | None:
    """The output, which `sink` has, on rank 0; None elsewhere."""
    if rank == sink and rank != 0:
        assert output is not None
        distributed.send(output.contiguous(), 0)
    if rank == 0 and sink != 0:
        output = torch.empty(shape)
        distributed.recv(output, sink)
    return output if rank == 0 else None


def _send(tensor: torch.Tensor, peer: int) -> None:
    distributed.send(torch.tensor([tensor.numel()]), peer)
    distributed.send(tensor, peer)


def _receive(peer: int, dtype: torch.dtype) -> torch.Tensor:
    count = torch.empty(1, dtype=torch.int64)
    distributed.recv(count, peer)
    tensor = torch.empty(int(count), dtype=dtype)
    distributed.recv(tensor, peer)
    return tensor


def _span(timeout_s: float) -> timedelta:
    return timedelta(seconds=timeout_s)


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
