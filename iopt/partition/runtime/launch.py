"""Ranks on this host: started by torch's launcher, watched, and ended whatever happens."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file
from torch import distributed
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, ProcessRaisedException, start_processes

from iopt.door.reason import raised
from iopt.errors import IoptError, RunError
from iopt.partition.runtime.group import join_local
from iopt.partition.runtime.rank import Job, Outcome, run_rank
from iopt.partition.runtime.records import RankReport

GRACE_S = 2.0
"""How long the other ranks may take to say what they saw when one has failed."""


def launch(jobs: Sequence[Job], timeout_s: float) -> list[Outcome]:
    """Run jobs one after another, on one process per device; all have equally many devices.

    No rank waits longer than `timeout_s` for another. Raises `RunError` where one fails, `IoptError` for what a rank
    refuses; no process is left then.
    """
    ranks = len(jobs[0].problem.cluster)
    with TemporaryDirectory(prefix="iopt-run-") as name:
        folder = Path(name)
        context = start_processes(_rank, (tuple(jobs), name, timeout_s), ranks, join=False, start_method="spawn")  # type: ignore[no-untyped-call]  # torch has no types for it
        try:
            _watch(context, folder, [device.name for device in jobs[0].problem.cluster.devices])
        finally:
            _end(context)
        return [_outcome(folder, number) for number in range(len(jobs))]


def _rank(rank: int, jobs: tuple[Job, ...], name: str, timeout_s: float) -> None:
    """What a process does; its exit code is 0, or it leaves a file that says why not."""
    folder = Path(name)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # sent when the parent dies, also while torch waits
    _say_into(folder / f"rank-{rank}.log")
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // len(jobs[0].problem.cluster)))
    try:
        join_local(folder / "rendezvous", rank, len(jobs[0].problem.cluster), timeout_s)
        for number, job in enumerate(jobs):
            if outcome := run_rank(job, rank):
                _keep(folder, number, outcome)
        distributed.barrier()
        distributed.destroy_process_group()
    except Exception as error:
        kind = type(error).__name__ if isinstance(error, IoptError) else None
        message = str(error) if isinstance(error, IoptError) else raised(error)
        _write(folder / f"error-{rank}.json", {"kind": kind, "message": message})
        os._exit(1)


def _say_into(log: Path) -> None:
    """What libraries print goes to a file: standard output is for data."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(target, stream.fileno())


def _keep(folder: Path, number: int, outcome: Outcome) -> None:
    save_file({"output": outcome.output.contiguous().clone()}, folder / f"output-{number}.safetensors")
    _write(folder / f"reports-{number}.json", [report.to_dict() for report in outcome.reports])


def _outcome(folder: Path, number: int) -> Outcome:
    reports = json.loads((folder / f"reports-{number}.json").read_text())
    output = load_file(folder / f"output-{number}.safetensors")["output"].clone()
    return Outcome(output, [RankReport.from_dict(each) for each in reports])


def _write(path: Path, data: object) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(data))
    beside.replace(path)


def _watch(context: ProcessContext, folder: Path, devices: Sequence[str]) -> None:
    """Wait for all ranks; raise for the first that fails, when the others have said what they saw."""
    try:
        while not context.join(timeout=1.0, grace_period=GRACE_S):
            pass
    except (ProcessExitedException, ProcessRaisedException):
        raise _failure(context, folder, devices) from None


def _failure(context: ProcessContext, folder: Path, devices: Sequence[str]) -> IoptError:
    """The first cause: a process that ended without a word, then what a rank refused, then who waited in vain."""
    silent, said = [], []
    for rank, (name, process) in enumerate(zip(devices, context.processes, strict=True)):
        path = folder / f"error-{rank}.json"
        if path.is_file():
            said.append((rank, json.loads(path.read_text())))
        elif process.exitcode not in (0, -signal.SIGTERM, None):
            silent.append(f"the process of device {name!r} {_ended(process.exitcode)}")
    waiting = [error["message"] for _, error in said if error["kind"] == RunError.__name__]
    refused = [(rank, error) for rank, error in said if error["kind"] != RunError.__name__]
    if silent:
        hint = "" if said else "; a script that calls iopt.run needs `if __name__ == '__main__':` around it"
        return RunError("; ".join([*silent, *waiting]) + hint)
    for rank, error in refused:
        known = {kind.__name__: kind for kind in IoptError.__subclasses__()}
        if error["kind"] in known:
            return known[error["kind"]](error["message"])
        return RunError("; ".join([f"device {devices[rank]!r} failed: {error['message']}", *waiting]))
    return RunError("; ".join(waiting) or "a rank ended without saying why")


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _end(context: ProcessContext) -> None:
    for process in context.processes:
        if process.is_alive():
            process.kill()
    for process in context.processes:
        process.join()
