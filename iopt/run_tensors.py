"""Weights and input of a run, from what users give: checked, and in files that its processes read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from iopt.door.given import check_kind
from iopt.door.trust import Stamp, check_archive, check_sha256, check_stamp
from iopt.errors import OptionError
from iopt.graph import Graph
from iopt.graph.state import expected_shapes
from iopt.importer.archive import read_archive
from iopt.partition.runtime.random_weights import random_input
from iopt.partition.runtime.weights import FileWeights, StateWeights, check_weights
from iopt.tensor_files import checked_input, read_input


def weights_file(
    graph: Graph,
    folder: Path,
    module: nn.Module | None = None,
    weights: str | Path | None = None,
    weights_hash: str | None = None,
    trust: bool = False,
) -> tuple[str | None, Stamp | None]:
    """A safetensors file with the weights of the network, and its stamp if its hash was checked; None for random ones.

    Those of a module, and of a `.pt2` file that is trusted, are written into the folder. Raises `IoptError`.
    """
    if module is not None and weights is not None:
        raise OptionError("both module and weights are given; expected one of them")
    if weights_hash is not None and weights is None:
        raise OptionError("weights_hash is given without weights; it is the hash of their file")
    if module is not None:
        check_kind(module, nn.Module, "module")
        return _saved(module.state_dict(), type(module).__name__, graph, folder), None
    if weights is None:
        return None, None
    stamp = None if weights_hash is None else check_sha256(Path(weights), weights_hash)
    if Path(weights).suffix.lower() == ".pt2":
        return _saved(_of_archive(Path(weights), stamp, trust), str(weights), graph, folder), None
    with FileWeights(weights) as file:
        check_weights(graph, file, str(weights))
    return str(weights), stamp


def input_tensor(inputs: torch.Tensor | str | Path | None, graph: Graph, seed: int) -> torch.Tensor:
    """`channels x height x width`, in memory: a tensor that is given, a `.npy` file, or random by the seed. Raises
    `ModelError`."""
    if inputs is None:
        return random_input(graph, seed)
    if isinstance(inputs, str | Path):
        return read_input(inputs, graph)
    check_kind(inputs, torch.Tensor, "inputs")
    return checked_input(inputs, graph, "inputs").cpu()


def _of_archive(path: Path, stamp: Stamp | None, trust: bool) -> Mapping[str, torch.Tensor]:
    check_archive(path, trust)
    state: Mapping[str, torch.Tensor] = read_archive(path).state_dict
    if stamp is not None:
        check_stamp(path, stamp)
    return state


def _saved(state: Mapping[str, torch.Tensor], where: str, graph: Graph, folder: Path) -> str:
    """The weights that the network needs. Raises `ModelError`, beginning with `where`."""
    check_weights(graph, StateWeights(state), where)
    path = folder / "weights.safetensors"
    save_file({name: state[name].detach().cpu().clone().contiguous() for name in expected_shapes(graph)}, path)
    return str(path)
