"""A rank from start to end: load the shard, run the inferences, bring what was measured to rank 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from iopt.door.trust import Stamp, check_stamp
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.distributed import DistributedRun
from iopt.partition.runtime.emulation import Emulation
from iopt.partition.runtime.group import agree, bring_output, common_moment, gather_json, meet
from iopt.partition.runtime.parameters import load_shard
from iopt.partition.runtime.placement import Placement, has_gpu, on_gpu
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.random_weights import RandomWeights, random_input
from iopt.partition.runtime.records import RankReport
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import FileWeights, Heard, Weights, check_weights
from iopt.partition.runtime.worker import Worker
from iopt.tensor_files import read_input

BEFORE = "before an inference"


@dataclass(frozen=True)
class Job:
    """A plan to run `repeat` times, after one run that is not timed.

    `weights`: a safetensors file, `input`: a `.npy` file; None: random by `seed`. `emulate`: as slow as the cluster,
    with `emulate_links` its links, too. `keep_buffers`: what is sent and received has buffers of its own for all
    inferences. `overlap`: compute while messages are on their way. `weights_stamp`: of the file of weights whose hash
    was checked.
    """

    problem: Problem
    plan: Plan
    weights: str | None = None
    input: str | None = None
    seed: int = 0
    repeat: int = 1
    _: KW_ONLY
    weights_stamp: Stamp | None = None
    emulate: bool = False
    emulate_links: bool = True
    keep_buffers: bool = False
    overlap: bool = False

    @property
    def is_lean(self) -> bool:
        """Whether it allocates what the memory model `runtime` says."""
        return not (self.keep_buffers or self.overlap)

    @property
    def emulated(self) -> tuple[str, ...]:
        """What is as slow as that of the cluster: `compute`, `network`."""
        return ("compute", *(("network",) if self.emulate_links else ())) if self.emulate else ()


@dataclass(frozen=True)
class Outcome:
    """What rank 0 knows in the end: the output `channels x height x width`, and what every rank measured."""

    output: torch.Tensor
    reports: list[RankReport]


def weights_of(job: Job, on_part: Callable[[], None] = lambda: None) -> Weights:
    """Checked against the network; `on_part` is called again and again as they are read. Raises `ModelError`."""
    if job.weights is None:
        return RandomWeights(job.problem.graph, job.seed, on_part)
    weights = FileWeights(job.weights)
    if job.weights_stamp is not None:
        check_stamp(Path(job.weights), job.weights_stamp)
    check_weights(job.problem.graph, weights, job.weights)
    return Heard(weights, on_part)


def whole_state(job: Job) -> dict[str, torch.Tensor]:
    """All weights, for the unsplit network. Raises `ModelError`."""
    if job.weights is None:
        return RandomWeights(job.problem.graph, job.seed).state()
    state = load_file(job.weights)
    if job.weights_stamp is not None:
        check_stamp(Path(job.weights), job.weights_stamp)
    return state


def input_of(job: Job) -> torch.Tensor:
    """`channels x height x width`. Raises `ModelError`."""
    if job.input is None:
        return random_input(job.problem.graph, job.seed)
    return read_input(job.input, job.problem.graph)


def run_rank(job: Job, rank: int, local_rank: int, pulse: Pulse, has_own_clock: bool = False) -> Outcome | None:
    """Run a job as one of the ranks of the default process group; the outcome on rank 0, None elsewhere.

    `local_rank`: which of the ranks on its host it is. `pulse` is told that it gets on. `has_own_clock`: ranks are on
    several hosts, so that their clocks are aligned before every inference.
    """
    steps = schedule(job.problem, job.plan)
    placement = _placement(job, local_rank, pulse)
    pulse.begin("loading of its weights")
    shard = load_shard(steps, rank, weights_of(job, pulse.beat))
    worker = Worker(steps, rank, shard, placement.device, job.keep_buffers)
    tensor = input_of(job) if rank == steps.source else None
    emulation = Emulation(job.problem, rank, job.emulate_links) if job.emulate else None
    run = DistributedRun(steps, worker, emulation, pulse, placement.group, job.overlap)
    meet(pulse, BEFORE)
    peak = worker.resident_bytes + placement.peak_bytes(lambda: run(tensor))
    records = []
    for _ in range(job.repeat):
        meet(pulse, BEFORE)
        records.append(run(tensor, common_moment(pulse, BEFORE) if has_own_clock else 0.0))
    report = RankReport(rank, worker.resident_bytes, peak, records)
    told = gather_json(pulse, report.to_dict(), rank, len(steps.devices))
    output = worker.held.cpu() if rank == steps.sink else None
    output = bring_output(pulse, output, tuple(job.problem.graph.output_shape), steps.sink, rank)
    return None if output is None else Outcome(output, [RankReport.from_dict(each) for each in told])


def _placement(job: Job, local_rank: int, pulse: Pulse) -> Placement:
    """On GPUs if every rank has one of its own, and the machine plays no other."""
    if job.emulate or not agree(pulse, "the others to say whether they have GPUs", has_gpu(local_rank)):
        return Placement()
    return on_gpu(local_rank)
