"""A module and an example input, exported and read. Weights may be on the meta device: only shapes are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from iopt.door.given import check_kind
from iopt.door.reason import raised, reason
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.importer.precision import in_full_precision
from iopt.importer.program import Imported, read_program, refuse_other_types
from iopt.importer.quiet import prints_aside, quiet


def import_module(module: nn.Module, example_input: torch.Tensor, name: str) -> Graph:
    """The graph of `module` in eval mode on one input: 1 x channels x height x width, or 1 x features, in fp32.

    A module that returns several tensors, one per exit in order of depth, gives a graph with exits. The module is left
    as it was. Raises `ModelError`, for operators that iopt does not know `UnsupportedOperatorError`.
    """
    return read_module(module, example_input, name).graph


def read_module(module: nn.Module, example_input: torch.Tensor, name: str) -> Imported:
    """`import_module`, with what is needed to run parts of the module."""
    check_kind(module, nn.Module, "module")
    check_kind(example_input, torch.Tensor, "example_input")
    shape = "x".join(map(str, example_input.shape))
    if example_input.dim() not in (2, 4) or example_input.shape[0] != 1:
        expected = "1 x channels x height x width, or 1 x features"
        raise ModelError(f"{name}: the example input is {shape}; iopt plans one input at a time, give it {expected}")
    refuse_other_types(name, {**dict(module.named_parameters()), "the example input": example_input})
    with in_eval_mode(module), prints_aside(), quiet(), torch.no_grad(), in_full_precision():
        try:
            exported = torch.export.export(module, (example_input,), strict=False)
        except Exception as error:
            raise ModelError(_refusal(module, example_input, name, shape, error)) from error
    return read_program(exported, name)


def _refusal(module: nn.Module, example_input: torch.Tensor, name: str, shape: str, error: Exception) -> str:
    """Why the export failed: either the module itself refuses the input, or it runs and cannot be traced."""
    try:
        module(example_input.clone())
    except Exception as refused:
        return f"{name} does not run on an input of {shape}: {raised(refused)}"
    return (
        f"{name} cannot be exported by torch.export: {reason(error)}; "
        "take branches and loops that depend on tensor values out of its forward"
    )


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Eval mode for a while; every submodule gets its own flag back."""
    training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, flag in training.items():
            part.training = flag
