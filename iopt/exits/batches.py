"""Labelled batches and the scores of every exit, checked on the way in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import torch
from torch import nn

from iopt.door.reason import raised
from iopt.door.wording import shown
from iopt.errors import IoptError, ModelError

Scores = dict[str, torch.Tensor]


class Batch(NamedTuple):
    """`number` from 1, in the order of the loader, which messages call `loader`; labels are whole numbers, one per
    input."""

    number: int
    inputs: torch.Tensor
    labels: torch.Tensor
    loader: str


@dataclass(frozen=True)
class Named:
    """Batches with the name that messages call them by: that of users' code."""

    loader: Iterable[object]
    name: str

    def __iter__(self) -> Iterator[object]:
        return iter(self.loader)


def batches(loader: Iterable[object], shape: tuple[int, ...] | None = None) -> Iterator[Batch]:
    """Every batch that has samples.

    `shape`: of one input, where it is known. Raises `ModelError` for a loader without samples, and for one that raises
    itself or has batches that are anything but (inputs, labels), with the number of the batch.
    """
    count, name = 0, loader.name if isinstance(loader, Named) else "the loader"
    for number, entry in enumerate(guarded(loader), 1):
        where = f"{name}: batch {number}"
        batch = Batch(number, *_pair(entry, where), name)
        if shape is not None and tuple(batch.inputs.shape[1:]) != shape:
            got, expected = (_sizes(sizes) for sizes in (batch.inputs.shape[1:], shape))
            raise ModelError(f"{where}: inputs of {got}; expected {expected}, as in the example input")
        count += len(batch.inputs)
        if len(batch.inputs):
            yield batch
    if not count:
        raise ModelError(f"{name} has no samples; expected batches of (inputs, labels)")


def guarded(loader: Iterable[object]) -> Iterator[object]:
    """What the loader yields. Raises `ModelError` with its name, the number of the batch (from 1) and the exception for
    what is raised in it."""
    number, name = 1, loader.name if isinstance(loader, Named) else "the loader"
    try:
        for entry in loader:
            yield entry
            number += 1
    except IoptError:
        raise
    except Exception as error:
        raise ModelError(f"{name}: batch {number}: {raised(error)}") from error


def with_example(loader: Named, shape: tuple[int, ...] | None = None) -> tuple[Named, torch.Tensor]:
    """The batches, and an example of one input: of this shape (batch 1), or as the first batch has it.

    Raises `ModelError` for a loader without samples.
    """
    if shape is not None:
        return loader, torch.zeros(shape)
    entries, seen = guarded(loader), list[object]()

    def taken() -> Iterator[object]:
        for entry in entries:
            seen.append(entry)
            yield entry

    first = next(batches(Named(taken(), loader.name)))
    return Named(chain(seen, entries), loader.name), torch.zeros(1, *first.inputs.shape[1:])


def exit_scores(module: nn.Module, batch: Batch) -> Scores:
    """The scores of every exit by name, [batch, classes] each. Raises `ModelError` where the module does not run, or
    returns anything but finite scores of two exits or more."""
    inputs = batch.inputs
    try:
        returned = module(inputs)
    except Exception as error:
        what = f"{type(module).__name__} does not run on inputs of {_sizes(inputs.shape)}"
        raise ModelError(f"batch {batch.number}: {what}: {raised(error)}") from error
    if isinstance(returned, torch.Tensor):
        raise ModelError("the network has one output; expected one per exit, as a mapping, tuple or list")
    if isinstance(returned, Mapping):
        scores = {str(name): value for name, value in returned.items()}
    elif isinstance(returned, tuple | list):
        scores = {f"exit-{index}": value for index, value in enumerate(returned, 1)}
    else:
        raise ModelError(
            f"the network returns a {type(returned).__name__}; expected a mapping, tuple or list of tensors"
        )
    if len(scores) < 2:
        raise ModelError(f"the network has {len(scores)} exits; expected two or more")
    for name, value in scores.items():
        check_scores(value, len(inputs), name)
    return scores


def check_scores(scores: object, samples: int, name: str) -> None:
    """Raise `ModelError` unless these are finite scores [samples, classes] of the exit `name`."""
    where = f"exit {name!r}"
    if not isinstance(scores, torch.Tensor):
        raise ModelError(f"{where}: the network returns a {type(scores).__name__}; expected a tensor")
    if scores.dim() != 2 or len(scores) != samples or scores.shape[1] < 2:
        raise ModelError(f"{where}: scores of {_sizes(scores.shape)}; expected {samples} x classes, two or more")
    if not bool(torch.isfinite(scores).all()):
        raise ModelError(f"{where}: scores that are not finite (NaN or infinity)")


def check_labels(labels: torch.Tensor, classes: int, loader: str) -> None:
    """Raise `ModelError` unless all labels, which come from `loader`, are classes."""
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        got = f"labels from {int(labels.min())} to {int(labels.max())}"
        raise ModelError(f"{loader} has {got}; expected classes from 0 to {classes - 1}")


def _pair(batch: object, where: str) -> tuple[torch.Tensor, torch.Tensor]:
    expected = "expected (inputs, labels), two tensors"
    if isinstance(batch, torch.Tensor):
        raise ModelError(f"{where}: inputs without labels; {expected}")
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        entries = f" of {len(batch)} entries" if isinstance(batch, tuple | list) else ""
        raise ModelError(f"{where}: a {type(batch).__name__}{entries}; {expected}")
    inputs, labels = batch
    if not isinstance(inputs, torch.Tensor) or not isinstance(labels, torch.Tensor):
        raise ModelError(f"{where}: {shown(type(inputs).__name__)} and {shown(type(labels).__name__)}; {expected}")
    if inputs.dim() < 2 or labels.shape != inputs.shape[:1]:
        got = f"inputs of {_sizes(inputs.shape)} and labels of {_sizes(labels.shape)}"
        raise ModelError(f"{where}: {got}; expected one label per input")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise ModelError(f"{where}: labels are {labels.dtype}; expected whole numbers")
    return inputs, labels


def _sizes(shape: Iterable[int]) -> str:
    return "x".join(map(str, shape)) or "no dimensions"
