"""What is to be small."""

from __future__ import annotations

from iopt.tiling.evaluation import Evaluation
from iopt.tiling.problem import Problem


def value(problem: Problem, evaluation: Evaluation) -> float:
    """The objective, in its units: multiply-accumulates, seconds or bytes."""
    if problem.objective == "memory":
        return evaluation.peak_bytes
    if problem.objective == "macs" or evaluation.latency_s is None:
        return evaluation.macs
    return evaluation.latency_s
