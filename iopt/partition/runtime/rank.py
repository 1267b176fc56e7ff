"""A rank from start to end: load the shard, run the inferences, bring what was measured to rank 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import torch

from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.distributed import DistributedRun
from iopt.partition.runtime.emulation import Emulation
from iopt.partition.runtime.group import bring_output, gather_json, meet
from iopt.partition.runtime.parameters import load_shard
from iopt.partition.runtime.placement import Placement, find_placement
from iopt.partition.runtime.random_weights import RandomWeights, random_input
from iopt.partition.runtime.records import RankReport
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import FileWeights, Weights, check_weights
from iopt.partition.runtime.worker import Worker
from iopt.tensor_files import read_input


@dataclass(frozen=True)
class Job:
    """A plan to run `repeat` times, after one run that is not timed.

    `weights`: a safetensors file, `input`: a `.npy` file; None: random by `seed`. `emulate`: as slow as the cluster,
    with `emulate_links` its links, too. `keep_buffers`: what is sent and received has buffers of its own for all
    inferences. `overlap`: compute while messages are on their way.
    """

    problem: Problem
    plan: Plan
    weights: str | None = None
    input: str | None = None
    seed: int = 0
    repeat: int = 1
    _: KW_ONLY
    emulate: bool = False
    emulate_links: bool = True
    keep_buffers: bool = False
    overlap: bool = False

    @property
    def is_lean(self) -> bool:
        """Whether it allocates what the memory model `runtime` says."""
        return not (self.keep_buffers or self.overlap)


@dataclass(frozen=True)
class Outcome:
    """What rank 0 knows in the end: the output `channels x height x width`, and what every rank measured."""

    output: torch.Tensor
    reports: list[RankReport]


def weights_of(job: Job) -> Weights:
    """Checked against the network. Raises `ModelError`."""
    if job.weights is None:
        return RandomWeights(job.problem.graph, job.seed)
    weights = FileWeights(job.weights)
    check_weights(job.problem.graph, weights, job.weights)
    return weights


def input_of(job: Job) -> torch.Tensor:
    """`channels x height x width`. Raises `ModelError`."""
    if job.input is None:
        return random_input(job.problem.graph, job.seed)
    return read_input(job.input, job.problem.graph)


def run_rank(
    job: Job,
    rank: int,
    local_rank: int,
    origin_s: float = 0.0,
    on_step: Callable[[int], None] = lambda step: None,
) -> Outcome | None:
    """Run a job as one of the ranks of the default process group; the outcome on rank 0, None elsewhere.

    `local_rank`: which of the ranks on its host it is. `on_step` is told the number of each step as it begins.
    """
    steps = schedule(job.problem, job.plan)
    name = steps.devices[rank]
    placement = Placement() if job.emulate else find_placement(local_rank)
    worker = Worker(steps, rank, load_shard(steps, rank, weights_of(job)), placement.device, job.keep_buffers)
    tensor = input_of(job) if rank == steps.source else None
    emulation = Emulation(job.problem, rank, job.emulate_links) if job.emulate else None
    run = DistributedRun(steps, worker, origin_s, emulation, on_step, placement.group, job.overlap)
    meet(name, "before an inference")
    peak = worker.resident_bytes + placement.peak_bytes(lambda: run(tensor))
    records = []
    for _ in range(job.repeat):
        meet(name, "before an inference")
        records.append(run(tensor))
    report = RankReport(rank, worker.resident_bytes, peak, records)
    told = gather_json(report.to_dict(), rank, len(steps.devices))
    output = worker.held.cpu() if rank == steps.sink else None
    output = bring_output(output, tuple(job.problem.graph.output_shape), steps.sink, rank)
    return None if output is None else Outcome(output, [RankReport.from_dict(each) for each in told])
