"""YOLOv2 as a chain, layer by layer as in Darknet's yolov2.cfg; the route and reorg of its last third are left out."""

from __future__ import annotations

import torch
from torch import nn

_LAYERS: tuple[tuple[int, int] | None, ...] = (
    (32, 3), None,
    (64, 3), None,
    (128, 3), (64, 1), (128, 3), None,
    (256, 3), (128, 1), (256, 3), None,
    (512, 3), (256, 1), (512, 3), (256, 1), (512, 3), None,
    (1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3),
    (1024, 3), (1024, 3), (1024, 3),
)  # fmt: skip
"""Channels and kernel of a convolution; None is a 2 x 2 max-pooling."""

_ANCHORS, _BOX, _CLASSES = 5, 5, 80


class YOLOv2(nn.Module):
    """1 x 3 x H x W, H and W multiples of 32: the first `count` layers, or all and the last convolution to 425 x H/32 x
    W/32. Every other convolution has a batch norm and leaky ReLU 0.1."""

    def __init__(self, count: int | None = None) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for layer in _LAYERS[:count]:
            if layer is None:
                layers.append(nn.MaxPool2d(2))
                continue
            channels, kernel = layer
            layers += [
                nn.Conv2d(before, channels, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(channels),
                nn.LeakyReLU(0.1, inplace=True),
            ]
            before = channels
        if count is None:
            layers.append(nn.Conv2d(before, _ANCHORS * (_BOX + _CLASSES), 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layers(images)
        return features


def yolov2_16() -> YOLOv2:
    return YOLOv2(16)


def yolov2() -> YOLOv2:
    return YOLOv2()
