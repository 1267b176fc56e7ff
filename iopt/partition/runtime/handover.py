"""What rank 0 of a run over several hosts gives to who started it: measurements, output, timeline and exit code."""

from __future__ import annotations

import json
import sys

import torch

from iopt.door import json_file
from iopt.partition.runtime.assembly import execution_of
from iopt.partition.runtime.execution import NOT_FINITE, relative_difference, to_dict
from iopt.partition.runtime.rank import Job, Outcome, input_of, whole_state
from iopt.partition.runtime.trace import to_trace
from iopt.partition.runtime.unsplit import run_unsplit
from iopt.tensor_files import with_batch, write_output


def hand_over(job: Job, outcome: Outcome, output: str | None, trace: str | None, verify: bool) -> bool:
    """Print the measurements, and write what has a file. Whether bytes are those predicted, and the output is the
    unsplit network's, where `verify` compares them. Raises `IoptError`."""
    difference = relative_difference(outcome.output, _unsplit(job)) if verify else None
    if output:
        write_output(output, with_batch(outcome.output, job.problem.graph))
    execution = execution_of(
        job.problem,
        job.plan,
        outcome.output,
        outcome.reports,
        difference,
        is_lean=job.is_lean,
        emulated=job.emulated,
    )
    if trace:
        json_file.write(trace, to_trace(execution))
    print(json.dumps(to_dict(execution), allow_nan=False), flush=True)
    if not execution.is_finite:
        complain(NOT_FINITE)
    if not execution.bytes_agree:
        complain("the bytes counted are not those predicted; this is a bug in iopt")
    if not execution.is_correct:
        complain(f"the output is {difference:.1e} off the unsplit network's; this is a bug in iopt")
    return execution.bytes_agree and execution.is_correct


def complain(message: str) -> None:
    """On standard error, in one line."""
    print(f"iopt: {' '.join(message.split())}", file=sys.stderr, flush=True)


def _unsplit(job: Job) -> torch.Tensor:
    return run_unsplit(job.problem.graph, whole_state(job), input_of(job)[None])
