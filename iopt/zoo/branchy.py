"""Early-exit networks after BranchyNet (Teerapittayanon et al. 2016); every exit is a named output, in order of depth.

The layers behind the published figures of these networks are not published in full: what is here is a reconstruction,
with the exits at the published places.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

Scores = dict[str, torch.Tensor]
EXITS = ("exit-1", "exit-2", "final")


class Branchy(nn.Module):
    """`stages` one after another; the branch named after a stage's number (from 1) turns its output into scores.

    The last stage ends in the scores of the final exit. Returns exit name -> scores [batch, classes].
    """

    def __init__(self, stages: list[nn.Module], branches: Mapping[int, nn.Module], names: tuple[str, ...]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.branches = nn.ModuleDict({str(stage): branch for stage, branch in branches.items()})
        self.names = names

    def forward(self, images: torch.Tensor) -> Scores:
        scores: Scores = {}
        features = images
        for number, stage in enumerate(self.stages, 1):
            features = stage(features)
            if str(number) in self.branches:
                scores[self.names[len(scores)]] = self.branches[str(number)](features)
        scores[self.names[-1]] = features
        return scores


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the shortcut is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            layers = (nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
            self.shortcut = nn.Sequential(*layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.second(self.first(features)) + self.shortcut(features)
        return torch.relu(total)


def b_lenet(channels: int = 1, side: int = 28, classes: int = 10, kernel: int = 5, padding: int = 0) -> Branchy:
    """LeNet-5 in three stages with exits after 1 and 3; after the first, 1600 features as published.

    `kernel`, odd, of both convolutions; `padding` of the second. For images of 8x8: kernel 3 and padding 1.
    """
    middle = side // 2 + 2 * padding - kernel + 1
    features = 16 * (middle // 2) ** 2
    stages: list[nn.Module] = [
        nn.Sequential(
            nn.Conv2d(channels, 6, kernel, padding=kernel // 2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel, padding=padding),
            nn.ReLU(inplace=True),
        ),
        nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(features, 120), nn.ReLU(inplace=True)),
        nn.Sequential(nn.Linear(120, 84), nn.ReLU(inplace=True), nn.Linear(84, classes)),
    ]
    branch = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(features, classes))
    return Branchy(stages, {1: branch}, ("exit-1", "final"))


def b_alexnet(channels: int = 3, side: int = 32, classes: int = 10) -> Branchy:
    """BranchyNet's AlexNet for CIFAR without local response norms, with exits after convolutions 1, 3 and 5."""
    small = side // 4 // 2
    stages: list[nn.Module] = [
        nn.Sequential(nn.Conv2d(channels, 32, 5, padding=2), nn.ReLU(inplace=True), _halve()),
        nn.Sequential(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(inplace=True), _halve()),
        nn.Sequential(nn.Conv2d(64, 96, 3, padding=1), nn.ReLU(inplace=True)),
        nn.Sequential(nn.Conv2d(96, 96, 3, padding=1), nn.ReLU(inplace=True)),
        nn.Sequential(
            nn.Conv2d(96, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            _halve(),
            nn.Flatten(),
            nn.Linear(64 * small**2, 256),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(256, 128),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(128, classes),
        ),
    ]
    first = (nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(inplace=True), _halve(), nn.Flatten())
    second = (nn.Conv2d(96, 32, 3, padding=1), nn.ReLU(inplace=True), _halve(), nn.Flatten())
    branches = {
        1: nn.Sequential(*first, nn.Linear(32 * (side // 4) ** 2, classes)),
        3: nn.Sequential(*second, nn.Linear(32 * small**2, classes)),
    }
    return Branchy(stages, branches, EXITS)


def b_resnet(channels: int = 3, classes: int = 10) -> Branchy:
    """A ResNet for CIFAR in five groups with exits after 1, 3 and 5; the sizes between the groups are as published."""
    stages: list[nn.Module] = [
        _convolution(channels, 16, 1),
        nn.Sequential(Residual(16, 16, 1), Residual(16, 16, 1)),
        nn.Sequential(Residual(16, 32, 2), Residual(32, 64, 2)),
        nn.Sequential(Residual(64, 64, 1), Residual(64, 64, 1)),
        nn.Sequential(Residual(64, 64, 1), Residual(64, 64, 1), *_classifier(64, classes)),
    ]
    branches = {1: nn.Sequential(*_classifier(16, classes)), 3: nn.Sequential(*_classifier(64, classes))}
    return Branchy(stages, branches, EXITS)


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, padding=1)


def _classifier(features: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, classes)]
