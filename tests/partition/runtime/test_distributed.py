"""Real processes do what the workers of one process do: but for rounding equal outputs, equal bytes, equal shards.

Not equal to the bit: which kernel torch picks depends on threads and on how memory is aligned, which differ by process.
"""

from __future__ import annotations

from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from iopt.partition.runtime.assembly import execution_of
from iopt.partition.runtime.execution import Execution
from iopt.partition.runtime.launch import launch
from iopt.partition.runtime.local import LocalRun
from iopt.partition.runtime.rank import Job
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import StateWeights
from tests.partition.runtime.cases import Case, cases_over, predicted_resident, tiny_case
from tests.partition.runtime.test_local import GRAPHS

ROUNDING = 1e-5
"""Of the largest output, or of 1 where all are smaller: their terms are of that size."""


def as_job(case: Case, folder: Path, number: int, repeat: int = 1) -> Job:
    """The case with its weights and its input in files; every other overlaps, every third keeps its buffers."""
    weights, image = folder / f"{number}.safetensors", folder / f"{number}.npy"
    save_file(dict(case.state), weights)
    np.save(image, case.image.numpy())
    return Job(
        case.problem,
        case.plan,
        str(weights),
        str(image),
        repeat=repeat,
        overlap=number % 2 == 1,
        keep_buffers=number % 3 == 2,
    )


def carry_out(cases: list[Case], folder: Path) -> None:
    jobs = [as_job(case, folder, number) for number, case in enumerate(cases)]
    outcomes = launch(jobs, 30.0)
    assert not active_children()
    for case, job, outcome in zip(cases, jobs, outcomes, strict=True):
        check(execution_of(case.problem, case.plan, outcome.output, outcome.reports, is_lean=job.is_lean), case)


def check(execution: Execution, case: Case) -> None:
    local = LocalRun(schedule(case.problem, case.plan), StateWeights(case.state))
    expected = local(case.image)[0]
    largest = float(expected.abs().max())
    assert float((execution.outputs - expected).abs().max()) <= ROUNDING * max(largest, 1.0)
    assert execution.bytes_agree
    assert [*execution.resident_bytes.values()] == [worker.resident_bytes for worker in local.workers]
    assert [*execution.predicted_resident_bytes.values()] == predicted_resident(case)
    assert execution.resident_bytes == execution.predicted_resident_bytes
    assert not execution.is_lean or execution.peak_memory_bytes == execution.predicted_memory_bytes["runtime"]
    assert execution.latency_s > 0
    assert min([phase.time_s for phase in execution.phases], default=1.0) > 0


def test_three_processes_carry_out_any_plan(tmp_path: Path) -> None:
    awkward = [case for graph in GRAPHS.values() for case in cases_over(graph, 11, 1)]
    tiny = [tiny_case(seed, (3,)) for seed in range(25)]
    carry_out([*awkward, *tiny], tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("devices", [1, 2, 4])
def test_as_many_processes_as_there_are_devices(devices: int, tmp_path: Path) -> None:
    carry_out([tiny_case(seed, (devices,)) for seed in range(250)], tmp_path)
