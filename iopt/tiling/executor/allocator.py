"""What a call allocates at torch's allocator on the CPU: every block, with the operator that asked for it.

The profiler's events show what a dispatch mode does not: indices of max-pooling, columns, packed weights, and the
scratch that oneDNN gets from torch. That scratch lives inside one convolution and is no tensor: it is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from iopt.allocations import recorded

_CONVOLUTIONS = ("mkldnn::_convolution_pointwise", "aten::convolution")


@dataclass(frozen=True)
class Allocation:
    """Bytes, relative to what was allocated before the call.

    `peak_bytes`: the most that tensors took at once; `scratch_bytes`: the most that a convolution took and gave back
    besides; `total_peak_bytes`: the most of both at once. `kept_bytes`: still there after the call.
    """

    peak_bytes: int
    scratch_bytes: int
    total_peak_bytes: int
    kept_bytes: int


@dataclass(frozen=True)
class _Event:
    """`size`: bytes, negative where a block is freed; `convolution`: number of the one that it happened in, or -1."""

    time: int
    address: int
    size: int
    convolution: int


def measure(call: Callable[[], object]) -> Allocation:
    """Run `call` and count; what it returns is kept until the end."""
    result, results = recorded(call)
    events = sorted(_events(results.experimental_event_tree()), key=lambda event: event.time)
    del result
    return _counted(events)


def _events(nodes: Iterable[Any]) -> Iterator[_Event]:
    """Of a forest of operators and allocations."""
    waiting, convolutions = [(node, -1) for node in nodes], 0
    while waiting:
        node, convolution = waiting.pop()
        if node.name == "[memory]":
            fields = node.extra_fields
            yield _Event(node.start_time_ns, fields.ptr, fields.alloc_size, convolution)
            continue
        if convolution < 0 and node.name in _CONVOLUTIONS:
            convolution, convolutions = convolutions, convolutions + 1
        waiting += [(child, convolution) for child in node.children]


def _counted(events: Iterable[_Event]) -> Allocation:
    events = list(events)
    scratch = _scratch(events)
    tensors = extra = peak = most_extra = total = 0
    for index, event in enumerate(events):
        if index in scratch:
            extra += event.size
        else:
            tensors += event.size
        peak, most_extra, total = max(peak, tensors), max(most_extra, extra), max(total, tensors + extra)
    return Allocation(peak, most_extra, total, tensors)


def _scratch(events: list[_Event]) -> set[int]:
    """Indices of blocks, and of their ends, that begin and end within one convolution."""
    open_blocks: dict[int, int] = {}
    found: set[int] = set()
    for index, event in enumerate(events):
        if event.size > 0:
            open_blocks[event.address] = index
            continue
        start = open_blocks.pop(event.address, None)
        if start is not None and events[start].convolution == event.convolution >= 0:
            found |= {start, index}
    return found
