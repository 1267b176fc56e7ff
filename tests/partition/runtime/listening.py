"""What ranks listen at, as each of them sees it. As a script that torchrun starts: a JSON line per rank."""

from __future__ import annotations

import ipaddress
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch
from torch import distributed

from iopt.partition.runtime.pulse import Pulse

LISTENING = "0A"


def listening(pid: int | str = "self") -> list[str]:
    """Addresses of the process's sockets that listen."""
    mine = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            mine.add(str(entry.readlink()))
    return sorted(address for address, inode in _sockets() if f"socket:[{inode}]" in mine)


def _sockets() -> Iterator[tuple[str, str]]:
    """Address and inode of every socket of this machine that listens."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING:
                words = fields[1].partition(":")[0]
                packed = b"".join(bytes.fromhex(words[at : at + 8])[::-1] for at in range(0, len(words), 8))
                yield str(ipaddress.ip_address(packed)), fields[9]


def exchange(rank: int, ranks: int) -> None:
    """With every other rank, so that all connections are open."""
    for peer in range(ranks):
        if peer != rank:
            works = [distributed.irecv(torch.empty(1), peer), distributed.isend(torch.ones(1), peer)]
            for work in works:
                assert work is not None
                work.wait()


def note(rank: int, folder: Path, pulse: Pulse) -> None:
    """What a rank of `run_together` does: leave its addresses in a file."""
    exchange(rank, distributed.get_world_size())
    (folder / f"listens-{rank}.json").write_text(json.dumps(listening()))
    distributed.barrier()


if __name__ == "__main__":
    from iopt.partition.runtime.launched import joined

    with joined(["a", "b"], 30.0):
        exchange(distributed.get_rank(), distributed.get_world_size())
        found = {"rank": listening(), "launcher": listening(os.getppid())}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
