"""A plan, carried out: from plan, weights and input to outputs and measurements, on one process per device."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from iopt.door.given import check_kind
from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import ModelError, OptionError, PlanError
from iopt.graph import Graph
from iopt.graph.layers import Flatten, Linear
from iopt.graph.state import expected_shapes
from iopt.importer.export import in_eval_mode
from iopt.partition import files
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.execution import Execution, execution_of, relative_difference
from iopt.partition.runtime.launch import launch
from iopt.partition.runtime.random_weights import RandomWeights, random_input
from iopt.partition.runtime.rank import Job
from iopt.partition.runtime.unsplit import run_unsplit
from iopt.partition.runtime.weights import FileWeights, StateWeights, check_weights
from iopt.tensor_files import checked_input, read_input

if TYPE_CHECKING:
    from collections.abc import Callable


def run(
    plan: Plan | files.PlanFile | str | Path,
    module: nn.Module | None = None,
    inputs: torch.Tensor | str | Path | None = None,
    *,
    problem: Problem | None = None,
    weights: str | Path | None = None,
    seed: int = 0,
    repeat: int = 1,
    verify: bool = False,
    emulate: bool = False,
    timeout_s: float = 30.0,
) -> Execution:
    """Carry out a plan on processes of this machine, one per device, and measure it.

    `plan`: a plan file, or a `Plan` with its `problem`. Weights are those of `module` or of a safetensors file
    `weights`, else random by `seed`; `inputs` is a tensor 1 x channels x height x width or a `.npy` file, else random
    by `seed`. `repeat` inferences are timed, after one that is not. `verify` runs the unsplit network, too (the module,
    if there is one); `emulate` makes computing and sending as slow as the cluster is. No rank waits longer than
    `timeout_s` for another. Raises `IoptError`; `RunError` where a process is lost. A script that calls it needs
    `if __name__ == "__main__":`, since its processes import it.
    """
    problem, plan = _decided(plan, problem)
    _check_options(seed, repeat, timeout_s)
    if module is not None and weights is not None:
        raise OptionError("both module and weights are given; expected one of them")
    graph = problem.graph
    with TemporaryDirectory(prefix="iopt-weights-") as folder:
        if module is not None:
            check_kind(module, nn.Module, "module")
            weights = _saved(module, graph, Path(folder) / "weights.safetensors")
        elif weights is not None:
            with FileWeights(weights) as file:
                check_weights(graph, file, str(weights))
        tensor = _input(inputs, graph, seed)
        at = Path(folder) / "input.npy"
        np.save(at, tensor.numpy())
        job = Job(problem, plan, None if weights is None else str(weights), str(at), seed, repeat, emulate)
        (outcome,) = launch([job], timeout_s)
        output = _shaped(outcome.output, graph)
        difference = None
        if verify:
            whole = _whole(module, graph, job)
            difference = relative_difference(output, whole(tensor[None]))
        return execution_of(problem, plan, output, outcome.reports, difference)


def _decided(plan: Plan | files.PlanFile | str | Path, problem: Problem | None) -> tuple[Problem, Plan]:
    if isinstance(plan, Plan):
        if problem is None:
            raise OptionError("a Plan alone does not say for which network and cluster; give its problem, too")
        check_kind(problem, Problem, "problem")
        return problem, plan
    if problem is not None:
        raise OptionError("problem is given twice: a plan file has its own")
    file = files.load(plan) if isinstance(plan, str | Path) else plan
    check_kind(file, files.PlanFile, "plan", "iopt.partition.files.load")
    if file.plan is None:
        raise PlanError(f"{file.path}: there is no plan in it ({file.result.status})")
    return file.problem, file.plan


def _check_options(seed: int, repeat: int, timeout_s: float) -> None:
    if type(seed) is not int:
        raise OptionError(f"seed is {shown(seed)}; expected a whole number")
    if type(repeat) is not int or repeat < 1:
        raise OptionError(f"repeat is {shown(repeat)}; expected a positive whole number")
    if not (is_number(timeout_s) and timeout_s > 0 and math.isfinite(timeout_s)):
        raise OptionError(f"timeout_s is {shown(timeout_s)}; expected a positive number")


def _saved(module: nn.Module, graph: Graph, path: Path) -> str:
    """The module's weights that the network needs, in a file."""
    state = module.state_dict()
    check_weights(graph, StateWeights(state), type(module).__name__)
    save_file({name: state[name].detach().cpu().clone().contiguous() for name in expected_shapes(graph)}, path)
    return str(path)


def _input(inputs: torch.Tensor | str | Path | None, graph: Graph, seed: int) -> torch.Tensor:
    if inputs is None:
        return random_input(graph, seed)
    if isinstance(inputs, str | Path):
        return read_input(inputs, graph)
    check_kind(inputs, torch.Tensor, "inputs")
    return checked_input(inputs, graph, "inputs")


def _shaped(output: torch.Tensor, graph: Graph) -> torch.Tensor:
    """With the batch of 1, as the module gives it: features after a flatten or a linear layer."""
    last = graph.operators[-1]
    is_flat = isinstance(last.body, Linear) or any(isinstance(step, Flatten) for step in last.epilogue)
    return output.reshape(1, -1) if is_flat else output[None]


def _whole(module: nn.Module | None, graph: Graph, job: Job) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network on one device: the module itself, or its graph with the weights of the job."""
    if module is not None:
        return lambda tensor: _of_module(module, tensor)
    state = RandomWeights(graph, job.seed).state() if job.weights is None else load_file(job.weights)
    return lambda tensor: run_unsplit(graph, state, tensor)


def _of_module(module: nn.Module, tensor: torch.Tensor) -> torch.Tensor:
    try:
        with in_eval_mode(module), torch.no_grad():
            result: torch.Tensor = module(tensor)
    except RuntimeError as error:
        raise ModelError(f"{type(module).__name__} does not run on the input of the plan: {error}") from error
    return result
