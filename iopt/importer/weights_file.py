"""Weights of a module from a file, and inputs at random: what a trial of a network takes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from iopt.door.reason import reason
from iopt.errors import ModelError
from iopt.graph.layers import Shape

MOST = 200
"""Characters of what torch says of weights that do not fit."""


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Fill a module with the state dict that `torch.save` wrote; reading it cannot run code. Raises `ModelError`."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or reason(error)}") from None
    except Exception as error:  # what torch's readers and pickle's raise
        raise ModelError(f"{path}: not a state dict that torch.save wrote: {reason(error)}") from None
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        said = " ".join(str(error).split())[:MOST]
        raise ModelError(f"{path}: not the weights of this network: {said}") from None


def random_input(shape: Shape, seed: int = 0) -> torch.Tensor:
    """One input, normally distributed, with the batch."""
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))
