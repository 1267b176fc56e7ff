"""What else holds of a runtime: scratch, reuse, the caller's input, shared weights, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from iopt.errors import ModelError, OptionError, PlanError
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.scratch import USUAL_BYTES, packed_bytes, scratch_limit_bytes
from iopt.tiling.executor.trial import difference
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from tests import instances
from tests.instances import conv, linear
from tests.tiling.executed import weights
from tests.tiling.execution import TOLERANCE, image, judged, measured


@pytest.mark.parametrize(
    ("size", "layer", "tiling"),
    [
        ((256, 14, 14), conv(128, 5, 3, (3, 2)), "5x5"),
        ((64, 28, 41), conv(128, 7, 1, 6, 2), "3x7"),
        ((100, 14, 14), conv(33, 7, padding=3), "3x7"),
        ((100, 7, 96), conv(66, 3, padding=1, groups=2), "5x5"),
        ((100, 56, 14), conv(8, (3, 1), 3, (1, 0)), "1x5"),
    ],
    ids=["repacked", "dilated", "rounded up", "in groups", "narrow"],
)
def test_scratch_is_bounded_where_weights_are_packed_anew(
    size: tuple[int, int, int], layer: instances.Layer, tiling: str
) -> None:
    graph = instances.chain("net", size, [layer])
    runtime = Runtime(graph, parse(f"{tiling}/NoCut", 1), weights(graph, 0))
    assert measured(runtime, image(graph)).scratch_bytes <= scratch_limit_bytes(runtime.layers)


def test_the_bound_of_scratch() -> None:
    layers = layers_of(
        instances.chain("net", (48, 8, 8), [conv(66, 3, groups=2), instances.pool(instances.max_pool(2))])
    )
    assert packed_bytes(layers[0]) == 2 * 64 * 32 * 9 * 4
    assert scratch_limit_bytes(layers) == USUAL_BYTES + 2 * 64 * 32 * 9 * 4
    assert scratch_limit_bytes(layers[1:]) == USUAL_BYTES


def test_reuse_computes_less() -> None:
    graph = instances.chain("deep", (3, 24, 24), [conv(4, 3, padding=1)] * 4)
    state, tensor = weights(graph, 1), image(graph)
    work = {}
    for text in ("4x4/NoCut", "4x4c/NoCut"):
        runtime = Runtime(graph, parse(text, 4), state)
        runtime(tensor)
        work[text] = runtime.macs
        assert runtime.macs == judged(graph, parse(text, 4), "lean").macs
    assert work["4x4c/NoCut"] < 0.8 * work["4x4/NoCut"]


def test_the_input_stays_as_it_is() -> None:
    graph = instances.chain("net", (2, 8, 8), [instances.norm(), conv(2, 1)])
    tensor = image(graph)
    before = tensor.clone()
    for text in ("1x1/NoCut", "2x2/NoCut"):
        Runtime(graph, parse(text, 2), weights(graph, 0))(tensor)
        assert torch.equal(tensor, before)
        Runtime(graph, parse(text, 2), weights(graph, 0))(tensor.contiguous(memory_format=torch.channels_last))
        assert torch.equal(tensor, before)


def test_one_channel_narrow_tiles() -> None:
    """oneDNN reads what it has not written where a convolution of one channel gives few columns."""
    graph = instances.chain("narrow", (1, 12, 11), [conv(3, (3, 4), (1, 3), (2, 0), (2, 1))])
    state, tensor = weights(graph, 0), image(graph)
    bias, window = state["op1.bias"], ((1, 3), (2, 0), (2, 1))
    expected = torch.relu(nn.functional.conv2d(tensor.double(), state["op1.weight"].double(), bias.double(), *window))
    for text in ("1x1/NoCut", "2x3/NoCut", "4x2c/NoCut"):
        assert difference(Runtime(graph, parse(text, 1), state)(tensor), expected.float()) < TOLERANCE


def test_runtimes_of_one_network_share_linear_weights() -> None:
    graph = instances.chain("net", (2, 8, 8), [conv(2, 3), linear(5)])
    state, tensor = weights(graph, 0), image(graph)
    first = Runtime(graph, parse("1x1/NoCut", 2), state)
    second = Runtime(graph, parse("2x2/1/1x1", 2), state, like=first)
    assert difference(second(tensor), first(tensor)) < TOLERANCE
    assert first.kernels[1].body is second.kernels[1].body
    assert first.kernels[0].body is not second.kernels[0].body
    assert first.macs == second.macs == sum(layer.macs for layer in layers_of(graph))


def test_what_is_refused() -> None:
    graph = instances.chain("net", (2, 8, 8), [conv(2, 3)])
    state = weights(graph, 0)
    plan = parse("2x2/NoCut", 1)
    for wrong, message in (
        ({"op1.weight": state["op1.weight"]}, "the state dict: op1.bias: missing; expected 2 in fp32, as net has it"),
        (
            {**state, "op1.weight": state["op1.weight"].double()},
            "the state dict: op1.weight is 2x2x3x3 in torch.float64; expected 2x2x3x3 in fp32, as net has it",
        ),
        (
            {**state, "op1.weight": state["op1.weight"][:1]},
            "the state dict: op1.weight is 1x2x3x3 in F32; expected 2x2x3x3 in fp32, as net has it",
        ),
    ):
        with pytest.raises(ModelError) as caught:
            Runtime(graph, plan, wrong)
        assert str(caught.value) == message
    with pytest.raises(OptionError, match=r"op1.weight of the state dict is 5; expected a Tensor"):
        Runtime(graph, plan, {**state, "op1.weight": 5})  # type: ignore[dict-item]
    other = instances.chain("other", (2, 8, 8), [conv(2, 1)])
    with pytest.raises(ModelError, match="like is a runtime of 'other'; expected one of 'net'"):
        Runtime(graph, plan, state, like=Runtime(other, plan, weights(other, 0)))
    with pytest.raises(PlanError, match="expected groups that follow each other"):
        Runtime(graph, parse("2x2/1/1x1", 2), state)
    with pytest.raises(OptionError, match=r"executor is 'fat'; expected 'lean' or 'torch'"):
        Runtime(graph, parse("2x2/NoCut", 1), state, "fat")  # type: ignore[arg-type]
    runtime = Runtime(graph, parse("2x2/NoCut", 1), state)
    with pytest.raises(ModelError, match=r"the input is 1x2x8x9 in torch.float32; expected 1x2x8x8 in fp32"):
        runtime(torch.zeros(1, 2, 8, 9))
    with pytest.raises(ModelError, match=r"in torch.float64; expected 1x2x8x8 in fp32"):
        runtime(torch.zeros(1, 2, 8, 8, dtype=torch.float64))
