"""What a rank that torchrun starts is asked for. Rank i plays device i of the plan."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import torch

from iopt.door import json_file
from iopt.door.trust import check_sha256
from iopt.door.wording import shown
from iopt.errors import ClusterError, IoptError, OptionError, PlanError
from iopt.partition import files
from iopt.partition.files.form import operators_to_list
from iopt.partition.instance import instance_hash
from iopt.partition.runtime.agreement import Started, check_alike
from iopt.partition.runtime.asked import check_asked
from iopt.partition.runtime.handover import complain, hand_over
from iopt.partition.runtime.launched import joined
from iopt.partition.runtime.rank import Job, run_rank
from iopt.partition.runtime.threads import threads_of_rank
from iopt.tensor_files import input_note, weights_note


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0, 1 where output or bytes are not those expected, 2 for bad input, 5 where another rank is lost."""
    try:
        return _run(_parser().parse_args(arguments))
    except IoptError as error:
        complain(str(error))
        return error.exit_code


def _run(options: argparse.Namespace) -> int:
    job = _job(options)
    rank = _rank(job)
    if rank == 0:
        _check_outputs(options)
    use_threads(os.environ)
    names = [device.name for device in job.problem.cluster.devices]
    with joined(names, options.timeout) as pulse:
        check_alike(pulse, started(job), len(names))
        outcome = run_rank(job, rank, _number("LOCAL_RANK", 0), pulse, has_own_clock(os.environ))
    _note(job, rank)
    if outcome is None:
        return 0
    return 0 if hand_over(job, outcome, options.output, options.trace, options.verify) else 1


def _note(job: Job, rank: int) -> None:
    """What is odd about files that this rank reads, said once: weights by rank 0, the input by its source."""
    if rank == 0 and job.weights is not None and (said := weights_note(job.weights, job.problem.graph)):
        complain(said)
    if rank == job.problem.cluster.source and job.input is not None and (said := input_note(job.input)):
        complain(said)


def _check_outputs(options: argparse.Namespace) -> None:
    """Raise `IoptError` where a file cannot be written, is one that is read, or is to be written twice."""
    output, trace = options.output, options.trace
    if output is not None and trace is not None and Path(output).resolve() == Path(trace).resolve():
        raise OptionError(f"{output}: cannot be written: both --output and --trace name it")
    read = {"PLAN": options.plan, "--weights": options.weights, "--input": options.input}
    for path in filter(None, (output, trace)):
        json_file.check_writable(path)
        for what, source in read.items():
            if source is not None and Path(source).is_file() and Path(path).is_file() and Path(path).samefile(source):
                raise OptionError(f"{path}: cannot be written: it is the file that {what} names")


def started(job: Job) -> Started:
    """What ranks must have in common; where their files lie, and how long they wait, is their own."""
    plan = json_file.canonical_hash([instance_hash(job.problem), operators_to_list(job.plan)])
    weights = "a file" if job.weights is not None else "random"
    options = (job.seed, job.repeat, weights, job.emulate, job.emulate_links, job.keep_buffers, job.overlap)
    return Started("run", plan, repr(options))


def _job(options: argparse.Namespace) -> Job:
    emulates = options.emulate or options.emulate_compute
    check_asked(
        options.repeat,
        options.timeout,
        options.weights,
        options.weights_hash,
        overlap=options.overlap,
        emulate=emulates,
    )
    if options.on_failure != "fail":
        raise OptionError(
            "--on-failure replan: expected fail, since the input is lost with its rank when torchrun starts them; "
            "`iopt run` holds it, on one host"
        )
    stamp = None
    if options.weights_hash is not None:
        stamp = check_sha256(Path(options.weights), options.weights_hash)
    file = files.load(options.plan)
    if file.plan is None:
        raise PlanError(f"{file.path}: there is no plan in it ({file.result.status})")
    return Job(
        file.problem,
        file.plan,
        options.weights,
        options.input,
        options.seed,
        options.repeat,
        weights_stamp=stamp,
        emulate=emulates,
        emulate_links=options.emulate,
        keep_buffers=options.keep_buffers,
        overlap=options.overlap,
    )


def _rank(job: Job) -> int:
    """Raises `OptionError` outside torchrun, `ClusterError` where it started another number of ranks."""
    if not {"RANK", "WORLD_SIZE"} <= os.environ.keys():
        raise OptionError("RANK and WORLD_SIZE are not set: start this with torchrun, or use `iopt run` on one host")
    ranks, devices = _number("WORLD_SIZE"), len(job.problem.cluster)
    if ranks != devices:
        raise ClusterError(f"torchrun started {ranks} ranks; expected {devices}, one per device of the plan")
    rank = _number("RANK")
    if rank >= ranks:
        raise OptionError(f"RANK is {rank}; expected a number below {ranks}, which is WORLD_SIZE")
    return rank


def _number(variable: str, default: int | None = None) -> int:
    """Of a variable of torchrun's. Raises `OptionError`."""
    stated = os.environ.get(variable)
    if stated is None and default is not None:
        return default
    if stated is None or not stated.isdecimal():
        raise OptionError(f"{variable} is {shown(stated)}; expected a number, as torchrun gives it")
    return int(stated)


def has_own_clock(variables: Mapping[str, str]) -> bool:
    """Whether some of the ranks may be on another host than this one; those of one host share its clock."""
    return variables.get("LOCAL_WORLD_SIZE") != variables["WORLD_SIZE"]


def use_threads(variables: Mapping[str, str]) -> None:
    """Of torch, as many as a rank has that torchrun started with these variables."""
    torch.set_num_threads(threads_of_rank(int(variables.get("LOCAL_WORLD_SIZE", "1"))))


class _Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message} (try 'python -m {self.prog} --help')")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="iopt.partition.runtime", description="A rank that plays a device of a plan.")
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
