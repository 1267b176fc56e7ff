"""Networks that are refused, by the name of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from iopt.errors import ModelError, UnsupportedOperatorError
from iopt.importer import import_module, import_program
from tests.importer.modules import IMAGE, Wrapped


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
