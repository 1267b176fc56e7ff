"""What a host's seconds are: one clock for all that goes into one profile."""

from __future__ import annotations

import time
from collections.abc import Callable

from iopt.importer.machine import threads

Clock = Callable[[], float]


def clock() -> Clock:
    """Processor time where PyTorch runs one thread, which others' load leaves alone; wall time where it runs more, as
    processor time is then the sum over all of them."""
    return time.process_time if threads() == 1 else time.perf_counter
