"""A plan, carried out: from plan, weights and input to outputs and measurements, on one process per device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import nn

from iopt.door.given import check_kind
from iopt.door.numbers import check_seconds
from iopt.door.wording import shown
from iopt.errors import DeviceLostError, ModelError, OptionError, PlanError, RunError
from iopt.importer.export import in_eval_mode
from iopt.partition import files
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.assembly import execution_of
from iopt.partition.runtime.execution import Execution, relative_difference
from iopt.partition.runtime.folders import work_folder
from iopt.partition.runtime.launch import launch
from iopt.partition.runtime.rank import Job, Outcome, whole_state
from iopt.partition.runtime.replan import replan
from iopt.partition.runtime.unsplit import run_unsplit
from iopt.run_tensors import input_tensor, weights_file
from iopt.tensor_files import with_batch

OnFailure = Literal["fail", "replan"]


def run(
    plan: Plan | files.PlanFile | str | Path,
    module: nn.Module | None = None,
    inputs: torch.Tensor | str | Path | None = None,
    *,
    problem: Problem | None = None,
    weights: str | Path | None = None,
    weights_hash: str | None = None,
    trust: bool = False,
    seed: int = 0,
    repeat: int = 1,
    verify: bool = False,
    emulate: bool = False,
    keep_buffers: bool = False,
    overlap: bool = False,
    timeout_s: float = 30.0,
    on_failure: OnFailure = "fail",
) -> Execution:
    """Carry out a plan on processes of this machine, one per device, and measure it.

    `plan`: a plan file, or a `Plan` with its `problem`. Weights are those of `module` or of a file `weights`, else
    random by `seed`. The file is a safetensors file, or with `trust` an exported program (`.pt2`), which can run code
    when it is read: here, not in the processes. `weights_hash`: what its SHA-256 must be. `inputs` is a tensor
    1 x channels x height x width or a `.npy` file, else random by `seed`. `repeat` inferences are timed, after one that
    is not. `verify` runs the unsplit network, too (the module, if there is one); `emulate` makes computing and sending
    as slow as the cluster is; `keep_buffers` allocates those of messages once for all inferences, which is faster where
    they are large, and takes more memory; `overlap` computes the rows that need no halo while halos are on their way,
    which the prediction knows nothing of. A process hangs that does not get on for `timeout_s`. `on_failure`: what to
    do when a process is lost: `fail`, or `replan`: begin again with a plan for the other devices, by the method of the
    plan file or by `dp`. Raises `IoptError`; `RunError` where a process is lost, and with `replan` where nobody is
    left. A script that calls it needs `if __name__ == "__main__":`, since its processes import it.
    """
    problem, plan, method = _decided(plan, problem)
    _check_options(seed, repeat, timeout_s, on_failure)
    if overlap and emulate:
        raise OptionError("overlap: the model of the cluster that is emulated has none; leave out one of the two")
    graph = problem.graph
    with work_folder() as folder:
        file, stamp = weights_file(graph, folder, module, weights, weights_hash, trust)
        tensor = input_tensor(inputs, graph, seed)
        at = folder / "input.npy"
        np.save(at, tensor.numpy())
        job = Job(
            problem,
            plan,
            file,
            str(at),
            seed,
            repeat,
            weights_stamp=stamp,
            emulate=emulate,
            keep_buffers=keep_buffers,
            overlap=overlap,
        )
        job, outcome, lost = _answered(job, method, timeout_s, on_failure)
        output = with_batch(outcome.output, graph)
        difference = relative_difference(output, _whole(module, job, tensor[None])) if verify else None
        return execution_of(
            job.problem,
            job.plan,
            output,
            outcome.reports,
            difference,
            is_lean=job.is_lean,
            emulated=job.emulated,
            lost=lost,
        )


def _answered(job: Job, method: str, timeout_s: float, on_failure: OnFailure) -> tuple[Job, Outcome, dict[str, str]]:
    """What was carried out in the end, its outcome, and how each device was lost that it does without."""
    lost: dict[str, str] = {}
    while True:
        try:
            return job, launch([job], timeout_s)[0], lost
        except DeviceLostError as error:
            if on_failure != "replan":
                raise
            lost |= dict.fromkeys(error.devices, str(error))
            try:
                problem, plan = replan(job.problem, error.devices, method)
            except RunError as none:
                raise RunError(f"{error}; {none}") from None
            job = replace(job, problem=problem, plan=plan)


def _decided(plan: Plan | files.PlanFile | str | Path, problem: Problem | None) -> tuple[Problem, Plan, str]:
    """Problem and plan, and the method of the plan file, nothing where there is none."""
    if isinstance(plan, Plan):
        if problem is None:
            raise OptionError("a Plan alone does not say for which network and cluster; give its problem, too")
        check_kind(problem, Problem, "problem")
        return problem, plan, ""
    if problem is not None:
        raise OptionError("problem is given twice: a plan file has its own")
    file = files.load(plan) if isinstance(plan, str | Path) else plan
    check_kind(file, files.PlanFile, "plan", "iopt.partition.files.load")
    if file.plan is None:
        raise PlanError(f"{file.path}: there is no plan in it ({file.result.status})")
    return file.problem, file.plan, file.result.method


def _check_options(seed: int, repeat: int, timeout_s: float, on_failure: str) -> None:
    if type(seed) is not int:
        raise OptionError(f"seed is {shown(seed)}; expected a whole number")
    if type(repeat) is not int or repeat < 1:
        raise OptionError(f"repeat is {shown(repeat)}; expected a positive whole number")
    check_seconds("timeout_s", timeout_s)
    if on_failure not in get_args(OnFailure):
        raise OptionError(f"on_failure is {shown(on_failure)}; expected {' or '.join(get_args(OnFailure))}")


def _whole(module: nn.Module | None, job: Job, tensor: torch.Tensor) -> torch.Tensor:
    """The output on one device: of the module itself, or of its graph with the weights of the job."""
    if module is not None:
        return _of_module(module, tensor)
    return run_unsplit(job.problem.graph, whole_state(job), tensor)


def _of_module(module: nn.Module, tensor: torch.Tensor) -> torch.Tensor:
    try:
        with in_eval_mode(module), torch.no_grad():
            result: torch.Tensor = module(tensor)
    except RuntimeError as error:
        raise ModelError(f"{type(module).__name__} does not run on the input of the plan: {error}") from error
    return result
