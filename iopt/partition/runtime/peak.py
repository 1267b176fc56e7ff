"""The most memory that PyTorch's allocator had given out at once, as it reports each of its own actions."""

from __future__ import annotations

from collections.abc import Callable

from iopt.allocations import recorded

ALLOCATOR = "[memory]"
"""Name of the profiler's events of the allocator."""


def peak_bytes(action: Callable[[], object]) -> int:
    """Of all tensors and scratch buffers that are made while the action runs; what was there before is not counted."""
    _, results = recorded(action)
    events = [event for event in results.events() if event.name() == ALLOCATOR]
    current = highest = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        current += event.nbytes()
        highest = max(highest, current)
    return highest
