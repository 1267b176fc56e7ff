"""Whether an execution is what was planned: its output, peak, work and scratch, and the plan's limit of memory."""

from __future__ import annotations

from iopt.tiling.executor.execution import Execution
from iopt.tiling.problem import Problem

TOLERANCE = 1e-5
"""Difference of outputs, over the largest value, that is allowed."""


def needed_bytes(problem: Problem, found: Execution) -> int:
    """The measured peak, with what the plan counts besides: resident weights, and MAFAT's bias. An executor holds all
    weights, so streamed ones are not in it."""
    return found.peak_bytes + problem.resident_bytes


def is_broken(problem: Problem, found: Execution) -> bool:
    """Whether the execution needed more than the plan's limit of memory."""
    return problem.memory_bytes is not None and needed_bytes(problem, found) > problem.memory_bytes


def faults(problem: Problem, found: Execution) -> list[str]:
    """All that is not as it should be, a phrase each."""
    wrong = []
    if not found.difference <= TOLERANCE:
        wrong.append(f"outputs differ by {found.difference:.2g} of the largest value, expected {TOLERANCE:g} at most")
    if found.peak_bytes != found.predicted_bytes:
        wrong.append(f"the peak is {found.peak_bytes} B, predicted {found.predicted_bytes} B")
    if found.macs != found.predicted_macs:
        wrong.append(f"{found.macs} multiply-accumulates were done, predicted {found.predicted_macs}")
    if not found.is_scratch_small:
        wrong.append(
            f"a convolution took {found.scratch_bytes} B besides, expected {found.scratch_limit_bytes} B at most"
        )
    if is_broken(problem, found):
        wrong.append(
            f"{needed_bytes(problem, found)} B are needed by the executor {found.executor}, "
            f"limit {problem.memory_bytes} B"
        )
    return wrong
