"""What `profile` and `run` measure on, and under which thresholds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def module_and_data(module: str, data: str, shape: str | None) -> tuple[nn.Module, Iterable[object], torch.Tensor]:
    """The module and the batches that these name, and an example of one input: of this shape, or as the first batch
    has it. Runs users' code. Raises `ModelError`."""
    from iopt.exits.batches import Named, with_example
    from iopt.graph.input_shape import parse_shape
    from iopt.importer.python_object import load_batches, load_module

    sizes = None if shape is None else parse_shape(shape)
    network = load_module(module)
    return network, *with_example(Named(load_batches(data), data), sizes)


def thresholds_of(text: str) -> list[float]:
    """`0.5,0.6` as numbers. Raises `OptionError`."""
    from iopt.door.wording import shown
    from iopt.errors import OptionError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise OptionError(f"--threshold: {shown(text)}; expected numbers from 0 to 1, such as 0.5,0.6") from None
