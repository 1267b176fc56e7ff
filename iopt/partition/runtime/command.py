"""A rank of several hosts: `torchrun ... -m iopt.partition.runtime plan.json` starts one per device of the plan.

Rank i plays device i. Rank 0 prints what was measured, as JSON, and may write the output.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from iopt.door import json_file
from iopt.door.numbers import check_seconds
from iopt.door.trust import check_sha256
from iopt.errors import ClusterError, IoptError, OptionError, PlanError
from iopt.partition import files
from iopt.partition.runtime.execution import execution_of, relative_difference, to_dict
from iopt.partition.runtime.launched import joined
from iopt.partition.runtime.random_weights import RandomWeights
from iopt.partition.runtime.rank import Job, Outcome, input_of, run_rank
from iopt.partition.runtime.threads import threads_of_rank
from iopt.partition.runtime.trace import to_trace
from iopt.partition.runtime.unsplit import run_unsplit


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0, 1 where the output is not the unsplit network's, 2 for bad input, 5 where another rank is lost."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except IoptError as error:
        print(f"iopt: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return error.exit_code


def _run(options: argparse.Namespace) -> int:
    job = _job(options)
    rank = _rank(job)
    use_threads(os.environ)
    names = [device.name for device in job.problem.cluster.devices]
    with joined(names, options.timeout) as pulse:
        outcome = run_rank(job, rank, int(os.environ.get("LOCAL_RANK", "0")), pulse, has_own_clock(os.environ))
    return 0 if outcome is None or _hand_over(job, outcome, options) else 1


def _job(options: argparse.Namespace) -> Job:
    if options.repeat < 1:
        raise OptionError(f"--repeat: {options.repeat}; expected a positive number")
    check_seconds("--timeout", options.timeout)
    if options.on_failure != "fail":
        raise OptionError(
            "--on-failure replan: expected fail, since the input is lost with its rank when torchrun starts them; "
            "`iopt run` holds it, on one host"
        )
    stamp = None
    if options.weights_hash is not None:
        if options.weights is None:
            raise OptionError("--weights-hash is given without --weights; it is the hash of their file")
        stamp = check_sha256(Path(options.weights), options.weights_hash)
    file = files.read(options.plan)
    if file.plan is None:
        raise PlanError(f"{file.path}: there is no plan in it ({file.result.status})")
    if options.overlap and (options.emulate or options.emulate_compute):
        raise OptionError("--overlap: the model of the cluster that is emulated has none; leave out one of the two")
    return Job(
        file.problem,
        file.plan,
        options.weights,
        options.input,
        options.seed,
        options.repeat,
        weights_stamp=stamp,
        emulate=options.emulate or options.emulate_compute,
        emulate_links=options.emulate,
        keep_buffers=options.keep_buffers,
        overlap=options.overlap,
    )


def _rank(job: Job) -> int:
    """Raises `OptionError` outside torchrun, `ClusterError` where it started another number of ranks."""
    if not {"RANK", "WORLD_SIZE"} <= os.environ.keys():
        raise OptionError("RANK and WORLD_SIZE are not set: start this with torchrun, or use `iopt run` on one host")
    ranks, devices = int(os.environ["WORLD_SIZE"]), len(job.problem.cluster)
    if ranks != devices:
        raise ClusterError(f"torchrun started {ranks} ranks; expected {devices}, one per device of the plan")
    return int(os.environ["RANK"])


def has_own_clock(variables: Mapping[str, str]) -> bool:
    """Whether some of the ranks may be on another host than this one; those of one host share its clock."""
    return variables.get("LOCAL_WORLD_SIZE") != variables["WORLD_SIZE"]


def use_threads(variables: Mapping[str, str]) -> None:
    """Of torch, as many as a rank has that torchrun started with these variables."""
    torch.set_num_threads(threads_of_rank(int(variables.get("LOCAL_WORLD_SIZE", "1"))))


def _hand_over(job: Job, outcome: Outcome, options: argparse.Namespace) -> bool:
    """Whether the output is the unsplit network's, as far as it was compared."""
    difference = None
    if options.verify:
        graph = job.problem.graph
        state = RandomWeights(graph, job.seed).state() if job.weights is None else load_file(job.weights)
        difference = relative_difference(outcome.output, run_unsplit(graph, state, input_of(job)[None]))
    if options.output:
        np.save(options.output, outcome.output.numpy())
    execution = execution_of(job.problem, job.plan, outcome.output, outcome.reports, difference, is_lean=job.is_lean)
    if options.trace:
        json_file.write(options.trace, to_trace(execution))
    print(json.dumps(to_dict(execution)), flush=True)
    if not execution.is_correct:
        print(f"iopt: the output is {difference:.1e} off the unsplit network's", file=sys.stderr, flush=True)
    return execution.is_correct


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="iopt.partition.runtime", description="A rank that plays a device of a plan.")
    parser.add_argument("plan", help="a file that `iopt plan -o` wrote")
    parser.add_argument("--weights", metavar="FILE.safetensors", help="default: random by the seed")
    parser.add_argument("--weights-hash", metavar="sha256:HEX", help="what this host's file of weights must have")
    parser.add_argument("--input", metavar="FILE.npy", help="read by the source; default: random by the seed")
    parser.add_argument("--output", metavar="FILE.npy", help="where rank 0 writes the output")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=1)
    slow = parser.add_mutually_exclusive_group()
    slow.add_argument("--emulate", action="store_true", help="compute and send as slowly as the cluster")
    slow.add_argument("--emulate-compute", action="store_true", help="compute as slowly, send as fast as the network")
    parser.add_argument("--keep-buffers", action="store_true", help="allocate those of messages once")
    parser.add_argument("--overlap", action="store_true", help="compute while messages are on their way")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds without progress after which a rank hangs")
    parser.add_argument("--trace", metavar="FILE.json", help="where rank 0 writes a Chrome trace")
    parser.add_argument("--on-failure", choices=("fail", "replan"), default="fail", help="only `iopt run` can replan")
    parser.add_argument("--verify", action="store_true", help="compare with the unsplit network, on rank 0")
    return parser


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a process group that lost a rank may wait for it at exit
