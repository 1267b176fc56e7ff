"""A module and the graph imported from it compute the same; what iopt does not know is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from iopt.errors import ModelError, UnsupportedOperatorError
from iopt.graph import Graph, Operator
from iopt.graph.layers import Activation, Add, BatchNorm, Concat, Conv2d, Flatten, Identity, Linear, Pool, Window
from iopt.importer import import_module, import_program
from tests.importer.interpreter import run

IMAGE = (1, 4, 9, 11)


class Wrapped(nn.Module):
    """Layers by name and a forward that is given as a function."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.function = forward

    def forward(self, image: torch.Tensor) -> Any:
        return self.function(self, image)


def wake(module: nn.Module) -> nn.Module:
    """Random running statistics and affine parameters, so that a forgotten batch norm shows."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            torch.nn.init.uniform_(tensor, 0.2, 1.0)
    return module


def imported(module: nn.Module, shape: tuple[int, ...] = IMAGE) -> Graph:
    """The graph, after a check that it computes what the module computes."""
    image = torch.rand(shape) - 0.5
    graph = import_module(wake(module), image, "net")
    expected = module.eval()(image.clone()).flatten(1)
    torch.testing.assert_close(run(graph, module.state_dict(), image), expected)
    return graph


def only(graph: Graph) -> Operator:
    (operator,) = graph
    return operator


def functions(operator: Operator) -> list[str]:
    """The epilogue in short: names of functions, kinds of other steps."""
    return [step.function if isinstance(step, Activation) else step.kind for step in operator.epilogue]


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


def residual(self: Any, image: torch.Tensor) -> Any:
    stem = functional.relu(self.stem(image))
    branch = self.norm(self.branch(stem))
    branch += stem
    return functional.relu_(branch)


def test_a_residual_block() -> None:
    layers = {"stem": nn.Conv2d(4, 6, 1), "branch": nn.Conv2d(6, 6, 3, padding=1), "norm": nn.BatchNorm2d(6)}
    graph = imported(Wrapped(residual, **layers))
    stem, branch, total = graph
    assert [functions(operator) for operator in graph] == [["relu"], ["batch_norm"], ["relu"]]
    assert (total.body, total.inputs, total.name) == (Add(), ("branch", "stem"), "add")
    assert not graph.is_chain
    assert stem.output_shape == branch.output_shape == total.output_shape


def test_a_block_of_branches() -> None:
    def forward(self: Any, image: torch.Tensor) -> Any:
        pooled = functional.max_pool2d(image, 3, stride=1, padding=1)
        branches = [self.one(image), functional.relu(self.three(image)), self.pool(pooled), image]
        return self.last(torch.cat(branches, 1))

    three = nn.Conv2d(4, 3, 3, padding=1)
    layers = {"one": nn.Conv2d(4, 2, 1), "three": three, "pool": nn.Conv2d(4, 2, 1), "last": nn.BatchNorm2d(11)}
    graph = imported(Wrapped(forward, **layers))
    assert [operator.name for operator in graph] == ["max_pool2d", "one", "three", "pool", "cat"]
    assert graph.operators[-1].body == Concat()
    assert graph.operators[-1].inputs == ("one", "three", "pool", "input")
    assert graph.operators[-1].parameters == 2 * 11


def test_steps_do_not_join_a_producer_that_others_read() -> None:
    def forward(self: Any, image: torch.Tensor) -> Any:
        shared = functional.dropout(self.a(image), training=self.training)
        return functional.max_pool2d(self.norm(shared), 3, 1, 1) + functional.relu(shared)

    graph = imported(Wrapped(forward, a=nn.Conv2d(4, 4, 1), norm=nn.BatchNorm2d(4)))
    assert [(operator.name, operator.body.kind) for operator in graph] == [
        ("a", "conv2d"),
        ("norm", "identity"),
        ("max_pool2d", "pool"),
        ("relu", "identity"),
        ("add", "add"),
    ]
    assert [functions(operator) for operator in graph] == [[], ["batch_norm"], [], ["relu"], []]
    assert not any(step.folded for operator in graph for step in operator.epilogue if isinstance(step, BatchNorm))


def test_flat_tensors_are_added_and_concatenated() -> None:
    def forward(self: Any, image: torch.Tensor) -> Any:
        left, right = self.a(image).flatten(1), self.b(image).flatten(1)
        return self.c(torch.cat([left + right, left], 1))

    graph = imported(Wrapped(forward, a=nn.Conv2d(4, 2, 3), b=nn.Conv2d(4, 2, 3), c=nn.Linear(252, 3)))
    assert [operator.output_shape for operator in graph][2:4] == [(2, 7, 9), (4, 7, 9)]


def test_one_layer_twice_and_a_name_that_is_taken() -> None:
    layer = nn.Conv2d(4, 4, 1)
    graph = imported(Wrapped(lambda self, image: self.input(self.input(image)), input=layer))
    assert [operator.name for operator in graph] == ["input@2", "input@3"]
    assert {operator.body for operator in graph} == {graph.operators[0].body}


def test_weights_outside_layers_are_named_by_the_state_dict() -> None:
    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = nn.Parameter(torch.zeros(2, 4, 3, 3))

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return functional.conv2d(image, self.kernel)

    assert only(imported(nn.Sequential(Bare()))).name == "0.kernel"
    assert only(imported(nn.Conv2d(4, 2, 3))).name == "conv2d"
    assert only(imported(Bare())).body == Conv2d("kernel", Window((3, 3)))


def test_what_the_output_does_not_need_is_left_out() -> None:
    def forward(self: Any, image: torch.Tensor) -> Any:
        kept = self.a(image)
        torch.softmax(self.b(image) + kept, 1)
        return functional.relu(kept)

    operator = only(imported(Wrapped(forward, a=nn.Conv2d(4, 2, 3), b=nn.Conv2d(4, 2, 3))))
    assert (operator.name, functions(operator)) == ("a", ["relu"])


def test_the_module_is_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    network = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    network[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    import_module(network, torch.zeros(IMAGE), "net")
    assert [part.training for part in network.modules()] == [True, True, False, True]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert capfd.readouterr() == ("", "")


def conv(**more: Any) -> nn.Module:
    return nn.Conv2d(4, 4, 3, **more)


def stale(_: nn.Module, image: torch.Tensor) -> torch.Tensor:
    kept = image.view(1, -1)
    image.relu_()
    return kept


def drops_always(_: nn.Module, image: torch.Tensor) -> torch.Tensor:
    return functional.dropout(image)


def branches_on_values(_: nn.Module, image: torch.Tensor) -> torch.Tensor:
    return image.relu() if image.sum() > 0 else image.tanh()


def half_a_norm(self: Any, image: torch.Tensor) -> Any:
    norm = self.norm
    return functional.batch_norm(image, norm.running_mean, norm.running_var, norm.weight, None)


def reads_indices(_: nn.Module, image: torch.Tensor) -> torch.Tensor:
    values, indices = functional.max_pool2d(image, 2, return_indices=True)
    return values + indices


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "padding 'same', even": (nn.Conv2d(4, 4, 2, padding="same"), "padding 'same' of a kernel 2x2 is not symmetric"),
    "linear on 4 dimensions": (nn.Linear(11, 3), "net: 0: it works on the last dimension of 1x4x9x11"),
    "flatten elsewhere": (nn.Flatten(2), "net: 0: it reshapes 1x4x9x11 to 1x4x99"),
    "dropout that always drops": (Wrapped(drops_always), "it drops values although the network is in eval mode"),
    "batch statistics": (nn.BatchNorm2d(4, track_running_stats=False), "it norms with the statistics of the batch"),
    "an old name": (Wrapped(stale), "net: 0.relu works in place on a tensor that output reads later"),
    "a branch": (Wrapped(branches_on_values), "net cannot be exported by torch.export: .*; take branches and loops"),
    "a number added": (Wrapped(lambda _, image: image + 1), "net: 0.add: it reads the constant 1"),
    "a factor": (Wrapped(lambda _, image: torch.add(image, image, alpha=2)), "4x9x11 and 4x9x11 with alpha 2"),
    "broadcasting": (
        Wrapped(lambda _, image: image + functional.adaptive_avg_pool2d(image, 1)),
        "net: 0.add: it adds 4x9x11 and 4x1x1; iopt knows sums of two tensors of one shape",
    ),
    "concatenated rows": (Wrapped(lambda _, image: torch.cat([image, image], 2)), "4x9x11 along dimension 2"),
    "indices": (Wrapped(reads_indices), "the network reads the indices of a pooling"),
    "a computed weight": (
        Wrapped(lambda self, image: functional.conv2d(image, self.a.weight.relu()), a=conv()),
        "it reads the constant 0.a.weight",
    ),
    "the input as a weight": (
        Wrapped(lambda _, image: functional.conv2d(image, image)),
        r"net: 0\.conv2d: its weight .* is computed; iopt knows weights that lie in the state dict",
    ),
    "a scaled activation": (
        Wrapped(lambda _, image: torch.ops.aten.elu.default(image, 1.0, 2.0)),
        r"net: 0\.elu: elu with {'scale': 2\.0, 'input_scale': 1}; iopt knows it with alpha only",
    ),
    "half a batch norm": (
        Wrapped(half_a_norm, norm=nn.BatchNorm2d(4)),
        r"net: 0\.batch_norm: it has only one of weight and bias",
    ),
    "no tensor": (Wrapped(lambda _, image: image.shape[0]), "net: its output is no tensor; expected one tensor, or"),
    "nothing at all": (nn.Identity(), "graph 'net' has no operators"),
    "wrong channels": (nn.Conv2d(3, 4, 3), "net does not run on an input of 1x4x9x11: .*3 channels"),
    "half precision": (conv().half(), r"net: 0\.weight is torch\.float16; iopt plans in fp32, call \.float\(\)"),
}


@pytest.mark.parametrize(("layer", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(layer: nn.Module, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        import_module(nn.Sequential(layer), torch.zeros(IMAGE), "net")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_every_unknown_operator_is_listed() -> None:
    def forward(_: nn.Module, image: torch.Tensor) -> torch.Tensor:
        turned = image.permute(0, 1, 3, 2).softmax(1).permute(0, 1, 3, 2)
        return torch.log_softmax(turned.permute(0, 1, 3, 2), 1)

    with pytest.raises(UnsupportedOperatorError) as caught:
        import_module(Wrapped(forward), torch.zeros(IMAGE), "net")
    listed = "aten.permute.default x3, aten.softmax.int x1, aten.log_softmax.int x1"
    assert str(caught.value) == (
        f"net: 3 operators that iopt does not know: {listed}; "
        "a softmax at the end can be left out and applied to the output"
    )


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (torch.zeros(2, 4, 9, 11), "net: the example input is 2x4x9x11; iopt plans one input at a time"),
        (torch.zeros(4, 9, 11), "net: the example input is 4x9x11"),
        (torch.zeros(IMAGE, dtype=torch.float64), r"net: the example input is torch\.float64; iopt plans in fp32"),
    ],
)
def test_refused_inputs(example: torch.Tensor, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        import_module(nn.Sequential(conv()), example, "net")


def test_programs_with_dynamic_shapes_or_several_inputs_are_refused() -> None:
    batch = torch.export.Dim("batch")
    dynamic = torch.export.export(nn.ReLU(), (torch.zeros(2, 4, 9, 11),), dynamic_shapes=({0: batch},))
    with pytest.raises(ModelError, match=r"net: its input .*x4x9x11 has dynamic dimensions; export it with fixed"):
        import_program(dynamic, "net")
    two = torch.export.export(nn.PReLU(4), (torch.zeros(2, 4, 9, 11),))
    with pytest.raises(ModelError, match=r"aten\.prelu\.default x1"):
        import_program(two, "net")
    sums = torch.export.export(Sum(), (torch.zeros(IMAGE), torch.zeros(IMAGE)))
    with pytest.raises(ModelError, match="net has 2 inputs; iopt plans networks with one input"):
        import_program(sums, "net")
    batched = torch.export.export(nn.ReLU(), (torch.zeros(2, 4, 9, 11),))
    with pytest.raises(ModelError, match="net: its input is 2x4x9x11; iopt plans one input at a time"):
        import_program(batched, "net")
    training = torch.export.export(nn.Sequential(conv(), nn.Dropout()).train(), (torch.zeros(IMAGE),))
    with pytest.raises(ModelError, match="net: 1: it drops values"):
        import_program(training, "net")


class Sum(nn.Module):
    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return left + right
