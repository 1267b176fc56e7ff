"""A module and the graph imported from it compute the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from iopt.errors import UnsupportedOperatorError
from iopt.graph.layers import BatchNorm, Conv2d, Flatten, Identity, Linear, Pool, Window
from tests.importer.modules import IMAGE, Wrapped, functions, imported, only


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3),
        nn.Conv2d(4, 6, (3, 1), stride=(2, 1), padding=(1, 0), bias=False),
        nn.Conv2d(4, 6, 3, dilation=(2, 1), padding=1),
        nn.Conv2d(4, 6, (3, 5), padding="same", dilation=(1, 2)),
        nn.Conv2d(4, 6, 3, padding="valid"),
        nn.Conv2d(4, 6, 1, padding=2),
        nn.Conv2d(4, 8, 3, groups=2),
        nn.Conv2d(4, 8, 3, groups=4),
        nn.Conv2d(4, 1, (9, 11)),
    ],
    ids=str,
)
def test_convolution(layer: nn.Conv2d) -> None:
    operator = only(imported(nn.Sequential(layer)))
    assert operator.name == "0"
    assert isinstance(operator.body, Conv2d)
    assert operator.parameters == sum(parameter.numel() for parameter in layer.parameters())
    assert operator.groups == layer.groups


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (nn.ReLU(), "relu"),
        (nn.ReLU(inplace=True), "relu"),
        (nn.ReLU6(), "hardtanh"),
        (nn.Hardtanh(-0.3, 0.2), "hardtanh"),
        (nn.Hardswish(), "hardswish"),
        (nn.Hardswish(inplace=True), "hardswish"),
        (nn.Hardsigmoid(), "hardsigmoid"),
        (nn.Sigmoid(), "sigmoid"),
        (nn.Tanh(), "tanh"),
        (nn.SiLU(), "silu"),
        (nn.GELU(), "gelu"),
        (nn.GELU(approximate="tanh"), "gelu"),
        (nn.LeakyReLU(0.3), "leaky_relu"),
        (nn.ELU(0.4), "elu"),
        (nn.CELU(0.4), "celu"),
        (nn.SELU(), "selu"),
        (nn.Softplus(2.0, 0.1), "softplus"),
        (nn.Mish(), "mish"),
    ],
    ids=str,
)
def test_activation(layer: nn.Module, function: str) -> None:
    graph = imported(nn.Sequential(nn.Conv2d(4, 4, 3), layer))
    assert functions(only(graph)) == [function]
    alone = only(imported(nn.Sequential(nn.Identity(), layer)))
    assert isinstance(alone.body, Identity)
    assert (alone.name, functions(alone), alone.flops) == ("1", [function], 0)


POOLINGS: list[nn.Module] = [
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, stride=2, padding=1),
    nn.MaxPool2d((3, 2), stride=(1, 2), ceil_mode=True),
    nn.MaxPool2d(2, dilation=2),
    nn.AvgPool2d(2),
    nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
    nn.AvgPool2d((2, 3), ceil_mode=True, divisor_override=5),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d((4, None)),
    nn.AdaptiveMaxPool2d((5, 2)),
]


@pytest.mark.parametrize("layer", POOLINGS, ids=str)
def test_pooling(layer: nn.Module) -> None:
    fused = only(imported(nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), layer)))
    assert fused.pool is not None
    assert fused.pre_shape == (6, 9, 11)
    alone = only(imported(nn.Sequential(nn.Identity(), layer)))
    assert isinstance(alone.body, Pool)
    assert alone.pre_shape == alone.output_shape == (4, *fused.output_shape[1:])
    assert alone.pool is None


@pytest.mark.parametrize("layer", [nn.AdaptiveAvgPool2d((9, 11)), nn.AdaptiveMaxPool2d((9, 11)), nn.MaxPool2d(1)])
def test_a_pooling_that_changes_nothing_vanishes(layer: nn.Module) -> None:
    assert only(imported(nn.Sequential(nn.Conv2d(4, 4, 1), layer))).epilogue == ()


def test_a_second_pooling_is_an_operator() -> None:
    graph = imported(nn.Sequential(nn.Conv2d(4, 4, 1), nn.MaxPool2d(2), nn.ReLU(), nn.AvgPool2d(2), nn.Tanh()))
    assert [operator.name for operator in graph] == ["0", "3"]
    assert [functions(operator) for operator in graph] == [["pool", "relu"], ["tanh"]]
    assert graph.operators[1].body == Pool("average", Window((2, 2), (2, 2)))


def test_batch_norm_folds_only_right_behind_a_weighted_layer() -> None:
    first, second, third = nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False), nn.BatchNorm2d(4)
    operator = only(imported(nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), first, second, nn.ReLU(), third)))
    norms = [step for step in operator.epilogue if isinstance(step, BatchNorm)]
    assert [(norm.name, norm.folded, norm.affine) for norm in norms] == [
        ("1", True, True),
        ("2", False, False),
        ("4", False, True),
    ]
    assert operator.parameters == 16 + 4 + 2 * 8


def test_batch_norm_after_linear_and_after_flatten() -> None:
    layers = (nn.Flatten(), nn.BatchNorm1d(396), nn.Linear(396, 5), nn.BatchNorm1d(5), nn.ReLU())
    norm, linear = imported(nn.Sequential(*layers))
    assert isinstance(norm.body, Identity)
    assert norm.parameters == 2 * 396
    assert functions(linear) == ["batch_norm", "relu"]
    assert linear.parameters == 396 * 5 + 5


def test_batch_norm_alone_is_an_identity_with_an_epilogue() -> None:
    assert isinstance(only(imported(nn.Sequential(nn.Identity(), nn.BatchNorm2d(4)))).body, Identity)


@pytest.mark.parametrize(
    "flatten",
    [
        nn.Flatten(),
        Wrapped(lambda _, image: image.view(1, -1)),
        Wrapped(lambda _, image: image.reshape(image.size(0), 396)),
        Wrapped(lambda _, image: torch.flatten(image, 1).contiguous().clone().detach()),
    ],
)
def test_linear_on_the_input(flatten: nn.Module) -> None:
    operator = only(imported(nn.Sequential(flatten, nn.Linear(396, 7))))
    assert isinstance(operator.body, Linear)
    assert (operator.input_shape, operator.output_shape) == (IMAGE[1:], (7, 1, 1))
    assert operator.flops == 2 * 396 * 7


def test_an_input_of_features() -> None:
    graph = imported(nn.Sequential(nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 3, bias=False)), (1, 12))
    assert graph.input_shape == (12, 1, 1)
    assert [operator.body for operator in graph] == [Linear("0.weight", "0.bias"), Linear("2.weight")]


def test_flatten_is_noted_and_taken_back() -> None:
    network = nn.Sequential(nn.Conv2d(4, 2, (9, 11)), nn.Flatten(), nn.Unflatten(1, (2, 1, 1)))
    with pytest.raises(UnsupportedOperatorError, match=r"aten\.unflatten\.int x1"):
        imported(network)
    back = Wrapped(lambda self, image: self.a(image).flatten(1).view(1, 2, 1, 1), a=nn.Conv2d(4, 2, (9, 11)))
    assert only(imported(back)).epilogue == ()
    assert only(imported(network[:2])).epilogue == (Flatten(),)


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.Dropout2d(), nn.AlphaDropout(), nn.FeatureAlphaDropout()], ids=str)
def test_dropout_vanishes(layer: nn.Module) -> None:
    assert only(imported(nn.Sequential(nn.Conv2d(4, 4, 1), layer, nn.Identity()))).epilogue == ()
