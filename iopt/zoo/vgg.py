"""VGG without batch norm; layers and state-dict names as in torchvision."""

from __future__ import annotations

import torch
from torch import nn

_CHANNELS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """1 x 3 x H x W to 1000 classes, H and W at least 32. Five blocks of `depths` convolutions and a pooling each."""

    def __init__(self, depths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for depth, channels in zip(depths, _CHANNELS, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU(inplace=True)]
                before = channels
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 1000),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.avgpool(self.features(images))
        scores: torch.Tensor = self.classifier(features.flatten(1))
        return scores


def vgg11() -> VGG:
    return VGG((1, 1, 2, 2, 2))


def vgg13() -> VGG:
    return VGG((2, 2, 2, 2, 2))


def vgg16() -> VGG:
    return VGG((2, 2, 3, 3, 3))


def vgg19() -> VGG:
    return VGG((2, 2, 4, 4, 4))
