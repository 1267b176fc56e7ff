"""Sums and concatenations of several maps or tiles, which may be views: they allocate their output and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from iopt.tiling.executor import maps


class Sum:
    def of(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """The sum of two tensors or more."""
        output = maps.empty(*tensors[0].shape[1:])
        torch.add(tensors[0], tensors[1], out=output)
        for tensor in tensors[2:]:
            output.add_(tensor)
        return output


class Concatenation:
    def of(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """The channels of all tensors, one after another."""
        output = maps.empty(sum(tensor.shape[1] for tensor in tensors), *tensors[0].shape[2:])
        stop = 0
        for tensor in tensors:
            start, stop = stop, stop + tensor.shape[1]
            output[:, start:stop].copy_(tensor)
        return output
