"""Weights are read by slices from a file that executes nothing, and refused where they are not the network's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.graph.state import expected_shapes
from iopt.partition.runtime import random_weights
from iopt.partition.runtime import weights as weights_module
from iopt.partition.runtime.parameters import load_shard
from iopt.partition.runtime.random_weights import RandomWeights
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import FileWeights, StateWeights, check_weights
from tests.instances import chain, conv, linear
from tests.partition.runtime.cases import cases_over, draw_state
from tests.partition.runtime.test_local import GRAPHS

NETWORK = chain("net", (2, 4, 4), [conv(3, 3), linear(5)])


def refusal(graph: Graph, path: Path) -> str:
    with pytest.raises(ModelError) as caught, FileWeights(path) as file:
        check_weights(graph, file, path.name)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["windows", "groups", "folding"])
def test_a_shard_from_a_file_is_that_of_the_state(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_module, "BLOCK_BYTES", 1000)  # so that columns are read in several blocks
    for case in cases_over(GRAPHS[name], 3, 12):
        save_file(dict(case.state), tmp_path / "w.safetensors")
        steps = schedule(case.problem, case.plan)
        with FileWeights(tmp_path / "w.safetensors") as file:
            check_weights(case.problem.graph, file, "w")
            for device in range(3):
                read, mine = (load_shard(steps, device, each) for each in (file, StateWeights(case.state)))
                assert read.keys() == mine.keys()
                for operator, parameters in read.items():
                    other = mine[operator]
                    assert parameters.bytes == other.bytes
                    for one, two in zip(tensors(parameters), tensors(other), strict=True):
                        assert one.equal(two)


def tensors(parameters: weights_module.Any) -> list[torch.Tensor]:
    found = [parameters.weight, parameters.bias, *(part for pair in parameters.norms for part in pair)]
    return [tensor for tensor in found if tensor is not None]


def test_random_weights_do_not_depend_on_the_part_that_is_read() -> None:
    whole = RandomWeights(NETWORK, 3).state()
    assert {name: tuple(tensor.shape) for name, tensor in whole.items()} == expected_shapes(NETWORK)
    part = RandomWeights(NETWORK, 3).part("op2.weight", ((1, 3), (4, 9)))
    assert part.equal(whole["op2.weight"][1:3, 4:9])
    assert part.untyped_storage().nbytes() == 4 * 2 * 5
    assert not RandomWeights(NETWORK, 4).whole("op2.weight").equal(whole["op2.weight"])


def test_random_weights_are_drawn_in_blocks_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a rank is told that it draws."""
    whole = RandomWeights(NETWORK, 3).state()
    monkeypatch.setattr(random_weights, "BLOCK", 16)
    heard: list[int] = []
    blocks = RandomWeights(NETWORK, 3, lambda: heard.append(0)).state()
    assert len(heard) == 1 + 1 + 54 // 16 + 60 // 16
    assert all(blocks[name].equal(tensor) for name, tensor in whole.items())


def test_wrong_weights_are_refused_by_name(tmp_path: Path) -> None:
    path, state = tmp_path / "w.safetensors", draw_state(NETWORK, 0)
    save_file({name: tensor for name, tensor in state.items() if name != "op1.bias"}, path)
    assert refusal(NETWORK, path) == "w.safetensors: op1.bias: missing; expected 3 in fp32, as net has it"
    save_file({**state, "op1.weight": torch.zeros(3, 2, 3, 5)}, path)
    assert "op1.weight is 3x2x3x5 in F32; expected 3x2x3x3 in fp32" in refusal(NETWORK, path)
    save_file({**state, "op2.weight": state["op2.weight"].half()}, path)
    assert "op2.weight is 5x12 in F16; expected 5x12 in fp32" in refusal(NETWORK, path)


def test_files_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    assert "there is no such file" in refusal(NETWORK, path)
    path.write_bytes(b"\x80\x04K\x01.")
    assert "not a safetensors file" in refusal(NETWORK, path)
    save_file(draw_state(NETWORK, 0), path)
    path.write_bytes(path.read_bytes()[:-4])
    assert "not a safetensors file" in refusal(NETWORK, path)
    torch.save(draw_state(NETWORK, 0), path)
    assert "not a safetensors file" in refusal(NETWORK, path)
