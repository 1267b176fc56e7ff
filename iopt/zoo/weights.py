"""Random weights that keep the activations of a deep network near 1, so that outputs can be compared."""

from __future__ import annotations

import torch
from torch import nn


def fill(module: nn.Module, seed: int) -> nn.Module:
    """Move a module from the meta device to the CPU and fill it: He-normal weights, biases of deviation 0.1.

    Biases are not zero, so that one that is forgotten or added twice shows; batch norms scale by 1 and something, and
    have seen means of 0 and variances of 1.
    """
    module = module.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.reset_running_stats()
        for parameter in module.parameters():
            inputs = parameter[0].numel()
            deviation = (2 / inputs) ** 0.5 if parameter.dim() > 1 else 0.1
            parameter.normal_(0.0, deviation, generator=generator)
        for norm in norms:
            norm.weight.add_(1.0)
    return module
