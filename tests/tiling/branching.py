"""Small modules with branches, built as the well-known ones: residual blocks, fire modules, inception, dense blocks."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional


def normed(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution and a batch norm with statistics of its own."""
    norm = nn.BatchNorm2d(after)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return nn.Sequential(nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), norm)


class Residual(nn.Module):
    """Two 3x3 convolutions; where size or channels change, a 1x1 convolution beside them."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.first, self.second = normed(before, after, 3, stride), normed(after, after, 3)
        self.beside = normed(before, after, 1, stride) if (before, 1) != (after, stride) else nn.Identity()

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        inner = self.second(functional.relu(self.first(tensor)))
        return functional.relu(inner + self.beside(tensor))


class Fire(nn.Module):
    """SqueezeNet's: a 1x1 convolution, then one of 1x1 beside one of 3x3."""

    def __init__(self, before: int, squeezed: int, after: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeezed, 1)
        self.one, self.three = nn.Conv2d(squeezed, after, 1), nn.Conv2d(squeezed, after, 3, padding=1)

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        squeezed = functional.relu(self.squeeze(tensor))
        return torch.cat([functional.relu(self.one(squeezed)), functional.relu(self.three(squeezed))], 1)


class Inception(nn.Module):
    """GoogLeNet's: four branches, with kernels of 1, 3 and 5 and a pooling."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.one = normed(before, width, 1)
        self.three = nn.Sequential(normed(before, width, 1), nn.ReLU(), normed(width, 2 * width, 3))
        self.five = nn.Sequential(normed(before, width, 1), nn.ReLU(), normed(width, width, 5))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), normed(before, width, 1))

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        return torch.cat([functional.relu(branch(tensor)) for branch in self.children()], 1)


class Dense(nn.Module):
    """DenseNet's: every layer reads what all before it wrote, joined, and normed for it alone."""

    def __init__(self, before: int, growth: int, count: int) -> None:
        super().__init__()
        widths = [before + growth * index for index in range(count)]
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.layers = nn.ModuleList(nn.Conv2d(width, growth, 3, padding=1) for width in widths)

    def forward(self, tensor: torch.Tensor) -> torch.Tensor:
        for norm, layer in zip(self.norms, self.layers, strict=True):
            tensor = torch.cat([tensor, layer(functional.relu(norm(tensor)))], 1)
        return tensor


def _ended(*layers: nn.Module, channels: int) -> nn.Module:
    """With a global average and a linear layer."""
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)).eval()


def residual() -> nn.Module:
    """As ResNet-18, narrow: a strided convolution, a pooling, and four pairs of blocks."""
    torch.manual_seed(1)
    widths = [8, 8, 12, 16, 24]
    blocks = [
        block
        for index, (before, after) in enumerate(pairwise(widths))
        for block in (Residual(before, after, 2 if index else 1), Residual(after, after))
    ]
    return _ended(normed(3, 8, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks, channels=24)


def squeezed() -> nn.Module:
    """As SqueezeNet, short."""
    torch.manual_seed(2)
    stem = [nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
    fires = [Fire(16, 4, 8), Fire(16, 4, 8), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(16, 6, 12)]
    return nn.Sequential(*stem, *fires, nn.Conv2d(24, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def inception() -> nn.Module:
    """As GoogLeNet, short."""
    torch.manual_seed(3)
    stem = [normed(3, 8, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
    return _ended(*stem, Inception(8, 4), Inception(20, 4), nn.MaxPool2d(2), Inception(20, 6), channels=30)


def dense() -> nn.Module:
    """As DenseNet, short."""
    torch.manual_seed(4)
    stem = [nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.MaxPool2d(2)]
    return _ended(*stem, Dense(8, 4, 3), nn.Conv2d(20, 10, 1), nn.AvgPool2d(2), Dense(10, 4, 3), channels=22)


BRANCHING = {"residual": residual, "squeezed": squeezed, "inception": inception, "dense": dense}
