"""Modules beside configurations of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from iopt import zoo
from iopt.errors import ModelError, OptionError
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.trial import difference, execute, network, paired
from iopt.tiling.host.profiling import profile
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from tests.tiling import branching

TOLERANCE = 1e-5
Made = tuple[nn.Module, tuple[int, ...]]
"""A module, and the shape of its input."""


class Classifier(nn.Module):
    """As VGG with batch norm, small: two blocks, an average over cells, and linear layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 8), (8, 16)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            layers += [nn.Conv2d(after, after, 3, padding=1), nn.GELU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(nn.Linear(16 * 49, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.classifier(self.pool(self.features(images)).flatten(1))
        return scores


def classifier() -> Made:
    torch.manual_seed(3)
    module = Classifier().eval()
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    return module, (1, 3, 40, 36)


IMAGE = (1, 3, 64, 96)
CASES = {
    "classifier": (classifier, ("3x2/3/2x2c/6/1x1", "4x4c/4/1x1")),
    "lenet5": (lambda: (zoo.build("lenet5"), (1, 1, 28, 28)), ("2x3/2/1x2/4/1x1",)),
    "residual": (lambda: (branching.residual(), IMAGE), ("3x2/5/2x3/15/1x2/29/1x1", "4x4c/2/2x2/29/1x1")),
    "squeezed": (lambda: (branching.squeezed(), IMAGE), ("2x5/6/1x3/15/1x1", "3x3/15/1x1")),
    "inception": (
        lambda: (branching.inception(), IMAGE),
        ("1x3c/2/2x2/10/2x3/19/1x1", "2x2c/2/4x4/10/4x4/18/2x2/27/1x1"),
    ),
    "dense": (lambda: (branching.dense(), IMAGE), ("3x3/13/2x2/22/1x1",)),
    "yolov2-16": (lambda: (zoo.build("yolov2-16"), (1, 3, 64, 96)), ("2x3/8/2x2", "3x3c/5/1x2/9/1x1")),
}
LARGE = {
    "vgg11": (lambda: (zoo.build("vgg11"), (1, 3, 96, 64)), ("3x4/5/2x2c/10/1x1",)),
    "yolov2": (lambda: (zoo.build("yolov2"), (1, 3, 128, 128)), ("4x4/8/2x2c/17/1x1",)),
}


def assert_as_module(make: Callable[[], Made], texts: tuple[str, ...]) -> None:
    module, size = make()
    tensor = torch.randn(size, generator=torch.Generator().manual_seed(1))
    layers = len(layers_of(network(module, tensor, "network")[0]))
    for text in texts:
        for executor in ("lean", "torch"):
            run = execute(module, tensor, parse(text, layers), executor, repeat=1)
            assert run.difference < TOLERANCE
            assert run.is_predicted
            assert run.peak_bytes < run.untiled_bytes
            assert run.output_shape == tuple(module(tensor.clone()).shape)


@pytest.mark.parametrize("name", CASES)
def test_a_configuration_gives_what_the_module_gives(name: str) -> None:
    assert_as_module(*CASES[name])


@pytest.mark.full
@pytest.mark.parametrize("name", LARGE)
def test_so_do_those_of_large_modules(name: str) -> None:
    assert_as_module(*LARGE[name])


def test_what_an_execution_says() -> None:
    module, size = classifier()
    module.train()
    run = execute(module, torch.randn(size), parse("2x2/4/1x1", 9), repeat=3, name="small")
    assert module.training
    assert run.configuration == "2x2/4/1x1"
    assert run.executor == "lean"
    assert len(run.times_s) == 3
    assert run.time_s == sorted(run.times_s)[1]
    assert run.speedup == min(run.untiled_s, run.channels_last_s) / run.time_s
    with pytest.raises(OptionError, match="repeat is 0; expected a whole number, 1 or more"):
        execute(module, torch.randn(size), parse("2x2/4/1x1", 9), repeat=0)


def test_calls_take_turns_each_on_a_copy() -> None:
    calls: list[str] = []
    given = torch.zeros(1)

    def call(name: str, tensor: torch.Tensor) -> torch.Tensor:
        calls.append(name)
        assert tensor == 0
        return tensor.add_(1)

    times = paired([(partial(call, "a"), given), (partial(call, "b"), given)], 2)
    assert calls == ["a", "b"] * 3
    assert [len(own) for own in times] == [2, 2]
    assert given == 0


@pytest.mark.parametrize("first", [nn.ReLU(inplace=True), nn.Hardtanh(-0.1, 0.2, inplace=True)])
def test_a_module_that_works_in_place_leaves_the_image(first: nn.Module) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(first, nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))
    image = torch.randn(1, 3, 12, 12)
    before = image.clone()
    run = execute(module, image, parse("2x2/NoCut", len(layers_of(network(module, image, "n")[0]))), repeat=2)
    assert torch.equal(image, before)
    assert run.difference < TOLERANCE


def test_the_caller_s_autocast_does_not_count() -> None:
    torch.manual_seed(0)
    module, image = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)), torch.randn(1, 3, 16, 16)
    plain_graph, state = network(module, image, "n")
    plan = parse("2x2/NoCut", len(layers_of(plain_graph)))
    expected = Runtime(plain_graph, plan, state)(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        graph, _ = network(module, image, "n")
        run = execute(module, image, plan, repeat=1)
        output = Runtime(graph, plan, state)(image)
        profile(graph, state, parts=(1,), repeat=1)
    assert graph == plain_graph
    assert torch.equal(output, expected)
    assert run.is_predicted and run.difference < TOLERANCE
    assert run.untiled_bytes == execute(module, image, plan, repeat=1).untiled_bytes


def test_differences_are_over_the_largest_value() -> None:
    assert difference(torch.tensor([[[1.0]], [[4.5]]]), torch.tensor([[1.0, 5.0]])) == pytest.approx(0.1)
    assert difference(torch.zeros(3), torch.zeros(3)) == 0


def test_early_exits_are_refused() -> None:
    with pytest.raises(ModelError, match="tiling is for"):
        execute(zoo.build("b-resnet"), torch.zeros(1, 3, 32, 32), parse("1x1/NoCut", 1))
