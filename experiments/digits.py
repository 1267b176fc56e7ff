"""A B-LeNet trained on the 8x8 digits that come with scikit-learn, in seconds: an early-exit network to measure.

`python -m experiments.digits PROFILE.json` trains it and writes what was measured on the calibration split.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from iopt.zoo.branchy import Branchy, b_lenet

SIDE = 8
EXAMPLE = torch.zeros(1, 1, SIDE, SIDE)


@dataclass(frozen=True)
class Split:
    """Labelled images; iterating gives batches of (images [batch, 1, 8, 8] of 0 ... 1, labels [batch])."""

    images: torch.Tensor
    labels: torch.Tensor
    batch: int = 64

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        yield from zip(self.images.split(self.batch), self.labels.split(self.batch), strict=True)

    def __len__(self) -> int:
        return len(self.images)


def splits(seed: int = 0) -> tuple[Split, Split, Split]:
    """Training, calibration and held-out split: 897, 450 and 450 digits, drawn without regard to the class."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(seed).permutation(len(data.target))
    images = torch.tensor(data.images[order] / 16.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(data.target[order])
    parts = zip(images.split([897, 450, 450]), labels.split([897, 450, 450]), strict=True)
    training, calibration, held_out = (Split(*part) for part in parts)
    return training, calibration, held_out


def network(seed: int = 0) -> Branchy:
    """An untrained B-LeNet for 8x8; equal seeds give equal weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return b_lenet(side=SIDE, kernel=3, padding=1)


def train(module: nn.Module, split: Split, epochs: int = 60, seed: int = 0) -> nn.Module:
    """Train the exits jointly, by the sum of their cross entropies; the module, in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    module.train()
    for _ in range(epochs):
        order = torch.randperm(len(split), generator=generator)
        for images, labels in Split(split.images[order], split.labels[order], split.batch):
            losses = [functional.cross_entropy(scores, labels) for scores in module(images).values()]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
    return module.eval()


def main() -> None:
    from iopt.exits.files import save_profile
    from iopt.exits.profiling import profile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", metavar="PROFILE.json")
    parser.add_argument("--threshold", type=float, default=0.2, help="normalised entropy up to which a sample leaves")
    arguments = parser.parse_args()
    training, calibration, _ = splits()
    module = train(network(), training)
    measured = profile(module, calibration, "entropy", [arguments.threshold], EXAMPLE, "b-lenet-digits")
    save_profile(measured, arguments.output)
    for leave in measured.network.exits:
        print(f"{leave.name}: {leave.fraction:.1%} leave, accuracy {leave.accuracy:.1%} as the deepest exit")


if __name__ == "__main__":
    main()
