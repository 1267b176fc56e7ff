"""Weights of a module from a file, and inputs at random: what a trial of a network takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from iopt.door.reason import reason, unreadable
from iopt.errors import ModelError
from iopt.graph.layers import Shape
from iopt.tensor_files import open_weights

MOST = 200
"""Characters of what is said of weights that do not fit."""


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Fill a module with a state dict: a safetensors file by that ending, else what `torch.save` wrote.

    Reading it cannot run code. Counters of batches, which only training needs, may be missing. Raises `ModelError`.
    """
    state = _safetensors(path) if Path(path).suffix == ".safetensors" else _saved(path)
    try:
        keys = module.load_state_dict(state, strict=False)
    except (RuntimeError, TypeError) as error:
        raise ModelError(f"{path}: not the weights of this network: {_short(str(error))}") from None
    missing = [name for name in keys.missing_keys if not name.endswith("num_batches_tracked")]
    for what, names in (("missing", missing), ("unknown", keys.unexpected_keys)):
        if names:
            raise ModelError(f"{path}: not the weights of this network: {what}: {_short(', '.join(map(str, names)))}")


def _safetensors(path: str | Path) -> dict[str, torch.Tensor]:
    with open_weights(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping


def _saved(path: str | Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {unreadable(error)}") from None
    except Exception as error:  # what torch's readers and pickle's raise
        raise ModelError(f"{path}: not a state dict that torch.save wrote: {reason(error)}") from None


def _short(text: str) -> str:
    return " ".join(text.split())[:MOST]


def random_input(shape: Shape, seed: int = 0) -> torch.Tensor:
    """One input, normally distributed, with the batch."""
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))
