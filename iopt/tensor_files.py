"""Tensors in files, checked on the way in: inputs as `.npy`, weights as safetensors; outputs. Nothing is unpickled."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from iopt.door.json_file import write_whole
from iopt.door.reason import reason, unreadable
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.graph.layers import Flatten, Linear
from iopt.graph.state import expected_shapes

MOST_NAMES = 5
"""That one line lists."""
WRITE_ONE = 'write one with safetensors.torch.save_file(module.state_dict(), "weights.safetensors")'


def read_input(path: str | Path, graph: Graph) -> torch.Tensor:
    """The array of a `.npy` file as the network's input. Raises `ModelError`; nothing is unpickled."""
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {unreadable(error)}") from None
    except (ValueError, EOFError) as error:
        raise ModelError(f"{path}: not a .npy file that iopt reads: {reason(error)}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ModelError(f"{path}: expected one array of numbers, as numpy.save writes it")
    return checked_input(torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)), graph, str(path))


def input_note(path: str | Path) -> str | None:
    """What is odd about an input that `read_input` has read: values of a picture, which stay as they are."""
    try:
        kind = np.load(path, mmap_mode="r", allow_pickle=False).dtype
    except (OSError, ValueError, EOFError):
        return None
    return f"{path} is uint8: its values of 0 to 255 are taken as they are, not scaled" if kind == np.uint8 else None


def weights_note(path: str | Path, graph: Graph) -> str | None:
    """Names that the network does not read of a safetensors file that it has read, without counters of batches, which
    training needs; None also for an exported program."""
    if Path(path).suffix.lower() == ".pt2":
        return None
    try:
        with open_weights(path) as file:
            names = sorted(set(map(str, file.keys())) - expected_shapes(graph).keys())
    except ModelError:
        return None
    names = [name for name in names if not name.endswith("num_batches_tracked")]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{path}: not read by {graph.name}: {', '.join(names[:MOST_NAMES])}{more}" if names else None


def checked_input(tensor: torch.Tensor, graph: Graph, where: str) -> torch.Tensor:
    """The input as `channels x height x width`, without the batch of 1. Raises `ModelError`, beginning with `where`."""
    shape = graph.input_shape
    allowed: list[tuple[int, ...]] = [(1, *shape), tuple(shape)]
    if shape.height == shape.width == 1:
        allowed += [(1, shape.channels), (shape.channels,)]
    if tuple(tensor.shape) not in allowed:
        got = "x".join(map(str, tensor.shape)) or "one number"
        raise ModelError(f"{where} is {got}; expected 1x{shape}, the input of {graph.name}")
    if tensor.dtype != torch.float32:
        raise ModelError(f"{where} is {tensor.dtype}; expected torch.float32")
    return tensor.detach().reshape(shape).contiguous()


def with_batch(output: torch.Tensor, graph: Graph) -> torch.Tensor:
    """An output `channels x height x width` as the module gives it: 1 x features behind a flatten or a linear layer,
    else 1 x channels x height x width."""
    last = graph.operators[-1]
    is_flat = isinstance(last.body, Linear) or any(isinstance(step, Flatten) for step in last.epilogue)
    return output.reshape(1, -1) if is_flat else output[None]


def write_output(path: str | Path, output: torch.Tensor) -> None:
    """As `.npy`, under just this name: numpy would add a suffix. Raises `IoptError` where it cannot be written."""
    data = BytesIO()
    np.save(data, output.numpy())
    write_whole(path, data.getvalue())


def open_weights(path: str | Path) -> Any:
    """A safetensors file, open for its names, slices and tensors; a context. Raises `ModelError` for any other."""
    if Path(path).is_dir():  # of which safetensors says that there is no such device
        raise ModelError(f"{path}: cannot be read: it is a folder")
    try:
        return safe_open(str(path), framework="pt")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {unreadable(error)}") from None
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file: {reason(error)}; {WRITE_ONE}") from None
