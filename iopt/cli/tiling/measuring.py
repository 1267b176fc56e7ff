"""The module that `run` and `profile` measure, with its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iopt.errors import ModelError, OptionError

if TYPE_CHECKING:
    from torch import nn


def module_of(model: str, seed: int | None, weights: Path | None) -> nn.Module:
    """The network of the zoo with weights by `seed` (0 unless given), or what package.module:callable is or makes; then
    with the weights of a file, if one is given. Runs users' code. Raises `IoptError`."""
    from iopt import zoo
    from iopt.door.python_name import split_name
    from iopt.door.wording import hint, shown
    from iopt.importer.python_object import load_module

    if seed is not None and (weights is not None or model not in zoo.ENTRIES):
        raise OptionError("--seed is for networks of `iopt models`, and does not go with --weights")
    if model in zoo.ENTRIES:
        module = zoo.build(model, seed or 0)
    elif split_name(model):
        module = load_module(model)
    else:
        near = hint(model, zoo.ENTRIES)
        raise ModelError(f"{shown(model)}: expected a network of `iopt models` or package.module:callable{near}")
    if weights is not None:
        _load(module, weights)
    return module


def _load(module: nn.Module, path: Path) -> None:
    """Fill it with the state dict of a file, whose reading cannot run code."""
    import torch

    from iopt.door.reason import reason

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or reason(error)}") from None
    except Exception as error:  # torch raises what its readers and pickle raise
        raise ModelError(f"{path}: not a state dict that torch.save wrote: {reason(error)}") from None
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        said = " ".join(str(error).split())
        raise ModelError(f"{path}: not the weights of this network: {said[:200]}") from None
