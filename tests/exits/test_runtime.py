"""Networks run block by block compute what they compute whole; what does not belong together is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from iopt import zoo
from iopt.errors import ClusterError, ModelError, OptionError, PlanError
from iopt.exits.blocks import Granularity, backbone
from iopt.exits.execution import Execution
from iopt.exits.network import ExitNetwork
from iopt.exits.observations import Profile
from iopt.exits.plan import Placement, Plan
from iopt.exits.profiling import observe
from iopt.exits.runtime import execute
from iopt.exits.sections import Section, sections
from iopt.graph import Graph
from iopt.importer.export import read_module


class Awkward(nn.Module):
    """In-place layers on shared tensors, views that name the batch, an exit that is read further."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.more = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3, padding=1)
        self.early, self.late, self.last = nn.Linear(64, 5), nn.Linear(64, 5), nn.Linear(5, 5)
        self.register_buffer("unused", torch.zeros(1))

    def forward(self, images: torch.Tensor) -> Any:
        stem = self.stem(images)
        deep = self.more(stem)
        early = self.early(functional.relu_(stem).view(stem.size(0), -1))
        scores = self.late(functional.relu_(deep).reshape(deep.size(0), 64))
        return {"early": early, "middle": scores, "late": self.last(torch.tanh(scores))}


class Data:
    """Batches that can be read again."""

    def __init__(self, shape: tuple[int, ...], samples: int, classes: int, batch: int = 5) -> None:
        generator = torch.Generator().manual_seed(samples)
        self.images = torch.randn((samples, *shape[1:]), generator=generator)
        self.labels = torch.randint(classes, (samples,), generator=generator)
        self.batch = batch

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return iter(zip(self.images.split(self.batch), self.labels.split(self.batch), strict=True))


NETWORKS = ["b-lenet", "b-alexnet", "b-resnet", "awkward"]


def built(name: str) -> tuple[nn.Module, torch.Tensor]:
    """The network and an example input."""
    if name == "awkward":
        torch.manual_seed(0)
        return Awkward().eval(), torch.zeros(1, 2, 6, 6)
    return zoo.build(name), torch.zeros(zoo.ENTRIES[name].input_shape)


def network_of(graph: Graph, granularity: Granularity = "operator") -> ExitNetwork:
    count = len(graph.exits)
    return backbone(graph, granularity).network(graph.name, [1 / count] * count, [0.5] * count)


@pytest.mark.parametrize("granularity", ["operator", "exit"])
@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_one_after_another_are_the_network(name: str, granularity: Granularity) -> None:
    module, example = built(name)
    imported = read_module(module, example, name)
    cut = backbone(imported.graph, granularity)
    parts = sections(imported, cut)
    images = torch.randn(3, *example.shape[1:])
    with torch.no_grad():
        expected = module(images.clone())
        tensor, scores = images, {}
        for number, block in enumerate(parts.blocks, 1):
            tensor = block(tensor)
            if number < len(cut.blocks):
                assert tensor[0].numel() * 32 == cut.blocks[number - 1].out_bits
            for site, branch in zip(cut.exits, parts.branches, strict=True):
                if site.after == number:
                    scores[site.name] = branch(tensor)
    assert list(scores) == list(expected)
    for exit_name, values in expected.items():
        torch.testing.assert_close(scores[exit_name], values)


def test_no_node_of_the_program_runs_in_two_blocks() -> None:
    imported = read_module(*built("b-resnet"), "b-resnet")
    parts = sections(imported, backbone(imported.graph))
    every: list[Section] = [*parts.blocks, *parts.branches]
    nodes = [node for section in every for node in section.nodes]
    assert len(nodes) == len(set(nodes)) == sum(node.op == "call_function" for node in imported.exported.graph.nodes)


@pytest.mark.parametrize("name", NETWORKS)
def test_executions_agree_with_observations(name: str) -> None:
    module, example = built(name)
    graph = read_module(module, example, name).graph
    data = Data(tuple(example.shape), 12, 5)
    seen = observe(module, data, "max-probability")
    middle = np.sort(seen.confidence[:, :-1], axis=0)[5:7].mean(axis=0).tolist()
    found = seen.outcomes([middle])
    for granularity in get_args(Granularity):
        network = network_of(graph, granularity)
        for exit, leave in enumerate(network.exits):
            placement = Placement("a", exit, tuple(index % 3 for index in range(leave.after)))
            execution = execute(module, network, placement, data, "max-probability", middle, example)
            assert execution.accuracy == found.accuracies[0, exit]
            assert execution.fractions[:exit] == tuple(found.fractions[0, :exit])
            assert sum(execution.leaving) == 12


def test_the_input_travels_where_the_source_is_another_device() -> None:
    module, example = built("awkward")
    network, data = network_of(read_module(module, example, "awkward").graph), Data((1, 2, 6, 6), 7, 5)
    placement = Placement("a", 0, (1,) * network.exits[0].after)
    execution = execute(module, network, placement, data, "entropy", [0.5, 0.5], example, source=0)
    assert execution.bits_by_link == {(0, 1): 7 * 72 * 32}
    assert execution.ops_by_node == {1: 7 * network.blocks[0].ops}
    assert execute(module, network, placement, data, "entropy", [0.5, 0.5], example).bits_by_link == {}


