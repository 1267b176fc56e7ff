"""The module that `run` and `profile` measure, with its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iopt.errors import ModelError, OptionError

if TYPE_CHECKING:
    from torch import nn


def module_of(model: str, seed: int | None, weights: Path | None) -> nn.Module:
    """The network of the zoo with weights by `seed` (0 unless given), or what package.module:callable is or makes; then
    with the weights of a file, if one is given. Runs users' code. Raises `IoptError`."""
    from iopt import zoo
    from iopt.door.python_name import split_name
    from iopt.door.wording import hint, shown
    from iopt.importer.python_object import load_module

    if seed is not None and weights is not None:
        raise OptionError("--seed does not go with --weights-file, which has the weights")
    if seed is not None and model not in zoo.ENTRIES and split_name(model):
        raise OptionError("--seed is for networks of `iopt models`; your code makes its own weights")
    if model in zoo.ENTRIES:
        module = zoo.build(model, seed or 0)
    elif split_name(model):
        module = load_module(model)
    else:
        near = hint(model, zoo.ENTRIES)
        raise ModelError(f"{shown(model)}: expected a network of `iopt models` or package.module:callable{near}")
    if weights is not None:
        from iopt.importer.weights_file import load_weights

        load_weights(module, weights)
    return module
