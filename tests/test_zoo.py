"""The networks of the zoo: sizes as published, names as in torchvision, weights only where they are asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from iopt import model, zoo
from iopt.errors import ModelError
from iopt.graph.layers import Activation, Conv2d, Pool
from iopt.zoo.branchy import b_lenet
from tests.importer.interpreter import run, run_all

DATA = Path(__file__).parent / "data"
ZOO: dict[str, Any] = json.loads((DATA / "zoo.json").read_text(encoding="utf-8"))
KNOWN: dict[str, Any] = ZOO["networks"]
BRANCHY: dict[str, Any] = ZOO["early_exit"]
DARKNET: dict[str, Any] = ZOO["darknet"]


def test_every_network_is_known() -> None:
    assert list(zoo.ENTRIES) == [*KNOWN, *BRANCHY, *DARKNET]
    assert all(entry.name == name and entry.description and entry.source for name, entry in zoo.ENTRIES.items())


@pytest.mark.parametrize("name", KNOWN)
def test_flops_and_parameters(name: str) -> None:
    graph, known = zoo.graph(name), KNOWN[name]
    assert (graph.flops, graph.parameters, len(graph)) == (known["flops"], known["parameters"], known["operators"])
    decimals = len(known["gigaflops"].split(".")[1])
    assert f"{graph.flops / 1e9:.{decimals}f}" == known["gigaflops"]
    assert graph.is_chain
    assert graph.name == name
    assert (1, *graph.input_shape) == zoo.ENTRIES[name].input_shape


@pytest.mark.parametrize("name", KNOWN)
def test_operators_and_weights_carry_the_names_of_the_state_dict(name: str) -> None:
    graph, state = zoo.graph(name), zoo.skeleton(name).state_dict()
    assert list(state) == [f"{operator.name}.{what}" for operator in graph for what in ("weight", "bias")]
    for operator in graph:
        assert state[f"{operator.name}.weight"].numel() == operator.weight_elements
        assert state[f"{operator.name}.weight"].is_meta


def test_alexnet_operator_by_operator() -> None:
    first, *_, last_convolution, linear, _, _ = zoo.graph("alexnet")
    assert isinstance(first.body, Conv2d)
    assert (first.body.window.kernel, first.body.window.stride, first.body.window.padding) == ((11, 11), (4, 4), (2, 2))
    assert (first.pre_shape, first.output_shape) == ((64, 55, 55), (64, 27, 27))
    assert [type(step) for step in first.epilogue] == [Activation, Pool]
    assert (last_convolution.name, last_convolution.output_shape) == ("features.10", (256, 6, 6))
    assert (linear.name, linear.input_shape) == ("classifier.1", (256, 6, 6))


@pytest.mark.parametrize("name", ["lenet5", "lenet", "alexnet"])
def test_graph_computes_what_the_network_computes(name: str) -> None:
    network = zoo.build(name)
    image = torch.rand(zoo.ENTRIES[name].input_shape)
    with torch.no_grad():
        expected = network(image)
        torch.testing.assert_close(run(zoo.graph(name), network.state_dict(), image), expected)
    assert 0.01 < expected.std() < 100


def test_equal_seeds_give_equal_weights() -> None:
    first, same, other = (zoo.build("lenet", seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_building_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    zoo.build("lenet5", seed=7)
    assert torch.equal(torch.rand(1), expected)


def test_another_input_shape() -> None:
    graph = zoo.graph("vgg11", (1, 3, 64, 96))
    assert graph.input_shape == (3, 64, 96)
    assert graph.parameters == KNOWN["vgg11"]["parameters"]
    with pytest.raises(ModelError, match="lenet does not run on an input of 1x1x32x32"):
        zoo.graph("lenet", (1, 1, 32, 32))
    with pytest.raises(ModelError, match="input shape 1x-1x32x32 has a size of -1"):
        zoo.graph("lenet", (1, -1, 32, 32))


def test_an_unknown_network() -> None:
    with pytest.raises(ModelError, match=r"the zoo has no network 'vgg12'; it has lenet5, .*; did you mean 'vgg1"):
        zoo.build("vgg12")


def test_the_list_needs_no_torch() -> None:
    script = "import sys; from iopt import model, zoo; print(*zoo.ENTRIES, {'torch', 'pydantic'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.split() == [*KNOWN, *BRANCHY, *DARKNET, "set()"]


@pytest.mark.parametrize("name", BRANCHY)
def test_early_exit_networks(name: str) -> None:
    graph, known, network = zoo.graph(name), BRANCHY[name], zoo.build(name)
    assert (graph.flops, graph.parameters, len(graph)) == (known["flops"], known["parameters"], known["operators"])
    assert [exit_name for exit_name, _ in graph.exits] == known["exits"]
    assert graph == model.load(name)
    image = torch.rand(zoo.ENTRIES[name].input_shape)
    with torch.no_grad():
        expected = network(image)
        tensors = run_all(graph, network.state_dict(), image)
    assert list(expected) == known["exits"]
    for exit_name, operator in graph.exits:
        assert 0.01 < expected[exit_name].std() < 100
        torch.testing.assert_close(tensors[operator].flatten(1), expected[exit_name])


def test_b_lenet_for_other_images() -> None:
    scores = b_lenet(channels=3, side=8, classes=4, kernel=3, padding=1)(torch.rand(2, 3, 8, 8))
    assert {name: tuple(tensor.shape) for name, tensor in scores.items()} == {"exit-1": (2, 4), "final": (2, 4)}


@pytest.mark.parametrize("name", DARKNET)
def test_darknet_chains(name: str) -> None:
    graph, known = zoo.graph(name), DARKNET[name]
    assert (graph.flops, graph.parameters, len(graph)) == (known["flops"], known["parameters"], known["operators"])
    assert f"{graph.flops / 1e9:.3f}" == known["gigaflops"]
    assert list(graph.output_shape) == known["output"]
    assert graph.is_chain
    assert (1, *graph.input_shape) == zoo.ENTRIES[name].input_shape


def test_yolov2_with_the_route_would_be_darknet_s() -> None:
    """62.94 billion operations as Darknet prints; 203,934,260 bytes of weights with a header of 16, where a batch norm
    has 4 numbers per channel and the graph one."""
    graph = zoo.graph("yolov2")
    route_flops = 2 * 38**2 * 512 * 64 + 2 * 19**2 * 9 * 256 * 1024
    assert graph.flops + route_flops == 62_938_253_312
    norms = sum(operator.output_shape.channels for operator in graph) - 425 + 64
    route_weights = 512 * 64 + 64 + 9 * 256 * 1024
    assert 4 * (graph.parameters + route_weights + 3 * norms) + 16 == 203_934_260


def test_a_small_darknet_computes_what_the_network_computes() -> None:
    network = zoo.build("yolov2-16")
    image = torch.rand(1, 3, 32, 64)
    with torch.no_grad():
        expected = network(image)
        found = run(zoo.graph("yolov2-16", (1, 3, 32, 64)), network.state_dict(), image)
    torch.testing.assert_close(found, expected.flatten(1))
    assert 0.01 < expected.std() < 100
