"""How many threads a rank computes with: one rule for runs and for profiles, so that a profile is of what runs."""

from __future__ import annotations

import os


def threads_of_rank(ranks: int) -> int:
    """`OMP_NUM_THREADS` if that is a positive number, else an equal part of the cores that this process may use, for
    each of so many ranks on this host; at least 1."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return int(stated) if stated.isdecimal() and int(stated) > 0 else max(1, cores() // ranks)


def cores() -> int:
    """That this process may use, as far as the system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