def test_nothing_is_computed_for_samples_that_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every section runs on those samples alone that reach it, and none at all where nobody does."""
    seen: list[tuple[str, int]] = []
    call = Section.__call__

    def spy(section: Section, tensor: torch.Tensor) -> torch.Tensor:
        seen.append((section.target.name, len(tensor)))
        return call(section, tensor)

    monkeypatch.setattr(Section, "__call__", spy)
    data = Data((1, 1, 28, 28), 6, 10, batch=6)
    run = {**GIVEN, "loader": data, "placement": Placement("a", 1, (0, 0, 1, 1, 1, 1))}
    half = observe(MODULE, data, "entropy").confidence[:, 0]
    between = float(np.sort(half)[1:3].mean())
    for threshold, sizes in ((1.0, [6, 6, 6]), (between, [6, 6, 6, 4, 4, 4, 4, 4]), (0.0, [6] * 8)):
        seen.clear()
        execution = execute(**{**run, "thresholds": [threshold]})
        assert [size for _, size in seen] == sizes
        assert sum(execution.leaving) == 6
    assert len({name for name, _ in seen}) == 7  # the last branch is what the last block yields


MODULE, EXAMPLE = built("b-lenet")
GRAPH = zoo.graph("b-lenet")
NETWORK = network_of(GRAPH)
FULL = Placement("a", 1, (0,) * 6)
GIVEN: dict[str, Any] = {
    "module": MODULE,
    "profile": NETWORK,
    "placement": FULL,
    "loader": Data((1, 1, 28, 28), 3, 10),
    "rule": "entropy",
    "thresholds": [0.5],
    "example_input": EXAMPLE,
}
LARGER = replace(NETWORK, blocks=(replace(NETWORK.blocks[0], ops=1.0), *NETWORK.blocks[1:]))
RENAMED = replace(NETWORK, exits=(replace(NETWORK.exits[0], name="x"), NETWORK.exits[1]))


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"profile": Profile(NETWORK, "0" * 64)}, ModelError, "is not the one that profile 'b-lenet' was measured on"),
        (
            {"profile": Profile(NETWORK, "0" * 64)},
            ModelError,
            "its blocks are as large, but its graph differs",
        ),
        (
            {"profile": LARGER},
            ModelError,
            r"is not the one .*: its block 1 \('stages.0.0'\) has 235,200 operations, the profile's 1$",
        ),
        (
            {"profile": RENAMED},
            ModelError,
            "its exits are 'exit-1' after block 2, 'final' after block 6; the profile's are 'x' after block 2, 'final'",
        ),
        ({"profile": replace(NETWORK, input_bits=8)}, ModelError, r"its input has 25,088 bits, the profile's 8$"),
        (
            {"profile": network_of(zoo.graph("b-resnet")), "placement": Placement("a", 0, (0,)), "thresholds": [1, 1]},
            ModelError,
            "is not the one that profile 'b-resnet' was measured on: it has 6 or 2 blocks, the profile has 11",
        ),
        ({"placement": Placement("a", 2, (0,) * 6)}, PlanError, "placement: exit is 2; expected 0 to 1"),
        ({"placement": Placement("a", 1, (0,) * 5)}, PlanError, "5 nodes; expected 6, one per block up to 'final'"),
        ({"thresholds": []}, OptionError, "thresholds: 0 given; expected 1"),
        ({"rule": "x"}, OptionError, "rule is 'x'"),
        ({"loader": []}, ModelError, "the loader has no samples"),
        ({"loader": [(torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64))]}, ModelError, "expected 1x28x28"),
        (
            {"loader": [(EXAMPLE * float("nan"), torch.zeros(1, dtype=torch.int64))]},
            ModelError,
            "'exit-1': scores that",
        ),
        (
            {"loader": [(EXAMPLE, torch.tensor([1])), (EXAMPLE.double(), torch.tensor([1]))]},
            ModelError,
            "^batch 2: b-lenet does not run on it: RuntimeError: ",
        ),
        (
            {"placement": Plan((FULL,))},
            OptionError,
            "^placement is a Plan; expected a Placement: a plan has one per application in its .placements$",
        ),
        ({"loader": [(EXAMPLE, torch.tensor([12]))]}, ModelError, "labels from 12 to 12; expected classes from 0 to 9"),
    ],
)
def test_refused(changes: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        execute(**{**GIVEN, **changes})
    assert "\n" not in str(caught.value)


@dataclass
class Device:
    name: str
    flops_per_s: float
    power_w: float | None
    energy_per_bit_j: float | None
    overhead_s: float = 0.0


def test_energy_of_a_run() -> None:
    devices = [Device("a", 100.0, 5.0, 0.25), Device("b", 1000.0, 20.0, 0.5), Device("c", 1.0, None, None)]
    execution = Execution(4, 3, (1, 3), {0: 800.0, 1: 2000.0}, {(0, 1): 16}, {0: 4, 1: 3}, {(0, 1): 3})
    assert execution.energy_j(devices) == pytest.approx((800 * 0.05 + 2000 * 0.02 + 16 * 0.75) / 4)
    with pytest.raises(ClusterError, match="device 'c' has no power_w; energy cannot be counted"):
        replace(execution, ops_by_node={2: 1.0}).energy_j(devices)


def test_latency_of_a_run() -> None:
    """The mean of a sample: 0.1 s per block on `a`, 0.5 s per connection."""
    devices = [replace(Device("a", 100.0, 5.0, 0.25), overhead_s=0.1), Device("b", 1000.0, 20.0, 0.5)]
    execution = Execution(4, 3, (1, 3), {0: 800.0, 1: 2000.0}, {(0, 1): 16}, {0: 4, 1: 3}, {(0, 1): 3})
    rates = np.array([[np.inf, 8.0], [0.0, np.inf]])
    assert execution.latency_s(devices, rates, 0.5) == pytest.approx((8 + 4 * 0.1 + 2 + 16 / 8 + 3 * 0.5) / 4)
    back = replace(execution, bits_by_link={(1, 0): 16}, tensors_by_link={(1, 0): 1})
    assert back.latency_s(devices, rates, 0.5) == np.inf
