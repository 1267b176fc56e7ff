"""Networks with branches, and what becomes of names and of what nobody needs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from iopt.graph.layers import Add, BatchNorm, Concat, Conv2d, Window
from iopt.importer import import_module
from tests.importer.modules import IMAGE, Wrapped, functions, imported, only


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
