"""What each worker of a run in one process has allocated at once, by the events of PyTorch's allocator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch.profiler import record_function

from iopt.allocations import recorded
from iopt.partition.runtime.local import LocalRun
from iopt.partition.runtime.worker import Worker

_CALLS = ("start", "outgoing", "incoming", "join", "compute")
_MARK = "worker "


class _Event(NamedTuple):
    """`size`: bytes, negative where a block is freed; `worker`: the one that was called then, None for none."""

    time: int
    address: int
    size: int
    worker: int | None


def peaks(run: LocalRun, image: torch.Tensor) -> list[int]:
    """Bytes by worker in one inference, with its parameters."""
    for worker in run.workers:
        for name in _CALLS:
            setattr(worker, name, _marked(worker, getattr(worker, name)))
    _, results = recorded(lambda: run(image))
    owner: dict[int, int] = {}
    current, highest = ([0] * len(run.workers) for _ in range(2))
    for event in sorted(_events(results.experimental_event_tree()), key=lambda event: event.time):
        if event.size > 0 and event.worker is not None:
            owner[event.address] = event.worker
        if (worker := owner.get(event.address)) is not None:
            current[worker] += event.size
            highest[worker] = max(highest[worker], current[worker])
        if event.size < 0:
            owner.pop(event.address, None)
    return [worker.resident_bytes + peak for worker, peak in zip(run.workers, highest, strict=True)]


def _marked(worker: Worker, call: Callable[..., Any]) -> Callable[..., Any]:
    def marked(*given: Any) -> Any:
        with record_function(f"{_MARK}{worker.device}"):
            return call(*given)

    return marked


def _events(nodes: Iterable[Any], worker: int | None = None) -> Iterator[_Event]:
    for node in nodes:
        if node.name == "[memory]":
            fields = node.extra_fields
            yield _Event(node.start_time_ns, fields.ptr, fields.alloc_size, worker)
            continue
        here = int(node.name.removeprefix(_MARK)) if node.name.startswith(_MARK) else worker
        yield from _events(node.children, here)
