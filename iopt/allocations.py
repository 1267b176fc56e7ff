"""What torch's allocator does while something runs, as its profiler tells it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from torch.autograd.profiler import profile

Value = TypeVar("Value")


def recorded(action: Callable[[], Value]) -> tuple[Value, Any]:
    """What the action returns, and the profiler's results, in which `[memory]` is each action of the allocator.

    The profiler is the one inside `torch.profiler`, whose own start imports eight hundred modules. It would say on
    standard error that it starts and stops, if it were not told otherwise before the first time in a process.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    with profile(profile_memory=True) as profiler:
        value = action()
    results = profiler.kineto_results
    assert results is not None
    return value, results
