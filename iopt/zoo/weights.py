"""Random weights that keep the activations of a deep network near 1, so that outputs can be compared."""

from __future__ import annotations

import torch
from torch import nn


def fill(module: nn.Module, seed: int) -> nn.Module:
    """Move a module from the meta device to the CPU and fill it: He-normal weights, biases of deviation 0.1.

    Biases are not zero, so that one that is forgotten or added twice shows.
    """
    module = module.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            inputs = parameter[0].numel()
            deviation = (2 / inputs) ** 0.5 if parameter.dim() > 1 else 0.1
            parameter.normal_(0.0, deviation, generator=generator)
    return module
