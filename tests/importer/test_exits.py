"""Modules that return one tensor per exit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from iopt import model
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.importer import import_module
from tests.importer.interpreter import run_all

IMAGE = (1, 2, 6, 6)


class Two(nn.Module):
    """A convolution with a branch behind it and a second one; `returns` makes the output of the two scores."""

    def __init__(self, returns: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 3, 3), nn.Conv2d(3, 4, 3)
        self.early, self.late = nn.Linear(48, 5), nn.Linear(16, 5)
        self.returns = returns

    def forward(self, image: torch.Tensor) -> Any:
        features = torch.relu(self.first(image))
        early = self.early(features.view(features.size(0), -1))
        return self.returns(early, self.late(self.second(features).flatten(1)))


def imported(returns: Callable[[Any, Any], Any]) -> Graph:
    return import_module(Two(returns), torch.zeros(IMAGE), "net")


@pytest.mark.parametrize(
    ("returns", "names"),
    [
        (lambda early, late: {"z": early, "a": late}, ["z", "a"]),
        (lambda early, late: OrderedDict(b=early, a=late), ["b", "a"]),
        (lambda early, late: {1: early, 2: late}, ["1", "2"]),
        (lambda early, late: (early, late), ["exit-1", "exit-2"]),
        (lambda early, late: [early, late], ["exit-1", "exit-2"]),
    ],
    ids=["dict", "OrderedDict", "numbers", "tuple", "list"],
)
def test_names_and_order_are_the_modules(returns: Callable[[Any, Any], Any], names: list[str]) -> None:
    assert imported(returns).exits == tuple(zip(names, ["early", "late"], strict=True))


def test_one_output_in_a_mapping_is_no_exit() -> None:
    graph = imported(lambda early, late: {"only": late})
    assert (graph.exits, [operator.name for operator in graph]) == ((), ["first", "second", "late"])


def test_every_exit_computes_what_the_module_computes() -> None:
    module, image = Two(lambda early, late: {"early": early, "late": late}), torch.rand(IMAGE)
    graph = import_module(module, image, "net")
    tensors = run_all(graph, module.state_dict(), image)
    with torch.no_grad():
        expected = module(image)
    for name, operator in graph.exits:
        torch.testing.assert_close(tensors[operator].flatten(1), expected[name])


def test_steps_behind_an_exit_do_not_change_it() -> None:
    class Chain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, values: torch.Tensor) -> Any:
            early = self.a(values)
            return early, self.b(torch.relu(early))

    graph = import_module(Chain(), torch.zeros(1, 3), "net")
    assert [operator.body.kind for operator in graph] == ["linear", "identity", "linear"]
    assert graph.exits == (("exit-1", "a"), ("exit-2", "b"))


def test_a_saved_program_keeps_them(tmp_path: Path) -> None:
    module = Two(lambda early, late: {"z": early, "a": late}).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(IMAGE),)), tmp_path / "net.pt2")
    assert model.load(tmp_path / "net.pt2", trust=True).exits == (("z", "early"), ("a", "late"))


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (
            lambda early, late: {"a": late, "b": late},
            "net: its outputs 'a' and 'b' are one tensor; expected one per exit",
        ),
        (lambda early, late: ((early, late), late + early), "net: its output 'exit-1' is a nested structure"),
        (lambda early, late: (early, late, 3), "net: its output 'exit-3' is no tensor"),
        (lambda early, late: (early, early.view(1, 5, 1, 1), late), "exits 'exit-1' and 'exit-2' are one tensor"),
        (lambda early, late: {1: early, "1": late}, "net returns a mapping with keys .*; expected keys that differ"),
        (lambda early, late: (), "net has 0 outputs"),
    ],
)
def test_refused(returns: Callable[[Any, Any], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        imported(returns)
    assert "\n" not in str(caught.value)


def test_the_input_as_an_exit_is_refused() -> None:
    class Through(nn.Sequential):
        def forward(self, image: torch.Tensor) -> Any:
            return image, super().forward(image)

    with pytest.raises(ModelError, match=r"net: its output 'exit-1' is .*, which it does not compute"):
        import_module(Through(nn.Linear(3, 3)), torch.zeros(1, 3), "net")
