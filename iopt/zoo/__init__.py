"""The networks of the papers, by name. Reading the list needs no torch; building a network does."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from iopt.door.wording import hint
from iopt.errors import ModelError
from iopt.graph.input_shape import checked_shape

if TYPE_CHECKING:
    from torch import nn

    from iopt.graph import Graph


@dataclass(frozen=True)
class Entry:
    """A network of the zoo; a function of this name (`_` for `-`) in `module` builds it.

    `input_shape` includes the batch, 1.
    """

    name: str
    module: str
    input_shape: tuple[int, ...]
    description: str
    source: str


_SIMONYAN = "Simonyan and Zisserman 2014, arXiv 1409.1556"
_VGG = "3x3 convolutions and 3 linear layers, names as in torchvision"
_BRANCHY = "reconstruction, after Teerapittayanon et al. 2016 (BranchyNet)"
_REDMON = "Redmon and Farhadi 2016, arXiv 1612.08242; Darknet, cfg/yolov2.cfg"
_ENTRIES = (
    Entry(
        name="lenet5",
        module="iopt.zoo.lenet",
        input_shape=(1, 1, 28, 28),
        description="2 convolutions (6, 16) and 3 linear layers, tanh, on 28x28 with padding 2",
        source="LeCun et al. 1998, Gradient-based learning applied to document recognition",
    ),
    Entry(
        name="lenet",
        module="iopt.zoo.lenet",
        input_shape=(1, 1, 28, 28),
        description="Caffe's LeNet: 2 convolutions (20, 50) and 2 linear layers (500, 10)",
        source="Caffe, examples/mnist/lenet.prototxt",
    ),
    Entry(
        name="alexnet",
        module="iopt.zoo.alexnet",
        input_shape=(1, 3, 224, 224),
        description="5 convolutions and 3 linear layers, the one-tower variant, names as in torchvision",
        source="Krizhevsky 2014, arXiv 1404.5997",
    ),
    Entry("vgg11", "iopt.zoo.vgg", (1, 3, 224, 224), f"8 {_VGG}", _SIMONYAN),
    Entry("vgg13", "iopt.zoo.vgg", (1, 3, 224, 224), f"10 {_VGG}", _SIMONYAN),
    Entry("vgg16", "iopt.zoo.vgg", (1, 3, 224, 224), f"13 {_VGG}", _SIMONYAN),
    Entry("vgg19", "iopt.zoo.vgg", (1, 3, 224, 224), f"16 {_VGG}", _SIMONYAN),
    Entry(
        name="b-lenet",
        module="iopt.zoo.branchy",
        input_shape=(1, 1, 28, 28),
        description="LeNet-5 in 3 stages, exits after 1 and 3",
        source=_BRANCHY,
    ),
    Entry(
        name="b-alexnet",
        module="iopt.zoo.branchy",
        input_shape=(1, 3, 32, 32),
        description="AlexNet for CIFAR, 5 convolutions and 3 linear layers, exits after stages 1, 3 and 5",
        source=_BRANCHY,
    ),
    Entry(
        name="b-resnet",
        module="iopt.zoo.branchy",
        input_shape=(1, 3, 32, 32),
        description="ResNet for CIFAR in 5 groups, 17 convolutions on the longest way, exits after 1, 3 and 5",
        source=_BRANCHY,
    ),
    Entry(
        name="yolov2-16",
        module="iopt.zoo.yolo",
        input_shape=(1, 3, 608, 608),
        description="the first 16 layers of YOLOv2: 12 convolutions with batch norm and 4 poolings",
        source=_REDMON,
    ),
    Entry(
        name="yolov2",
        module="iopt.zoo.yolo",
        input_shape=(1, 3, 608, 608),
        description="YOLOv2's 22 convolutions and 5 poolings in a row; the passthrough route is left out",
        source=_REDMON,
    ),
)
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""Every network of the zoo by its name."""


def find(name: str) -> Entry:
    """The entry of that name; raises `ModelError` with near matches."""
    if name not in ENTRIES:
        raise ModelError(f"the zoo has no network {name!r}; it has {', '.join(ENTRIES)}{hint(name, ENTRIES)}")
    return ENTRIES[name]


def build(name: str, seed: int = 0) -> nn.Module:
    """The network in eval mode on the CPU with random weights; equal seeds give equal weights."""
    from iopt.zoo.weights import fill

    return fill(skeleton(name), seed)


def skeleton(name: str) -> nn.Module:
    """The network in eval mode on the meta device: shapes without weights, made in milliseconds."""
    import torch

    entry = find(name)
    with torch.device("meta"):
        module: nn.Module = getattr(import_module(entry.module), entry.name.replace("-", "_"))()
    return module.eval()


def graph(name: str, input_shape: tuple[int, ...] | None = None) -> Graph:
    """The network's graph; no weights are made for it. `input_shape` (with the batch, 1) replaces the entry's own.

    Raises `ModelError` for an unknown name or an input that does not fit.
    """
    import torch

    from iopt.importer import import_module as import_network

    shape = find(name).input_shape if input_shape is None else checked_shape(input_shape)
    return import_network(skeleton(name), torch.empty(shape, device="meta"), name)
