"""A network from Python code: `package.module:callable`, found on sys.path or in the current directory."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from iopt.door.python_name import split_name
from iopt.door.reason import raised
from iopt.door.wording import hint, shown
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.importer.export import import_module
from iopt.importer.quiet import prints_aside


def import_object(module: str, attribute: str, input_shape: tuple[int, ...]) -> Graph:
    """The graph of `module:attribute`: an `nn.Module`, or a class or function that makes one without arguments.

    Named `module:attribute`. This runs the module's code. Raises `ModelError` for all that goes wrong in it.
    """
    with current_directory_first(), prints_aside():
        network = _instance(_attribute(module, attribute), f"{module}:{attribute}")
        return import_module(network, torch.empty(input_shape), f"{module}:{attribute}")


def load_module(spec: str) -> nn.Module:
    """The module that `package.module:attribute` is or makes. Raises `ModelError`."""
    return _instance(_attribute(*_split(spec)), spec)


def load_batches(spec: str) -> Iterable[object]:
    """The iterable that `package.module:attribute` is, or makes when it is called. Raises `ModelError`."""
    found = _attribute(*_split(spec))
    if callable(found) and (isinstance(found, type) or not isinstance(found, Iterable)):
        found = _called(found, spec)
    if not isinstance(found, Iterable):
        raise ModelError(f"{spec} is a {type(found).__name__}; expected batches of (inputs, labels)")
    return found


def _split(spec: str) -> tuple[str, str]:
    name = split_name(spec)
    if name is None:
        raise ModelError(f"{shown(spec)}: expected Python code as package.module:callable")
    return name


def _attribute(module: str, attribute: str) -> object:
    try:
        found: object = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        where = " (looked on sys.path and in the current directory)" if isinstance(error, ModuleNotFoundError) else ""
        raise ModelError(f"cannot import {module}: {raised(error)}{where}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [name for name in dir(found) if not name.startswith("_")]
            raise ModelError(f"{module} has no {attribute!r}{hint(part, public)}")
        found = getattr(found, part)
    return found


def _instance(found: object, spec: str) -> nn.Module:
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise ModelError(f"{spec} is a {type(found).__name__}; expected a torch.nn.Module or what makes one")
    made = _called(found, spec)
    if not isinstance(made, nn.Module):
        raise ModelError(f"{spec} made a {type(made).__name__}; expected a torch.nn.Module")
    return made


def _called(found: Callable[[], object], spec: str) -> object:
    """What it makes. Raises `ModelError` where it needs arguments, and for what is raised in it."""
    if needed := _needed(found):
        raise ModelError(
            f"{spec} needs arguments ({', '.join(needed)}); expected what can be called without any, "
            "such as a function that gives them"
        )
    try:
        return found()
    except (Exception, SystemExit) as error:
        raise ModelError(f"{spec} raised {raised(error)}") from error


def _needed(found: Callable[..., object]) -> list[str]:
    """Names of the parameters without a default; none where Python does not know them."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is inspect.Parameter.empty and parameter.kind not in optional
    ]


@contextmanager
def current_directory_first() -> Iterator[None]:
    """As `python -m` has it."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)
